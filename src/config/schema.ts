/**
 * The one schema of a training run: `--help`, checks, JSON Schema and TypeScript types are all read off it.
 * It holds no default: values and their sources are in `defaults.ts` and `presets/`.
 */
import * as z from 'zod';
import { ALGORITHMS } from '../algorithms/index.js';
import type { PolicyObjective } from '../algorithms/recipe.js';
import { envOptionShape } from './env-options.js';
import { count, countOrZero, factor, MOST_STEPS, positive, rate } from './numbers.js';
import { explorationSchema, mStepSchema, scheduleSchema, temperatureSchema } from './variants.js';

/** Every algorithm, by its public name. */
export const ALGORITHM_NAMES: readonly string[] = ALGORITHMS.map(({ name }) => name);

const OBJECTIVES: readonly PolicyObjective[] = [
  ...new Set(ALGORITHMS.flatMap(({ objectives }) => objectives)),
];

/** What the products of the kernel engine can be computed with; ours first. */
export const GEMMS = ['own', 'gemm', 'matrixmultiply'] as const;
/** Names of the presets. */
export const PRESET_NAMES = ['paper', 'paper-v1', 'modern'] as const;

/** A time such as `10s`, `5m` or `1.5h`. */
const DURATION = /^\d+(\.\d+)?(ms|s|m|h)$/;
const MILLISECONDS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Milliseconds of a duration that the schema has accepted. */
export function durationMilliseconds(text: string): number {
  const unit = text.replace(/^[\d.]+/, '') as keyof typeof MILLISECONDS;
  return Number.parseFloat(text) * MILLISECONDS[unit];
}

const widths = (description: string) =>
  z.array(z.int().min(1).max(65_536)).min(1).max(16).meta({ description });

