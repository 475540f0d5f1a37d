/** A trained policy on its own. */
import type { Policy as Native } from '../../index.d.ts';
import type { Choices } from '../environments/choices.js';
import { type CustomEnvironment, type ExternalFacts, externalOf } from '../environments/define.js';
import { GuardedEnvironment } from '../environments/guarded.js';
import { environmentRandom } from '../environments/random.js';
import { VirelError } from '../errors.js';
import { type EvaluationResult, summariseEvaluation } from '../statistics/evaluation.js';
import { loadAddon, modelDirectory } from './addon.js';
import {
  count,
  crossing,
  fields,
  float64,
  stoppable,
  textOrNothing,
  whole,
  yesOrNo,
} from './boundary.js';
import { Breath } from './breath.js';
import { choicesJson } from './choices.js';
import { runEpisode } from './custom-episode.js';

/** How to evaluate a {@link Policy}. */
export interface PolicyEvaluation {
  /** How many, at least 1. */
  episodes: number;
  /** Of the start states. */
  seed: number;
  /** Environment steps after which an episode is truncated, at least 1. */
  maxEpisodeSteps: number;
  /** Draws the actions, by noise that follows from `seed`, instead of taking tanh of the mean; false by default. */
  stochastic?: boolean;
  /** Folder of the MuJoCo model files; the one of the set-up by default. */
  modelDir?: string;
  /** The environment, where it is written in TypeScript. */
  environment?: CustomEnvironment;
  /** Stops it; the promise then rejects with `ABORTED`. */
  signal?: AbortSignal;
}

/** Where a policy comes from beside its file. */
export interface PolicySource {
  /** Folder of the MuJoCo model files that `evaluate` uses unless told; the one of the set-up by default. */
  modelDir?: string | undefined;
  /** Files and options of the task it was trained in. */
  choices?: Choices | undefined;
  /** Size and bounds of an environment written in TypeScript; without them `environment` is one of our tasks. */
  external?: ExternalFacts | undefined;
}

/** A trained policy: tanh mu(s), actions in environment units. */
export class Policy {
  /** Id of the task that it was trained on. */
  readonly environment: string;
  readonly #native: Native;
  readonly #modelDir: string | undefined;
  /** Of an environment written in TypeScript. */
  readonly #external: ExternalFacts | undefined;

  private constructor(environment: string, native: Native, { modelDir, external }: PolicySource) {
    this.environment = environment;
    this.#native = native;
    this.#modelDir = modelDir;
    this.#external = external;
  }

  /**
   * Reads a safetensors file.
   *
   * @throws VirelError `IO`, `CHECKPOINT_CORRUPT`, `PARAMETER_SHAPE`, `ENV_UNKNOWN`, `CONFIG_*`, `TASK_INVALID`,
   * `MODEL_*`, `NATIVE_MISSING`.
   */
  static load(file: string, environment: string, source: PolicySource = {}): Policy {
    const { choices = {}, external } = source;
    const json = external === undefined ? choicesJson(environment, choices) : undefined;
    const addon = loadAddon();
    const native = crossing(() => addon.Policy.load(file, environment, json, external));
    return new Policy(environment, native, source);
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
   * @throws VirelError `ABORTED`, `ARGUMENT_TYPE`, `MODEL_*`, `CONFIG_RANGE`; `POLICY_DETERMINISTIC` where actions are to be drawn
   *   and it has no deviation; `ENV_MISSING` where the policy's environment is written in TypeScript and not given,
   *   `ENV_INVALID` where another one is, `ENV_FAILED`.
   */
  async evaluate(options: PolicyEvaluation): Promise<EvaluationResult> {
    const { signal, modelDir, ...asked } = fields('options', options);
    const limit = count('maxEpisodeSteps', asked.maxEpisodeSteps);
    const [episodes, seed] = [count('episodes', asked.episodes), whole('seed', asked.seed)];
    const stochastic = yesOrNo('stochastic', asked.stochastic);
    if (this.#external !== undefined) {
      const environment = expectFitting(asked.environment, this.environment, this.#external);
      return this.#evaluateHere(environment, { episodes, seed, limit, stochastic, signal });
    }
    const directory = modelDirectory(textOrNothing('modelDir', modelDir) ?? this.#modelDir);
    const { returns, lengths, stopped } = await stoppable(
      signal,
      () => this.#native.stop(),
      () => this.#native.evaluate(directory, limit, episodes, seed, stochastic),
    );
    if (stopped) throw new VirelError('ABORTED', 'the evaluation was stopped');
    return summariseEvaluation(returns, lengths);
  }

  /** Episodes of an environment in TypeScript. */
  async #evaluateHere(
    environment: CustomEnvironment,
    options: {
      episodes: number;
      seed: number;
      limit: number;
      stochastic: boolean;
      signal: AbortSignal | undefined;
    },
  ): Promise<EvaluationResult> {
    const { episodes, seed, limit, stochastic, signal } = options;
    const draws = environmentRandom(seed, 'evaluationNoise');
    const noise = new Float32Array(environment.actionSize);
    const act = (observation: Float64Array) => {
      const drawn = stochastic ? noise.map(() => draws.normal()) : undefined;
      return crossing(() => this.#native.actExactly(observation, drawn));
    };
    const context = {
      environment: new GuardedEnvironment(environment, 'evaluation'),
      random: environmentRandom(seed, 'evaluation'),
      act,
      limit,
      signal,
      breath: new Breath(),
    };
    const rewards: number[][] = [];
    while (rewards.length < episodes) {
      const trace = await runEpisode(context);
      if (trace === undefined) throw new VirelError('ABORTED', 'the evaluation was stopped');
      rewards.push(trace.rewards);
    }
    const returns = rewards.map((each) => each.reduce((total, reward) => total + reward, 0));
    return summariseEvaluation(
      returns,
      rewards.map((each) => each.length),
    );
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

/** The environment that was given, if the policy can act in it. */
function expectFitting(
  given: CustomEnvironment | undefined,
  id: string,
  trained: ExternalFacts,
): CustomEnvironment {
  if (given === undefined) {
    throw new VirelError('ENV_MISSING', `the policy's environment ${id} is written in TypeScript`, {
      where: 'environment',
      expected: 'the environment that defineEnvironment returned',
      got: 'nothing',
      fix: 'policy.evaluate({ environment, ... })',
    });
  }
  const [now, then] = [externalOf(given), trained].map((facts) => JSON.stringify(facts));
  if (now === then) return given;
  throw new VirelError(
    'ENV_INVALID',
    `environment ${given.id} is not of the policy's size and bounds`,
    {
      where: `environment ${given.id}`,
      expected: then as string,
      got: now as string,
      fix: 'evaluate on the environment that the policy was trained on',
    },
  );
}
