/** Environments written in TypeScript, where a task's id would stand. */
import {
  type CustomEnvironment,
  defineEnvironment,
  type EnvironmentDefinition,
  isEnvironment,
} from '../environments/define.js';
import { VirelError } from '../errors.js';
import type { ConfigOptions, Layer, SettledTask, Values } from './resolve.js';
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

/** The module that the layers ask for, with the layer that decided so; what is no path is left to the schema. */
export function askedModule(
  layers: readonly Layer[],
): { path: string; origin: string } | undefined {
  let asked: { path: string; origin: string } | undefined;
  for (const { origin, values } of layers) {
    const env = (values as { env?: unknown } | null | undefined)?.env;
    const path = (env as { module?: unknown } | null | undefined)?.module;
    if (typeof path === 'string' && path !== '') asked = { path, origin };
    else if (path !== undefined) asked = undefined;
  }
  return asked;
}

/**
 * Puts an environment of the caller's in the place of a task: its name and its limit stand over those of presets.
 *
 * @throws VirelError `CONFIG_CONFLICT` where another task is asked for beside it.
 */
export function placeEnvironment(task: SettledTask, asked: Values, layers: Values): void {
  const { id, maxEpisodeSteps } = task;
  const other = asked.get('env.id');
  const module = asked.get('env.module')?.value ?? null;
  if (other !== undefined && other.value !== id) {
    const named =
      module === null ? `the environment ${id}` : `env.module ${module}, which is ${id}`;
    throw new VirelError('CONFIG_CONFLICT', `env.id ${show(other.value)} and ${named}`, {
      where: other.origin,
      expected: `env.id ${id}, or none`,
      got: show(other.value),
      fix: module === null ? 'leave env.id out' : 'leave --env out, or --env-module',
    });
  }
  const file = ['env.modelFile', 'env.taskFile'].find(
    (path) => (asked.get(path)?.value ?? null) !== null,
  );
  if (file !== undefined) {
    throw new VirelError(
      'CONFIG_CONFLICT',
      `${file} and the environment ${id}, which has no model`,
      {
        where: asked.get(file)?.origin ?? '',
        got: show(asked.get(file)?.value),
        fix: `leave ${file} out`,
      },
    );
  }
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