/** Every key of a config, in the order of `config.yaml`. */
export const configSchema = z
  .strictObject({
    schema: z.literal(1).meta({ description: 'version of this layout' }),
    preset: z
      .enum(PRESET_NAMES)
      .meta({ description: `${PRESET_NAMES.join(', ')}; the values that the others build on` }),
    algorithm: z
      .enum(ALGORITHM_NAMES)
      .meta({ description: `${ALGORITHM_NAMES.join(', ')}; the learning algorithm` }),
    env: z.strictObject({
      id: z.string().meta({ description: 'task; such as HalfCheetah-v5; `envs` lists them' }),
      maxEpisodeSteps: count(
        "environment steps after which an episode is truncated; null: the task's own limit",
        1e9,
      ).nullable(),
      modelDir: z
        .string()
        .min(1)
        .nullable()
        .meta({ description: 'folder of the MuJoCo model files; null: the one of the set-up' }),
      module: z.string().min(1).nullable().meta({
        description:
          'module of your own environment; a JavaScript file whose default export it is; null: env.id is a task',
      }),
      modelFile: z
        .string()
        .min(1)
        .nullable()
        .meta({ description: "MJCF file of your own; null: the task's" }),
      taskFile: z
        .string()
        .min(1)
        .nullable()
        .meta({ description: 'task of your own in JSON, for modelFile; null: the one of env.id' }),
      ...envOptionShape,
    }),
    seed: countOrZero('seed of every random stream', Number.MAX_SAFE_INTEGER),
    steps: count('environment steps; of the whole run', MOST_STEPS),
    discount: z.number().min(0).max(1).meta({ description: 'discount of future rewards, gamma' }),
    rewardScale: positive('multiplier of rewards before they are stored; returns are unscaled'),
    collect: z.strictObject({
      startUpdates: count('transitions to store before the first gradient step', 1e8),
      uniformSteps: countOrZero('first environment steps that act uniformly at random', MOST_STEPS),
      resetEvery: countOrZero(
        'environment steps between resets of the training environment; 0: only at the end of episodes',
        MOST_STEPS,
      ),
      environments: count('environments that collect, a step each in turn', 1024),
    }),
    replay: z.strictObject({
      capacity: count('transitions that the replay buffer holds', 1e8),
      batchSize: count('transitions of a gradient step', 1e6),
    }),
    schedule: scheduleSchema,
    mStep: mStepSchema,
    eStep: z.strictObject({
      samples: count('actions sampled per state, K of MPO', 1000),
    }),
    network: z.strictObject({
      hidden: widths('widths of the hidden layers of action value and state value'),
      policyHidden: widths(
        'widths of the hidden layers of the policy; null: as network.hidden',
      ).nullable(),
      activation: z.literal('relu').meta({ description: 'activation of the hidden layers' }),
      initialise: z
        .enum(['rlkit', 'glorot', 'fanIn'])
        .meta({ description: 'distribution of the initial parameters' }),
      actionValues: z.literal([1, 2]).meta({ description: 'number of action-value networks' }),
    }),
    optim: z.strictObject({
      policyLearningRate: rate('Adam rate of the policy'),
      actionValueLearningRate: rate('Adam rate of the action value'),
      stateValueLearningRate: rate('Adam rate of the state value'),
      targetUpdateRate: rate('share of the online network in each update of the target, tau'),
    }),
    policyGradient: z
      .enum(OBJECTIVES)
      .meta({ description: 'loss of the policy and the estimator of its gradient' }),
    temperature: temperatureSchema,
    residual: z.strictObject({
      batch: count('fresh transitions behind each measurement of the residual error', 1e6),
      stateValue: z.enum(['online', 'target']).meta({
        description:
          "networks that the residual error's own target reads; no effect with mStep.kind projected, which reads the online Q",
      }),
      half: z.boolean().meta({ description: 'whether the residual error has a factor 1/2' }),
      warmupValue: positive('residual error in use until the buffer holds more than its batch'),
    }),
    exploration: explorationSchema,
    policyRegulariser: z.strictObject({
      mean: factor('factor of the mean square of the policy mean before tanh'),
      logStd: factor('factor of the mean square of the log deviation'),
    }),
    evaluation: z.strictObject({
      every: count('environment steps between evaluations', MOST_STEPS),
      minSteps: count(
        'episodes are run until more than this many steps are collected; not used with episodes',
        1e9,
      ),
      episodes: count('episodes of an evaluation; null: as minSteps says', 1e6).nullable(),
    }),
    checkpoint: z.strictObject({
      every: z
        .union([z.int().min(1).max(MOST_STEPS), z.string().regex(DURATION)])
        .nullable()
        .meta({
          description: 'environment steps or time (5m) between checkpoints; null: only at the end',
        }),
      keep: count('newest checkpoints to keep', 1e6),
      replay: z.boolean().meta({
        description:
          'keep the replay buffer with the checkpoints, for an exact resume: 4 bytes a value of a transition',
      }),
    }),
    stability: z.strictObject({
      maxUnstablePer10k: countOrZero(
        'unstable simulator states allowed per 10,000 environment steps',
        10_000,
      ),
    }),
    runtime: z.strictObject({
      engine: z
        .enum(['kernel', 'tensor'])
        .nullable()
        .meta({ description: 'learner; null: kernel on the cpu, tensor on a cuda device' }),
      device: z
        .string()
        .regex(/^(cpu|cuda(:\d{1,3})?)$/)
        .meta({ description: 'cpu, cuda or cuda:<index>' }),
      threads: count(
        'threads of the learner; null: the cores of the machine, at most 2',
        1024,
      ).nullable(),
      gemm: z.enum(GEMMS).nullable().meta({
        description:
          'matrix product of the kernel engine; null: the fastest of this machine, as bench measures it',
      }),
    }),
    logging: z.strictObject({
      every: count('environment steps between records of the metrics', MOST_STEPS),
      interval: z
        .string()
        .regex(DURATION)
        .meta({ description: 'time between progress lines; where there is no terminal' }),
      tensorboard: z
        .boolean()
        .meta({ description: 'whether the metrics are also written for TensorBoard' }),
      episodes: z
        .boolean()
        .meta({ description: 'whether episodes.csv has a line for each training episode' }),
    }),
  })
  .meta({ title: 'virel-native config', description: 'Every key may be left out.' });

/** A config with every field present; `null` where the machine or the task decides. */
export type Config = z.infer<typeof configSchema>;

type Frozen<T> = T extends readonly (infer U)[]
  ? readonly U[]
  : T extends object
    ? { readonly [K in keyof T]: Frozen<T[K]> }
    : T;

/** What a run is made of: frozen, every field present and decided. */
export interface ResolvedConfig
  extends Frozen<
    Config & {
      env: { maxEpisodeSteps: number };
      network: { policyHidden: number[] };
      runtime: { engine: 'kernel' | 'tensor'; threads: number };
    }
  > {}

