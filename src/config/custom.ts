/** Environments written in TypeScript, where a task's id would stand. */
import {
  type CustomEnvironment,
  defineEnvironment,
  type EnvironmentDefinition,
  isEnvironment,
} from '../environments/define.js';
import { VirelError } from '../errors.js';
import { settleOptions } from './env-options.js';
import type { ConfigOptions, Layer, Values } from './resolve.js';
import { show } from './show.js';

/** The environment that options give, checked, and the other options. */
export function splitEnvironment(options: ConfigOptions): {
  environment: CustomEnvironment | undefined;
  rest: ConfigOptions;
} {
  const given: unknown = (options as ConfigOptions | null | undefined)?.env;
  if (!isEnvironment(given)) return { environment: undefined, rest: options };
  const environment = defineEnvironment(given as EnvironmentDefinition);
  const { env: _env, ...rest } = options;
  return { environment, rest };
}

/** The module that the layers ask for; what is no path is left to the schema. */
export function askedModule(layers: readonly Layer[]): string | undefined {
  let asked: string | undefined;
  for (const { values } of layers) {
    const env = (values as { env?: unknown } | null | undefined)?.env;
    const path = (env as { module?: unknown } | null | undefined)?.module;
    if (typeof path === 'string' && path !== '') asked = path;
    else if (path !== undefined) asked = undefined;
  }
  return asked;
}

/** Keys of `env` that belong to tasks of MuJoCo. */
const KEYS_OF_TASKS = ['env.modelDir', 'env.modelFile', 'env.taskFile'];

/**
 * An environment of the caller's, in the place of a task.
 *
 * @throws VirelError `CONFIG_CONFLICT` where a task or its files are asked for beside it, `CONFIG_UNKNOWN_KEY` where an
 *   option of a task is.
 */
export function settleEnvironment(
  environment: CustomEnvironment,
  asked: Values,
): CustomEnvironment {
  const { id } = environment;
  const module = asked.get('env.module')?.value ?? null;
  const named = module === null ? `the environment ${id}` : `env.module ${module}, which is ${id}`;
  const other = asked.get('env.id');
  if (other !== undefined && other.value !== id) {
    throw new VirelError('CONFIG_CONFLICT', `env.id ${show(other.value)} and ${named}`, {
      where: other.origin,
      expected: `env.id ${id}, or none`,
      got: show(other.value),
      fix: module === null ? 'leave env.id out' : 'leave --env out, or --env-module',
    });
  }
  for (const path of KEYS_OF_TASKS) {
    const entry = asked.get(path);
    if (entry === undefined || entry.value === null) continue;
    throw new VirelError('CONFIG_CONFLICT', `${path} ${show(entry.value)} and ${named}`, {
      where: entry.origin,
      expected: `${path} null: MuJoCo has no part in it`,
      got: show(entry.value),
      fix: `leave ${path} out`,
    });
  }
  settleOptions(id, {}, asked);
  return environment;
}

/** Name and limit of an environment of the caller's stand over those of defaults and presets. */
export function placeEnvironment({ id, maxEpisodeSteps }: CustomEnvironment, layers: Values): void {
  layers.set('env.id', { value: id, origin: `environment ${id}` });
  layers.set('env.maxEpisodeSteps', { value: maxEpisodeSteps, origin: `environment ${id}` });
}

/**
 * Refuses a module that nobody has imported: a config is resolved at once, an import takes time.
 *
 * @throws VirelError `CONFIG_CONFLICT`.
 */
export function refuseModule(asked: Values): void {
  const module = asked.get('env.module');
  if (module === undefined || typeof module.value !== 'string') return;
  throw new VirelError(
    'CONFIG_CONFLICT',
    `env.module ${show(module.value)}: a program gives the environment itself, the command line its module`,
    {
      where: module.origin,
      expected: 'env: the environment',
      got: show(module.value),
      fix: `env: await loadEnvironment(${show(module.value)})`,
    },
  );
}
