/**
 * The one function that applies defaults and cross-checks: layers of partial values in, a frozen config out.
 * Later layers win: defaults < preset < its task's block < its algorithm's block < that block's own task and
 * variations < files < options in order. The algorithm stands over the task, so that it may say of every task what the
 * task's block says of the paper's learners (`sac-twin` scales no rewards).
 */
import { availableParallelism } from 'node:os';
import type * as z from 'zod';
import { ownOptions } from '../environments/choices.js';
import type { CustomEnvironment, EnvironmentDefinition } from '../environments/define.js';
import { readTaskFile } from '../environments/task-file.js';
import { TASKS, type Task } from '../environments/tasks.js';
import { VirelError } from '../errors.js';
import { checkAlgorithm, checkPreset, findTask } from './choices.js';
import { crossCheck } from './cross-check.js';
import { placeEnvironment, refuseModule, settleEnvironment, splitEnvironment } from './custom.js';
import { defaults, defaultVariations } from './defaults.js';
import { absolute, idOfFile, settleOptions } from './env-options.js';
import { keepChosenKinds } from './kinds.js';
import { isObject } from './leaves.js';
import { nearestPath } from './nearest.js';
import { SHORT_NAMES, type ShortOptions } from './options.js';
import { nest } from './parse.js';
import { modern } from './presets/modern.js';
import { paper } from './presets/paper.js';
import { paperV1 } from './presets/paper-v1.js';
import type { Preset, Variation } from './presets/preset.js';
import {
  type Config,
  configSchema,
  KINDS,
  LEAF_PATHS,
  type PartialConfig,
  type PRESET_NAMES,
  type ResolvedConfig,
  SECTION_PATHS,
} from './schema.js';
import { show } from './show.js';
import { type SourcedTree, unwrap } from './sourced.js';

/** Every preset by name. */
export const PRESETS: { readonly [name in (typeof PRESET_NAMES)[number]]: Preset } = {
  paper,
  'paper-v1': paperV1,
  modern,
};

/** Partial values and where they come from: a file's name, an option, a preset. */
export interface Layer {
  /** Named in errors and in `config.origin.json`. */
  readonly origin: string;
  /** Keys of a config, some of them. */
  readonly values: unknown;
}

/** What the machine decides where the config says null. */
export interface Machine {
  /** Processors this process may use. */
  readonly cores: number;
}

/** A config and, for each leaf path, the layer that decided it. */
export interface Resolution {
  readonly config: ResolvedConfig;
  readonly origin: { readonly [path: string]: string };
}

/** Options of `train` and `Session.create`: config keys, their short names, where the run is written. */
export interface ConfigOptions extends Omit<PartialConfig, 'env'>, ShortOptions {
  /** A task's id, keys of `env`, or an environment of `defineEnvironment`. */
  readonly env?: PartialConfig['env'] | EnvironmentDefinition;
  /** This run's own folder; no part of the config. */
  runDir?: string | undefined;
  /** Root of the default run folders; no part of the config. */
  runsDir?: string | undefined;
}

/** Values by leaf path, each with the layer that gave it. */
export type Values = Map<string, { value: unknown; origin: string }>;

/** More threads than this do not pay for networks of this size. */
const MOST_DEFAULT_THREADS = 2;

/** Writes a layer's leaves over `into`; refuses keys that the schema does not have. */
function apply(values: unknown, origin: string, into: Values, prefix = ''): void {
  if (!isObject(values)) {
    throw new VirelError(
      'CONFIG_TYPE',
      `${prefix.slice(0, -1) || 'config'}: expected keys, got ${show(values)}`,
      {
        where: origin,
        expected: 'an object with keys',
        got: show(values),
        fix: 'npx virel-native config show',
      },
    );
  }
  for (const [key, value] of Object.entries(values)) {
    const path = prefix + key;
    if (value === undefined) continue;
    // `env: Hopper-v5` is short for `env: {id: Hopper-v5}`
    if (path === 'env' && typeof value === 'string') into.set('env.id', { value, origin });
    else if (SECTION_PATHS.has(path)) apply(value, origin, into, `${path}.`);
    // an option that this task does not have is answered with those it has
    else if (LEAF_PATHS.has(path) || prefix === 'env.') into.set(path, { value, origin });
    else throw unknownKey(path, origin);
  }
}