type Partially<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { readonly [K in keyof T]?: Partially<T[K]> | undefined }
    : T;

/** Some keys of a config; `env` may be just the id. */
export type PartialConfig = Omit<Partially<Frozen<Config>>, 'env'> & {
  readonly env?: string | Partially<Frozen<Config['env']>> | undefined;
};

/** A section that comes in kinds; `kind` says which other keys it has. */
type Kinds = z.ZodDiscriminatedUnion<z.ZodObject[], 'kind'>;

/** The parts of a section: keys of all its kinds, or its own. */
function shapesOf(section: unknown): z.ZodObject['shape'][] | undefined {
  if (section instanceof z.ZodObject) return [section.shape];
  if (section instanceof z.ZodDiscriminatedUnion) {
    return (section as Kinds).options.map((option) => option.shape);
  }
  return undefined;
}

/** Dotted paths of the schema: sections and leaves, in order. */
function pathsOf(section: unknown, prefix: string): { sections: string[]; leaves: string[] } {
  const found = { sections: [] as string[], leaves: [] as string[] };
  for (const [key, part] of (shapesOf(section) ?? []).flatMap(Object.entries)) {
    const path = prefix + key;
    if (shapesOf(part) !== undefined) {
      const inner = pathsOf(part, `${path}.`);
      found.sections.push(path, ...inner.sections);
      found.leaves.push(...inner.leaves);
    } else {
      found.leaves.push(path);
    }
  }
  return found;
}

const paths = pathsOf(configSchema, '');
/** Paths that hold other keys, such as `optim`. */
export const SECTION_PATHS: ReadonlySet<string> = new Set(paths.sections);
/** Paths that hold a value, such as `optim.targetUpdateRate`; those of every kind of a section that has kinds. */
export const LEAF_PATHS: ReadonlySet<string> = new Set(paths.leaves);

/** Sections that come in kinds, by path: the leaf paths of each kind. */
export const KINDS: ReadonlyMap<string, ReadonlyMap<string, ReadonlySet<string>>> = new Map(
  [...SECTION_PATHS].flatMap((path) => {
    const section = partAt(path);
    if (!(section instanceof z.ZodDiscriminatedUnion)) return [];
    const kinds = (section as Kinds).options.map(({ shape }) => {
      const [name] = (shape['kind'] as z.ZodLiteral<string>).values;
      return [name as string, new Set(Object.keys(shape).map((key) => `${path}.${key}`))] as const;
    });
    return [[path, new Map(kinds)] as const];
  }),
);

/** The part of the schema at a path; of a key that several kinds share, the first. */
function partAt(path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>(
      (part, key) => shapesOf(part)?.find((shape) => key in shape)?.[key],
      configSchema,
    );
}

/** The part of the schema at a leaf path; for a `kind`, what all kinds together accept. */
export function leafSchema(path: string): z.ZodType {
  const kinds = path.endsWith('.kind') ? KINDS.get(path.slice(0, -'.kind'.length)) : undefined;
  return kinds === undefined ? (partAt(path) as z.ZodType) : z.enum([...kinds.keys()]);
}

/** What the schema says of the key at a leaf path. */
export function describeKey(path: string): string {
  const kinds = path.endsWith('.kind') ? KINDS.get(path.slice(0, -'.kind'.length)) : undefined;
  if (kinds !== undefined) return `one of ${[...kinds.keys()].join(', ')}`;
  const part = leafSchema(path);
  // a key that may be null is described inside
  const inner = part instanceof z.ZodNullable ? (part.unwrap() as z.ZodType) : part;
  return part.meta()?.description ?? inner.meta()?.description ?? '';
}

/** JSON Schema (draft 2020-12) of a config file, for editors; every key may be left out there. */
export function configJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(configSchema, { target: 'draft-2020-12', io: 'input' });
  const optional = (part: unknown): void => {
    if (typeof part !== 'object' || part === null) return;
    if ('required' in part) delete part.required;
    // where no key is required, an empty section is of every kind
    if ('oneOf' in part) {
      Object.assign(part, { anyOf: part.oneOf });
      delete part.oneOf;
    }
    for (const inner of Object.values(part)) optional(inner);
  };
  optional(schema);
  return schema;
}
