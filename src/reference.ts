/** The pure-TypeScript reference as the package exports it: its own rooms, and a learner made of train's options. */
import { findTask } from './config/choices.js';
import { type ConfigOptions, resolveConfig } from './config/resolve.js';
import type { ResolvedConfig } from './config/schema.js';
import { TASKS } from './environments/tasks.js';
import { VirelError } from './errors.js';
import { createLearner as learnerOf, type ReferenceLearner } from './reference/index.js';

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
  const { temperature } = config;
  // the only temperature that the reference knows yet
  if (temperature.kind !== 'fixed') {
    throw new VirelError('RECIPE_UNSUPPORTED', `temperature.kind ${temperature.kind}`);
  }
  const task = findTask({ value: config.env.id, origin: 'options' }, TASKS);
  return learnerOf(task, { ...config, temperature });
}
