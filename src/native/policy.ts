/** A trained policy on its own. */
import type { Policy as Native } from '../../index.d.ts';
import type { Choices } from '../environments/choices.js';
import { VirelError } from '../errors.js';
import { type EvaluationResult, summariseEvaluation } from '../statistics/evaluation.js';
import { loadAddon, modelDirectory } from './addon.js';
import { crossing, fields, float64, stoppable, textOrNothing, whole } from './boundary.js';
import { choicesJson } from './choices.js';

/** How to evaluate a {@link Policy}. */
export interface PolicyEvaluation {
  episodes: number;
  seed: number;
  /** Environment steps after which an episode is truncated. */
  maxEpisodeSteps: number;
  modelDir?: string;
  signal?: AbortSignal;
}

/** The deterministic policy tanh mu(s), actions in environment units. */
export class Policy {
  readonly environment: string;
  readonly #native: Native;
  readonly #modelDir: string | undefined;

  private constructor(environment: string, native: Native, modelDir: string | undefined) {
    this.environment = environment;
    this.#native = native;
    this.#modelDir = modelDir;
  }

  /**
   * Reads a safetensors file.
   *
   * @param modelDir Folder of the MuJoCo model files that `evaluate` uses unless told; the one of the set-up by
   *   default.
   * @param choices Files and options of the environment it was trained in.
   * @throws VirelError `IO`, `CHECKPOINT_CORRUPT`, `PARAMETER_SHAPE`, `ENV_UNKNOWN`, `CONFIG_*`, `TASK_INVALID`,
   * `MODEL_*`, `NATIVE_MISSING`.
   */
  static load(file: string, environment: string, modelDir?: string, choices: Choices = {}): Policy {
    const json = choicesJson(environment, choices);
    const addon = loadAddon();
    return new Policy(
      environment,
      crossing(() => addon.Policy.load(file, environment, json)),
      modelDir,
    );
  }

  /** The action for one observation, shape [O] to shape [A]. */
  act(observation: ArrayLike<number>): Float32Array {
    const input = Float32Array.from(float64('observation', observation));
    return crossing(() => this.#native.act(input));
  }

  /** The actions for `rows` observations, shape [rows, O] to shape [rows, A]. */
  actMany(observations: ArrayLike<number>, rows: number): Float32Array {
    const input = Float32Array.from(float64('observations', observations));
    return crossing(() => this.#native.actMany(input, rows));
  }

  /**
   * Whole episodes on a fresh environment.
   *
   * @throws VirelError `ABORTED`, `ARGUMENT_TYPE`, `MODEL_*`, `CONFIG_RANGE`.
   */
  async evaluate(options: PolicyEvaluation): Promise<EvaluationResult> {
    const { signal, modelDir, ...asked } = fields('options', options);
    const limit = whole('maxEpisodeSteps', asked.maxEpisodeSteps);
    const [episodes, seed] = [whole('episodes', asked.episodes), whole('seed', asked.seed)];
    const directory = modelDirectory(textOrNothing('modelDir', modelDir) ?? this.#modelDir);
    const { returns, lengths, stopped } = await stoppable(
      signal,
      () => this.#native.stop(),
      () => this.#native.evaluate(directory, limit, episodes, seed),
    );
    if (stopped) throw new VirelError('ABORTED', 'the evaluation was stopped');
    return summariseEvaluation(returns, lengths);
  }

  /** Frees the native memory; later calls throw `HANDLE_CLOSED`. Idempotent. */
  dispose(): void {
    this.#native.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