/**
 * What layers ask for, leaf by leaf, each with the layer that won; nothing is added to it.
 *
 * @throws VirelError `CONFIG_UNKNOWN_KEY`, `CONFIG_TYPE`.
 */
export function askedValues(layers: readonly Layer[]): Values {
  const asked: Values = new Map();
  for (const layer of layers) apply(layer.values, layer.origin, asked);
  return asked;
}

function unknownKey(path: string, origin: string): VirelError {
  const near = nearestPath(path, [...LEAF_PATHS, ...SECTION_PATHS]);
  const shown = path.length > 80 ? `${path.slice(0, 77)}...` : path;
  return new VirelError('CONFIG_UNKNOWN_KEY', `no option ${shown}`, {
    where: origin,
    fix: near === undefined ? 'npx virel-native config schema' : `did you mean ${near}?`,
  });
}

/** Writes a block of defaults or of a preset. */
function applySourced(tree: SourcedTree<Config> | undefined, layer: string, into: Values): void {
  if (tree === undefined) return;
  const { values, sources } = unwrap(tree);
  apply(values, layer, into);
  for (const [path, source] of sources) {
    const entry = into.get(path);
    if (entry !== undefined) entry.origin = `${layer}: ${source}`;
  }
}

/** Writes the blocks of a preset that apply, weakest first. */
function applyPreset(name: keyof typeof PRESETS, algorithm: string, family: string, into: Values) {
  const { values, tasks, algorithms } = PRESETS[name];
  const block = algorithms[algorithm];
  applySourced(values, `preset ${name}`, into);
  applySourced(tasks[family], `preset ${name}, ${family}`, into);
  applySourced(block?.values, `preset ${name}, ${algorithm}`, into);
  applySourced(block?.tasks?.[family], `preset ${name}, ${algorithm} on ${family}`, into);
}

/** Writes the variations for the kinds that were chosen. */
function applyVariations(
  variations: readonly Variation[],
  layer: string,
  kindOf: (section: string) => unknown,
  into: Values,
): void {
  for (const { section, kinds, values } of variations) {
    const kind = kindOf(section);
    if (kinds.some((each) => each === kind))
      applySourced(values, `${layer} with ${section}.kind ${kind}`, into);
  }
}

/** The schema's complaint about a leaf as one of our errors; the preset's value is the one to go back to. */
function complaint(issue: z.core.$ZodIssue, layers: Values, beneath: Values): VirelError {
  const path = issue.path.filter((key) => typeof key === 'string').join('.');
  const entry = layers.get(path);
  const value = entry?.value;
  const got = show(value);
  const details = {
    where: entry?.origin ?? 'presets',
    got,
    fix: `--set ${path}=${show(beneath.get(path)?.value)}`,
  };
  const notFinite = typeof value === 'number' && !Number.isFinite(value);
  const outside = issue.code === 'too_small' || issue.code === 'too_big';
  const unsafe =
    issue.code === 'invalid_type' && issue.expected === 'int' && Number.isInteger(value);
  const expected = expectation(issue, notFinite);
  const range =
    notFinite ||
    outside ||
    unsafe ||
    (issue.code === 'invalid_value' && issue.values.some((each) => typeof each === typeof value)) ||
    (issue.code === 'invalid_format' && typeof value === 'string') ||
    (issue.code === 'invalid_union' &&
      (typeof value === 'string' || (typeof value === 'number' && !issue.discriminator)));
  const code = range ? 'CONFIG_RANGE' : 'CONFIG_TYPE';
  return new VirelError(code, `${path}: expected ${expected}, got ${got}`, {
    ...details,
    expected,
  });
}

