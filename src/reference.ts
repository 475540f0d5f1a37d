/** The pure-TypeScript reference as the package exports it: its own rooms, and a learner made of train's options. */
import { findTask } from './config/choices.js';
import { type ConfigOptions, resolveConfig } from './config/resolve.js';
import type { ResolvedConfig } from './config/schema.js';
import { TASKS } from './environments/tasks.js';
import {
  createLearner as learnerOf,
  type ReferenceConfig,
  type ReferenceLearner,
} from './reference/index.js';

export * from './reference/index.js';

/**
 * The float64 learner of a config: the same `parameters`, `setParameters`, `gradients` and `update` as `Session`.
 * For equal seeds both start from the same parameters, bit for bit.
 *
 * @param options train's options or a resolved config.
 * @throws VirelError `CONFIG_*`, `ENV_UNKNOWN`, `ALGORITHM_UNKNOWN`.
 */
export function createLearner(options: ConfigOptions | ResolvedConfig = {}): ReferenceLearner {
  const config = resolveConfig(options);
  const task = findTask({ value: config.env.id, origin: 'options' }, TASKS);
  return learnerOf(task, withMissingKeys(config));
}

// ADAPTER, to be deleted at the merge with the config: the schema of today lacks keys that ReferenceConfig has. Afterwards
// `learnerOf(task, config)` type-checks as it is.
function withMissingKeys(config: ResolvedConfig): ReferenceConfig {
  return {
    ...config,
    network: { ...config.network, policyHidden: config.network.hidden },
    eStep: { samples: 1 },
    residual: { stateValue: 'online', warmupValue: 1 },
    mStep: { ...config.mStep, lossFactor: 1 },
    schedule: { targetEvery: 1 },
  };
}
