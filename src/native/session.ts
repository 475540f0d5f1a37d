/** The native learner for scripts that write their own loop. */
import type {
  Session as Native,
  NativeMetric,
  NativeParameter,
  NativeProgress,
} from '../../index.d.ts';
import { type ConfigOptions, resolveOptions } from '../config/resolve.js';
import type { ResolvedConfig } from '../config/schema.js';
import type {
  Batch,
  Learner,
  Parameters,
  StepGradients,
  StepLosses,
  StepOptions,
} from '../engine.js';
import type { TaskSizes } from '../environments/choices.js';
import { type CustomEnvironment, externalOf } from '../environments/define.js';
import { VirelError } from '../errors.js';
import type { Plan } from '../schedule/em-schedule.js';
import { type EvaluationResult, summariseEvaluation } from '../statistics/evaluation.js';
import { loadAddon } from './addon.js';
import {
  count,
  crossing,
  crossingAsync,
  fields,
  float32,
  float64,
  list,
  number,
  outOfRange,
  stoppable,
  whole,
  wholeOrNothing,
} from './boundary.js';
import { describeEnvironment } from './choices.js';
import type { Protocol } from './custom-episode.js';
import { CustomWorld } from './custom-world.js';
import { toNative } from './native-config.js';

/** What {@link Session.saveState} writes. */
const STATE_FILES = ['optimizer', 'rng', 'simulator', 'schedule'].map(
  (name) => `${name}.safetensors`,
);

/** Files of a session that was saved. */
export interface SavedState {
  /** The safetensors file of its parameters. */
  parameters: string;
  /** The folder of its state. */
  folder: string;
  /** The files of its replay buffer, in the order of their transitions. */
  rows: readonly string[];
}

/** What an `advance` did, and where the session stands. */
export interface Progress {
  /** Iterations completed; fewer than planned after an abort. */
  iterations: number;
  /** Environment steps since the session began. */
  steps: number;
  /** Gradient steps since the session began; an M-step and an E-step on one batch count once. */
  updates: number;
  /** Unstable simulator states since the session began. */
  unstableResets: number;
  /** Training episodes that ended since the last that were told; returns unscaled. */
  episodes: {
    /** Environment steps done when it ended. */
    step: number;
    /** Unscaled. */
    return: number;
    /** Its environment steps. */
    length: number;
  }[];
}

/** How to evaluate: `episodes`, or whole episodes until more than `minSteps` steps. */
export interface EvaluateOptions {
  /** How many. */
  episodes?: number;
  /** Whole episodes until more than this many steps. */
  minSteps?: number;
  /** Start states; without it they follow from the session's seed and the steps so far. */
  seed?: number;
  /** Stops it; the promise then rejects with `ABORTED`. */
  signal?: AbortSignal;
}

/**
 * Networks, replay, environments and random streams in native memory, on a thread of its own. One call at a time: a second
 * one while one runs is refused with `HANDLE_BUSY`, and the first goes on; after `dispose`, `HANDLE_CLOSED`.
 */
export class Session implements Learner<Float32Array> {
  /** What it was made of. */
  readonly config: ResolvedConfig;
  readonly #native: Native;
  /** The environment where it is written in TypeScript. */
  readonly #world: CustomWorld | undefined;

  private constructor(config: ResolvedConfig, native: Native, world: CustomWorld | undefined) {
    this.config = config;
    this.#native = native;
    this.#world = world;
  }

  /**
   * Loads the task, initialises the networks, resets the training environment.
   *
   * @param options train's options or a resolved config; `env` may be an environment of `defineEnvironment`.
   * @throws VirelError `CONFIG_*`, `ENV_UNKNOWN`, `ALGORITHM_UNKNOWN`, `RECIPE_UNSUPPORTED`, `MODEL_*`,
   * `DEVICE_MISSING`, `OUT_OF_MEMORY`, `NATIVE_MISSING`; `ENV_INVALID`, `ENV_FAILED` of a first `reset`.
   */
  static create(options: ConfigOptions | ResolvedConfig = {}): Session {
    const { resolution, environment } = resolveOptions(options);
    return Session.open(resolution.config, environment);
  }

  /**
   * As {@link create}, for a config that is already resolved.
   *
   * @param environment The one that `config.env.id` names, where that is none of our tasks.
   */
  static open(config: ResolvedConfig, environment?: CustomEnvironment): Session {
    const addon = loadAddon();
    const given = toNative(config, environment && externalOf(environment));
    const native = crossing(() => addon.Session.create(given));
    try {
      const world = environment && crossing(() => new CustomWorld(native, environment, config));
      return new Session(config, native, world);
    } catch (error) {
      native.dispose();
      throw error;
    }
  }

