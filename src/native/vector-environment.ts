/** Several environments of one task, stepped together. */
import type { VectorEnvironment as Native, NativeSteps } from '../../index.d.ts';
import { VirelError } from '../errors.js';
import { loadAddon, modelDirectory } from './addon.js';
import {
  argumentType,
  count,
  crossing,
  fields,
  float64,
  textOrNothing,
  wholeOrNothing,
} from './boundary.js';
import { choicesJson } from './choices.js';
import type { EnvironmentOptions } from './environment.js';

/**
 * What happens after an episode's end, by the names of Gymnasium:
 * - `NEXT_STEP`: the step after the last ignores its action and resets; reward 0, no end.
 * - `SAME_STEP`: the last step itself resets; `finalObservations` has where the episode ended.
 * - `DISABLED`: nothing; the caller resets it before the next step.
 */
export type AutoresetMode = 'NEXT_STEP' | 'SAME_STEP' | 'DISABLED';

const MODES: readonly AutoresetMode[] = ['NEXT_STEP', 'SAME_STEP', 'DISABLED'];

/** Choices of {@link VectorEnvironment.create}; options of the task go by Gymnasium's names, as `envs ID` lists them. */
export interface VectorEnvironmentOptions extends EnvironmentOptions {
  /** What happens after an episode's end; `NEXT_STEP` by default, as in Gymnasium. */
  autoreset?: AutoresetMode;
  /** How many environments are stepped at a time, 1 by default; the numbers are the same with any. */
  threads?: number;
}

/** What a step of all yields; row e is of environment e. */
export interface VectorStep {
  /** What to act on next, shape [E, O], row-major. */
  observations: Float64Array;
  /** s' of the step itself, shape [E, O]: what to store; differs from `observations` where `SAME_STEP` has reset. */
  finalObservations: Float64Array;
  /** r, unscaled, shape [E]. */
  rewards: Float64Array;
  /** 1 where the task's own rule ended the episode, else 0; shape [E]. */
  terminated: Uint8Array;
  /** 1 where the time limit ended it, else 0; both may be; shape [E]. */
  truncated: Uint8Array;
  /** 1 where the simulator left its range, else 0; shape [E]. Drop that transition: reward 0, truncated, no new observation. */
  unstable: Uint8Array;
  /** Numbers about the step, shape [E] each, by Gymnasium's names; 0 where the step was a reset. */
  info: Record<string, Float64Array>;
}

/** E environments of a MuJoCo task on one loaded model, in raw action units, exactly Gymnasium's numbers. */
export class VectorEnvironment {
  /** The task's id. */
  readonly id: string;
  /** E, how many. */
  readonly count: number;
  /** What happens after an episode's end. */
  readonly autoreset: AutoresetMode;
  /** O, values of an observation. */
  readonly observationSize: number;
  /** A, values of an action. */
  readonly actionSize: number;
  /** Smallest raw action, shape [A]. */
  readonly actionLow: Float64Array;
  /** Largest raw action, shape [A]. */
  readonly actionHigh: Float64Array;
  readonly #native: Native;

  private constructor(id: string, size: number, autoreset: AutoresetMode, native: Native) {
    const spec = crossing(() => native.spec);
    this.id = id;
    this.count = size;
    this.autoreset = autoreset;
    this.observationSize = spec.observationSize;
    this.actionSize = spec.actionSize;
    this.actionLow = Float64Array.from(spec.actionLow);
    this.actionHigh = Float64Array.from(spec.actionHigh);
    this.#native = native;
  }

  /**
   * Loads a task once, for `size` environments.
   *
   * @throws VirelError `ARGUMENT_TYPE`, `ENV_UNKNOWN`, `CONFIG_UNKNOWN_KEY`, `CONFIG_TYPE`, `CONFIG_RANGE`, `TASK_INVALID`,
   * `MODEL_MISSING`, `MODEL_INVALID`, `MODEL_FINGERPRINT`, `OUT_OF_MEMORY`; `NATIVE_MISSING`.
   */
  static create(
    id: string,
    size: number,
    options: VectorEnvironmentOptions = {},
  ): VectorEnvironment {
    const { maxEpisodeSteps, modelDir, autoreset, threads, ...choices } = fields(
      'options',
      options,
    );
    const mode = modeOf(autoreset);
    const limit = wholeOrNothing('maxEpisodeSteps', maxEpisodeSteps);
    const vector = {
      count: count('size', size),
      autoreset: mode,
      threads: count('threads', threads ?? 1),
      ...(limit !== undefined && { maxEpisodeSteps: limit }),
    };
    const json = choicesJson(String(id), choices);
    const folder = textOrNothing('modelDir', modelDir);
    const addon = loadAddon();
    const directory = modelDirectory(folder);
    const native = crossing(() =>
      addon.VectorEnvironment.create(String(id), directory, vector, json),
    );
    return new VectorEnvironment(id, size, mode, native);
  }

  /**
   * Starts episodes, in every environment or where `mask`, shape [E], says so; returns what to act on, shape [E, O]: of those
   * not reset the newest.
   *
   * @param seed Environment e draws its reset noise from seed + e, as `Environment.reset` does; without one it goes on.
   * @throws VirelError `LENGTH_MISMATCH`, `CONFIG_RANGE`, `ARGUMENT_TYPE`.
   */
  reset(seed?: number, mask?: ArrayLike<boolean | number>): Float64Array {
    const whole = wholeOrNothing('seed', seed);
    const where = mask === undefined ? undefined : maskOf(mask);
    return crossing(() => this.#native.reset(whole, where));
  }

  /**
   * Applies raw actions, shape [E, A] row-major, for one environment step of each.
   *
   * @throws VirelError `LENGTH_MISMATCH`, `NOT_FINITE`, `RESET_NEEDED`, before anything is stepped; `REWARD_NOT_FINITE` of one
   * environment: the step of all is lost, and all need a reset.
   */
  step(actions: ArrayLike<number>): VectorStep {
    const raw = float64('actions', actions);
    const step: NativeSteps = crossing(() => this.#native.step(raw));
    return step;
  }

  /** Frees the native memory; later calls throw `HANDLE_CLOSED`. Idempotent. */
  dispose(): void {
    this.#native.dispose();
  }

  /** As {@link dispose}, at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

function modeOf(mode: unknown = 'NEXT_STEP'): AutoresetMode {
  const known = MODES.find((each) => each === mode);
  if (known !== undefined) return known;
  throw new VirelError(
    'CONFIG_RANGE',
    `autoreset: expected ${MODES.join(', ')}, got ${String(mode)}`,
    {
      where: 'autoreset',
      expected: MODES.join(', '),
      got: String(mode),
      fix: 'leave autoreset out for NEXT_STEP',
    },
  );
}

function maskOf(mask: ArrayLike<boolean | number>): Uint8Array {
  const expected = 'an array of true and false, or 1 and 0';
  if (typeof mask !== 'object' || mask === null || typeof mask.length !== 'number')
    throw argumentType('mask', expected, mask);
  return Uint8Array.from(mask, (each) => {
    if (each === true || each === 1) return 1;
    if (each === false || each === 0) return 0;
    throw argumentType('mask', expected, each);
  });
}
