/** The pure-TypeScript reference as the package exports it: its own rooms, and a learner made of train's options. */
import { findTask } from './config/choices.js';
import { type ConfigOptions, resolveConfig } from './config/resolve.js';
import type { ResolvedConfig } from './config/schema.js';
import { choicesOf, withOptions } from './environments/choices.js';
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
  const { env } = config;
  if (env.taskFile !== null) {
    throw new VirelError(
      'CONFIG_CONFLICT',
      'env.taskFile: the reference knows no model, and no sizes of it',
      {
        where: 'env.taskFile',
        fix: 'reference.createLearner of a built-in task',
      },
    );
  }
  const task = findTask({ value: env.id, origin: 'options' }, TASKS);
  return learnerOf(withOptions(task, choicesOf(env)), config);
}