  /**
   * Runs a plan on the session's thread. An abort returns within a step, with what was done until then; the iteration that
   * it interrupted is ended by the next plan of the same phases, as the first of its own.
   *
   * @throws VirelError `ARGUMENT_TYPE`, `ABORTED` if aborted before the call, `HANDLE_BUSY`, `DIVERGED`, `SIM_UNSTABLE`;
   * `ENV_FAILED`, `ENV_INVALID`, `ENV_SHARED` of an environment in TypeScript.
   */
  async advance(plan: Plan, options: { signal?: AbortSignal } = {}): Promise<Progress> {
    const { repeat, phases, residualFloor } = fields('plan', plan);
    const native = {
      repeat: number('plan.repeat', repeat),
      phases: list('plan.phases', phases).map((phase, index) => ({
        ...fields(`plan.phases[${index}]`, phase),
      })),
      ...(residualFloor !== undefined && {
        residualFloor: number('plan.residualFloor', residualFloor),
      }),
    };
    const { signal } = fields('options', options);
    const progress = await stoppable(
      signal,
      () => this.#native.stop(),
      () => this.#world?.advance(native, signal) ?? this.#native.advance(native),
    );
    return progressOf(progress);
  }

  /**
   * Where the session stands, after an `advance` that failed too; the episodes are those that no call has told of yet.
   *
   * @throws VirelError `HANDLE_BUSY`, `HANDLE_CLOSED`.
   */
  progress(): Progress {
    return progressOf(crossing(() => this.#world?.progress() ?? this.#native.progress()));
  }

  /**
   * The deterministic policy on an environment of its own; 10 episodes unless said.
   *
   * @throws VirelError `ARGUMENT_TYPE`, `ABORTED` when stopped, `HANDLE_BUSY`, `DIVERGED`.
   */
  async evaluate(options: EvaluateOptions = {}): Promise<EvaluationResult> {
    const { signal, ...asked } = fields('options', options);
    const minSteps = wholeOrNothing('minSteps', asked.minSteps);
    const given = wholeOrNothing('episodes', asked.episodes);
    const episodes = given ?? (minSteps === undefined ? 10 : undefined);
    const seed = wholeOrNothing('seed', asked.seed);
    const { returns, lengths, stopped } = await stoppable(
      signal,
      () => this.#native.stop(),
      () =>
        this.#world?.evaluate(protocolOf(episodes, minSteps), seed, signal) ??
        this.#native.evaluate(episodes, minSteps, seed),
    );
    if (stopped) throw new VirelError('ABORTED', 'the evaluation was stopped');
    return summariseEvaluation(returns, lengths);
  }

  /** Numbers of the latest gradient step, the residual error on fresh rows, counts: names of `metrics`. */
  metrics(): Record<string, number> {
    return this.#withBias(named(crossing(() => this.#idle.metrics())));
  }

  /** The same, without keeping the event loop: the residual error takes some 10 ms. */
  async measure(): Promise<Record<string, number>> {
    return this.#withBias(named(await this.#alone('measure', () => this.#native.measure())));
  }

  /** The native session for a call that answers at once. @throws VirelError `HANDLE_BUSY` where the world runs one. */
  get #idle(): Native {
    this.#world?.expectIdle();
    return this.#native;
  }

  /** A native call that takes its time; the world begins no other meanwhile. */
  #alone<Result>(name: string, call: () => Promise<Result>): Promise<Result> {
    return crossingAsync(() => this.#world?.alone(name, call) ?? call());
  }

  /** The native side sees nothing of evaluations that are made here. */
  #withBias(metrics: Record<string, number>): Record<string, number> {
    const bias = this.#world?.bias;
    return bias === undefined ? metrics : { ...metrics, 'q/bias': bias };
  }