/** What a leaf accepts, in words. */
function expectation(issue: z.core.$ZodIssue, notFinite: boolean): string {
  if (notFinite) return 'a finite number';
  switch (issue.code) {
    case 'too_small':
      return size(issue.origin, `${issue.inclusive ? 'at least' : 'more than'} ${issue.minimum}`);
    case 'too_big':
      return size(issue.origin, `${issue.inclusive ? 'at most' : 'less than'} ${issue.maximum}`);
    case 'invalid_value':
      return issue.values.length === 1
        ? show(issue.values[0])
        : `one of ${issue.values.join(', ')}`;
    case 'invalid_format':
      return issue.path.at(-1) === 'device'
        ? 'cpu, cuda or cuda:<index>'
        : 'a time such as 10s or 5m';
    case 'invalid_union':
      return issue.discriminator !== undefined
        ? `one of ${[...(KINDS.get(issue.path.slice(0, -1).join('.')) ?? new Map()).keys()].join(', ')}`
        : 'a number of steps, at least 1, or a time such as 5m';
    case 'invalid_type':
      return (
        { int: 'a whole number', array: 'a list' }[issue.expected as string] ??
        `a ${issue.expected}`
      );
    default:
      return issue.message;
  }
}

const size = (origin: string, bound: string) => (origin === 'array' ? `a list of ${bound}` : bound);

/** What a config needs of its task; the action of the user's own is known once its model is loaded. */
export type SettledTask = Pick<Task, 'id' | 'maxEpisodeSteps'> & { readonly actionSize?: number };

/** The built-in task, or the user's own, which is called as asked or as its file; its options are checked. */
function settleTask(
  id: { value: unknown; origin: string },
  file: { value: unknown; origin: string },
  asked: Values,
): SettledTask {
  refuseModule(asked);
  if (typeof file.value !== 'string' || file.value === '') {
    const task = findTask(id, TASKS);
    settleOptions(task.id, ownOptions(task.id), asked);
    return task;
  }
  if (!asked.has('env.id')) asked.set('env.id', { ...file, value: idOfFile(file.value) });
  const task = {
    id: String(asked.get('env.id')?.value),
    maxEpisodeSteps: readTaskFile(file.value).maxEpisodeSteps,
  };
  settleOptions(task.id, {}, asked);
  return task;
}

/** Fills in what the task and the machine decide. */
function decide(
  config: Config,
  layers: Values,
  task: SettledTask,
  machine: Machine,
): ResolvedConfig {
  const limit = config.env.maxEpisodeSteps ?? task.maxEpisodeSteps;
  // a preset's limit is that of the paper's long tasks; a shorter task keeps its own
  const fromPreset = layers.get('env.maxEpisodeSteps')?.origin.startsWith('preset') ?? false;
  const cuda = config.runtime.device !== 'cpu';
  const { network, temperature } = config;
  const targetEntropy = task.actionSize === undefined ? null : -task.actionSize;
  return {
    ...config,
    network: { ...network, policyHidden: network.policyHidden ?? [...network.hidden] },
    temperature:
      temperature.kind === 'tuned'
        ? { ...temperature, targetEntropy: temperature.targetEntropy ?? targetEntropy }
        : temperature,
    env: {
      ...config.env,
      modelFile: absolute(config.env.modelFile),
      taskFile: absolute(config.env.taskFile),
      module: absolute(config.env.module),
      maxEpisodeSteps: fromPreset ? Math.min(limit, task.maxEpisodeSteps) : limit,
    },
    runtime: {
      ...config.runtime,
      engine: config.runtime.engine ?? (cuda ? 'tensor' : 'kernel'),
      threads: config.runtime.threads ?? Math.max(1, Math.min(machine.cores, MOST_DEFAULT_THREADS)),
    },
  };
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null)
    for (const inner of Object.values(value)) freeze(inner);
  return Object.freeze(value);
}

/** Nested values of the leaves, in the schema's order. */
function assemble(layers: Values): unknown {
  const root: Record<string, unknown> = {};
  for (const path of LEAF_PATHS) {
    const entry = layers.get(path);
    if (entry === undefined) continue;
    const keys = path.split('.');
    const last = keys.pop() as string;
    let section = root;
    for (const key of keys) {
      section[key] ??= {};
      section = section[key] as Record<string, unknown>;
    }
    section[last] = entry.value;
  }
  return root;
}

/**
 * Layers to a frozen config, with the origin of every value.
 *
 * @param user What was asked for, weakest first.
 * @param custom An environment of the caller's, in the place of a task.
 * @throws VirelError `CONFIG_UNKNOWN_KEY`, `CONFIG_TYPE`, `CONFIG_RANGE`, `CONFIG_CONFLICT`, `ENV_UNKNOWN`,
 *   `ALGORITHM_UNKNOWN`; `where` names the layer.
 */
