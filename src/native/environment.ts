/** One task, stepped by hand. */
import type { Environment as Native } from '../../index.d.ts';
import type { Choices } from '../environments/choices.js';
import { loadAddon, modelDirectory } from './addon.js';
import { crossing, fields, float64, textOrNothing, wholeOrNothing } from './boundary.js';
import { choicesJson } from './choices.js';

/** What a step yields; observation in the task's units, reward unscaled. */
export interface Step {
  /** s', shape [O]. */
  observation: Float64Array;
  /** r, unscaled. */
  reward: number;
  /** The task's own rule ended the episode. */
  terminated: boolean;
  /** The time limit ended it; both may be true. */
  truncated: boolean;
  /** Numbers about the step, by Gymnasium's names. */
  info: Record<string, number>;
}

/** Choices of {@link Environment.create}; options of the task go by Gymnasium's names, as `envs ID` lists them. */
export interface EnvironmentOptions extends Choices {
  /** Folder of the MuJoCo model files; the set-up's by default. */
  modelDir?: string;
  /** Replaces the task's time limit; > 0. */
  maxEpisodeSteps?: number;
}

/** A MuJoCo task in raw action units, exactly Gymnasium's numbers. */
export class Environment {
  /** The task's id. */
  readonly id: string;
  readonly #native: Native;

  private constructor(id: string, native: Native) {
    this.id = id;
    this.#native = native;
  }

  /**
   * Loads a task.
   *
   * @throws VirelError `ARGUMENT_TYPE`, `ENV_UNKNOWN`, `CONFIG_UNKNOWN_KEY`, `CONFIG_TYPE`, `CONFIG_RANGE`,
   * `TASK_INVALID`, `MODEL_MISSING`, `MODEL_INVALID`, `MODEL_FINGERPRINT`; `NATIVE_MISSING`.
   */
  static create(id: string, options: EnvironmentOptions = {}): Environment {
    const { maxEpisodeSteps, modelDir, ...choices } = fields('options', options);
    const limit = wholeOrNothing('maxEpisodeSteps', maxEpisodeSteps);
    const folder = textOrNothing('modelDir', modelDir);
    const json = choicesJson(String(id), choices);
    const addon = loadAddon();
    const directory = modelDirectory(folder);
    return new Environment(
      id,
      crossing(() => addon.Environment.create(String(id), directory, limit, json)),
    );
  }

  /** O, values of an observation. */
  get observationSize(): number {
    return crossing(() => this.#native.observationSize);
  }

  /** A, values of an action. */
  get actionSize(): number {
    return crossing(() => this.#native.actionSize);
  }

  /** Smallest raw action, shape [A]. */
  get actionLow(): Float64Array {
    return crossing(() => this.#native.actionLow);
  }

  /** Largest raw action, shape [A]. */
  get actionHigh(): Float64Array {
    return crossing(() => this.#native.actionHigh);
  }

  /** Generalised positions, a copy. */
  get qpos(): Float64Array {
    return crossing(() => this.#native.qpos);
  }

  /** Generalised velocities, a copy. */
  get qvel(): Float64Array {
    return crossing(() => this.#native.qvel);
  }

  /**
   * Starts an episode with the task's reset noise; returns the observation, shape [O].
   *
   * @param seed starts the noise stream anew; without one it goes on.
   */
  reset(seed?: number): Float64Array {
    const whole = wholeOrNothing('seed', seed);
    return crossing(() => this.#native.reset(whole));
  }

  /**
   * Starts an episode from this state: simulator reset, state written, derived quantities computed, step counter 0.
   *
   * @throws VirelError `LENGTH_MISMATCH`, `NOT_FINITE`, before anything is changed.
   */
  setState(qpos: ArrayLike<number>, qvel: ArrayLike<number>): Float64Array {
    const [positions, velocities] = [float64('qpos', qpos), float64('qvel', qvel)];
    return crossing(() => this.#native.setState(positions, velocities));
  }

  /**
   * Applies a raw action, shape [A], for one environment step. Beyond its bounds MuJoCo clamps it; costs see it as given.
   *
   * @throws VirelError `LENGTH_MISMATCH`, `NOT_FINITE`; `SIM_UNSTABLE` when the simulator diverged: reset to go on;
   * `REWARD_NOT_FINITE`, naming the part.
   */
  step(action: ArrayLike<number>): Step {
    const raw = float64('action', action);
    return crossing(() => this.#native.step(raw));
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