  parameters(): Parameters<Float32Array> {
    return byName(crossing(() => this.#idle.parameters()));
  }

  setParameters(parameters: Parameters<Float32Array | Float64Array>): void {
    const all = Object.entries(fields('parameters', parameters)).map(([name, parameter]) => {
      const { shape, data } = fields(`parameters['${name}']`, parameter);
      const sizes = list(`parameters['${name}'].shape`, shape);
      return {
        name,
        shape: sizes.map((size, axis) => whole(`parameters['${name}'].shape[${axis}]`, size)),
        data: Float32Array.from(float64(`parameters['${name}'].data`, data)),
      };
    });
    crossing(() => this.#idle.setParameters(all));
  }

  gradients(
    batch: Batch<Float32Array>,
    noise: Float32Array,
    options: StepOptions = {},
  ): StepGradients<Float32Array> {
    const checked = checkBatch(batch);
    const { losses, gradients, temperature, residualError } = crossing(() =>
      this.#idle.gradients(
        checked,
        float32('noise', noise),
        fields('options', options).temperature,
      ),
    );
    return {
      losses: lossesOf(losses),
      gradients: Object.fromEntries(gradients.map(({ name, data }) => [name, data])),
      temperature,
      ...(residualError !== undefined && { residualError }),
    };
  }

  update(batch: Batch<Float32Array>, noise: Float32Array, options: StepOptions = {}): StepLosses {
    const checked = checkBatch(batch);
    const { temperature } = fields('options', options);
    return lossesOf(
      crossing(() => this.#idle.update(checked, float32('noise', noise), temperature)),
    );
  }

  /**
   * Q_0(s, a), shape [n], for observations [n, O] and actions [n, A] in [-1, 1].
   *
   * @throws VirelError `ARGUMENT_TYPE`, `LENGTH_MISMATCH`, `NOT_FINITE`.
   */
  actionValue(observations: Float32Array, actions: Float32Array): Float32Array {
    const [states, chosen] = [float32('observations', observations), float32('actions', actions)];
    return crossing(() => this.#idle.actionValue(states, chosen));
  }

  /**
   * Writes all parameters to a safetensors file, whole or not at all.
   *
   * @throws VirelError `IO`, `NOT_FINITE`; an older file stays then.
   */
  async saveParameters(path: string, metadata: Record<string, string> = {}): Promise<void> {
    await this.#alone('saveParameters', () => this.#native.saveParameters(path, metadata));
  }

  /**
   * Writes what the session's future depends on, beside its parameters and the rows of its replay buffer, to files of
   * `folder`; the state of an environment in TypeScript is not among it.
   *
   * @returns The names of the files.
   * @throws VirelError `IO`, `NOT_FINITE`.
   */
  async saveState(folder: string): Promise<readonly string[]> {
    await this.#alone('saveState', () => this.#native.saveState(folder));
    return STATE_FILES;
  }

  /**
   * Writes the transitions from number `first` on, counted from the first ever stored, as far as the replay buffer still
   * holds them and one file takes them; no file where there are none.
   *
   * @returns The number of the first that was written, and how many.
   * @throws VirelError `IO`.
   */
  async saveReplay(path: string, first: number): Promise<{ first: number; count: number }> {
    return await this.#alone('saveReplay', () =>
      this.#native.saveReplay(path, whole('first', first)),
    );
  }

  /**
   * Takes up what {@link saveParameters}, {@link saveState} and {@link saveReplay} of a session of the same config wrote; it
   * goes on to the same bits. After an error the session cannot be used.
   *
   * @throws VirelError `IO`, `CHECKPOINT_CORRUPT`, `PARAMETER_SHAPE`, `OUT_OF_MEMORY`.
   */
  async loadState({ parameters, folder, rows }: SavedState): Promise<void> {
    await this.#alone('loadState', () => this.#native.loadState(parameters, folder, [...rows]));
  }

  /** Sizes and bounds of the environment, its files and options included. */
  get task(): TaskSizes {
    const { env } = this.config;
    return this.#world?.environment ?? describeEnvironment(env.id, env);
  }

  /** Frees the native memory; later calls throw `HANDLE_CLOSED`. Idempotent. */
  dispose(): void {
    this.#native.dispose();
    this.#world?.dispose();
  }

  /** As {@link dispose}, at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

function progressOf(native: NativeProgress): Progress {
  const episodes = native.episodes.map(({ step, episodeReturn, length }) => ({
    step,
    return: episodeReturn,
    length,
  }));
  return { ...native, episodes };
}

function named(metrics: NativeMetric[]): Record<string, number> {
  return Object.fromEntries(metrics.map(({ name, value }) => [name, value]));
}

/** The losses that the recipe has, by name. */
function lossesOf(losses: NativeMetric[]): StepLosses {
  return named(losses) as unknown as StepLosses;
}

function byName(parameters: NativeParameter[]): Parameters<Float32Array> {
  return Object.fromEntries(parameters.map(({ name, shape, data }) => [name, { shape, data }]));
}

function checkBatch(batch: Batch<Float32Array>): Batch<Float32Array> {
  return {
    observations: float32('observations', batch?.observations),
    actions: float32('actions', batch?.actions),
    rewards: float32('rewards', batch?.rewards),
    nextObservations: float32('nextObservations', batch?.nextObservations),
    terminated: float32('terminated', batch?.terminated),
  };
}

/** Exactly one of the two limits, as the native side has it. */
function protocolOf(episodes: number | undefined, minSteps: number | undefined): Protocol {
  if (minSteps === undefined) return { episodes: count('episodes', episodes) };
  if (episodes === undefined) return { minSteps };
  throw outOfRange('episodes', 'either episodes or minSteps', 'both');
}