export function resolveLayers(
  user: readonly Layer[],
  machine: Machine = { cores: availableParallelism() },
  custom?: CustomEnvironment,
): Resolution {
  // what was asked for decides which blocks of which preset lie under it
  const asked = askedValues(user);
  const layers: Values = new Map();
  applySourced(defaults, 'default', layers);
  const chosen = (path: string) =>
    (asked.get(path) ?? layers.get(path)) as { value: unknown; origin: string };
  const presetName = checkPreset(chosen('preset'));
  const algorithm = checkAlgorithm(chosen('algorithm'));
  const task =
    custom === undefined
      ? settleTask(chosen('env.id'), chosen('env.taskFile'), asked)
      : settleEnvironment(custom, asked);

  // what presets say of tasks they say of ours, whatever another one is called
  const family = custom === undefined ? task.id.replace(/-v\d+$/, '') : '';
  applyPreset(presetName, algorithm.name, family, layers);
  if (custom !== undefined) placeEnvironment(custom, layers);
  const kindOf = (section: string) => chosen(`${section}.kind`)?.value;
  const variations = PRESETS[presetName].algorithms[algorithm.name]?.variations ?? [];
  applyVariations(defaultVariations, 'default', kindOf, layers);
  applyVariations(variations, `preset ${presetName}, ${algorithm.name}`, kindOf, layers);
  const beneath: Values = new Map(layers);
  for (const [path, entry] of asked) layers.set(path, entry);
  keepChosenKinds(layers, asked, algorithm);

  const checked = configSchema.safeParse(assemble(layers));
  if (!checked.success)
    throw complaint(checked.error.issues[0] as z.core.$ZodIssue, layers, beneath);
  const config = decide(checked.data, layers, task, machine);
  crossCheck(config, algorithm);
  const origin = Object.fromEntries(
    [...LEAF_PATHS].flatMap((path) => {
      const entry = layers.get(path);
      return entry === undefined ? [] : [[path, entry.origin]];
    }),
  );
  return { config: freeze(config), origin: freeze(origin) };
}

/** The layers of an options object: its config keys, then its short names. */
export function optionLayers(options: ConfigOptions): Layer[] {
  if (!isObject(options)) return [{ origin: 'options', values: options }];
  const { runDir: _runDir, runsDir: _runsDir, ...rest } = options;
  const keys = Object.entries(rest).filter(([key]) => !Object.hasOwn(SHORT_NAMES, key));
  const short = Object.entries(SHORT_NAMES).flatMap(([name, path]) => {
    const value = Object.hasOwn(rest, name) ? rest[name as keyof typeof SHORT_NAMES] : undefined;
    return value === undefined ? [] : [{ origin: `option ${name}`, values: nest(path, value) }];
  });
  return [{ origin: 'options', values: Object.fromEntries(keys) }, ...short];
}

/**
 * The config of `train`'s options with its origins, and the environment where the options give one.
 *
 * @throws VirelError `CONFIG_UNKNOWN_KEY`, `CONFIG_TYPE`, `CONFIG_RANGE`, `CONFIG_CONFLICT`, `ENV_UNKNOWN`,
 *   `ENV_INVALID`, `ALGORITHM_UNKNOWN`; `where` names the layer.
 */
export function resolveOptions(options: ConfigOptions | ResolvedConfig = {}): {
  resolution: Resolution;
  environment: CustomEnvironment | undefined;
} {
  const { environment, rest } = splitEnvironment(options as ConfigOptions);
  return { resolution: resolveLayers(optionLayers(rest), undefined, environment), environment };
}

/**
 * The frozen config of `train`'s options; a resolved config of a task comes back equal.
 *
 * @throws VirelError `CONFIG_UNKNOWN_KEY`, `CONFIG_TYPE`, `CONFIG_RANGE`, `CONFIG_CONFLICT`, `ENV_UNKNOWN`,
 *   `ENV_INVALID`, `ALGORITHM_UNKNOWN`; `where` names the layer.
 */
export function resolveConfig(options: ConfigOptions | ResolvedConfig = {}): ResolvedConfig {
  return resolveOptions(options).resolution.config;
}
