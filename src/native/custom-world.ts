/**
 * A session's environment in TypeScript: environment steps are made here, one call into native code each for the action
 * and for what came of it; gradient steps are native. It runs the plans of the native session with the same meaning:
 * what is done depends on the plans taken together, never on how they are cut.
 */
import type {
  Session as Native,
  NativeEvaluation,
  NativePlan,
  NativeProgress,
} from '../../index.d.ts';
import type { ResolvedConfig } from '../config/schema.js';
import type { CustomEnvironment } from '../environments/define.js';
import { GuardedEnvironment } from '../environments/guarded.js';
import { environmentRandom, type Random } from '../environments/random.js';
import { VirelError } from '../errors.js';
import { actionValueBias } from '../statistics/action-value-bias.js';
import { whole } from './boundary.js';
import { Breath } from './breath.js';
import { type EpisodeTrace, isEnough, type Protocol, runEpisode } from './custom-episode.js';

type NativePhase = NativePlan['phases'][number];

/** Environment steps or gradient steps of an iteration that belong together. */
type Segment = { collect: number } | { learn: NativePhase[] };

/** The environment of a session, in training and in evaluation. */
export class CustomWorld {
  /** As it was defined. */
  readonly environment: CustomEnvironment;
  readonly #native: Native;
  readonly #config: ResolvedConfig;
  readonly #training: GuardedEnvironment;
  readonly #random: Random;
  /** Whether the training environment is to be reset before its next step. */
  #resetDue = false;
  #steps = 0;
  /** Training episodes that no call has told of yet. */
  readonly #episodes: NativeProgress['episodes'] = [];
  /** The call that is running, by its name in {@link Session}. */
  #running: string | undefined;
  #disposed = false;
  #bias: number | undefined;

  /** Resets the training environment to its first episode. @throws VirelError `ENV_FAILED`, `ENV_INVALID`. */
  constructor(native: Native, environment: CustomEnvironment, config: ResolvedConfig) {
    this.#native = native;
    this.environment = environment;
    this.#config = config;
    this.#training = new GuardedEnvironment(environment, 'training');
    this.#random = environmentRandom(config.seed, 'reset');
    this.#begin();
  }

  /** mean Q − return of the latest evaluation, where one could be judged. */
  get bias(): number | undefined {
    return this.#bias;
  }

  /** As the native `advance`; an abort returns at the next environment step, what is stored until then stays. */
  async advance(plan: NativePlan, signal: AbortSignal | undefined): Promise<NativeProgress> {
    return this.alone('advance', async () => {
      // the native side checks the phases, and does nothing
      await this.#native.advance({ ...plan, repeat: 0 });
      const segments = segmentsOf(plan.phases);
      const repeat = whole('plan.repeat', plan.repeat);
      const run = { plan, signal, breath: new Breath() };
      let iterations = 0;
      while (iterations < repeat && (await this.#iterate(segments, run))) iterations += 1;
      const end = await this.#native.advance({ ...plan, repeat: 0 });
      return { ...end, iterations, episodes: this.#episodes.splice(0) };
    });
  }

  /** As the native `progress`. */
  progress(): NativeProgress {
    this.expectIdle();
    return { ...this.#native.progress(), episodes: this.#episodes.splice(0) };
  }

  /** As the native `evaluate`, on a state of its own; a shared one is reset for it, and again for training. */
  async evaluate(
    protocol: Protocol,
    seed: number | undefined,
    signal: AbortSignal | undefined,
  ): Promise<NativeEvaluation> {
    return this.alone('evaluate', async () => {
      const [from, instance] = seed === undefined ? [this.#config.seed, this.#steps] : [seed, 0];
      const random = environmentRandom(from, 'evaluation', instance);
      const environment = new GuardedEnvironment(this.environment, 'evaluation');
      if (this.environment.create === undefined) this.#resetDue = true;
      const act = (observation: Float64Array) => this.#native.act(observation);
      const limit = this.#config.env.maxEpisodeSteps;
      const traces: EpisodeTrace[] = [];
      const breath = new Breath();
      while (!isEnough(protocol, traces)) {
        const trace = await runEpisode({ environment, random, act, limit, signal, breath });
        if (trace === undefined) return { ...summary(traces), stopped: true };
        traces.push(trace);
      }
      this.#bias = actionValueBias(this.#native, traces, this.environment, this.#config);
      return { ...summary(traces), stopped: false };
    });
  }

  /**
   * Refuses another call while one runs. The native session cannot: it is idle between two environment steps, and would
   * take the second call and refuse the next step of the first. After `dispose` it refuses every call itself.
   *
   * @throws VirelError `HANDLE_BUSY`.
   */
  expectIdle(): void {
    if (this.#running === undefined || this.#disposed) return;
    throw new VirelError('HANDLE_BUSY', `session is busy with ${this.#running}`, {
      fix: 'await the running call first, or stop it through its signal',
    });
  }

  /**
   * Runs a call during which every other one is refused.
   *
   * @param name The call's, as the refusal of another says it.
   * @throws VirelError `HANDLE_BUSY`, what the call throws.
   */
  async alone<Result>(name: string, call: () => Promise<Result>): Promise<Result> {
    this.expectIdle();
    this.#running = name;
    try {
      return await call();
    } finally {
      this.#running = undefined;
    }
  }

  /** The native session was disposed: from now on it refuses every call. */
  dispose(): void {
    this.#disposed = true;
  }

  /** Whether the iteration was completed. */
  async #iterate(segments: readonly Segment[], run: Run): Promise<boolean> {
    if (run.signal?.aborted) return false;
    for (const segment of segments) {
      if ('collect' in segment) {
        if (!(await this.#collect(segment.collect, run))) return false;
      } else {
        const done = await this.#native.advance({ ...run.plan, repeat: 1, phases: segment.learn });
        if (done.iterations === 0 || run.signal?.aborted) return false;
      }
    }
    return true;
  }

  async #collect(steps: number, run: Run): Promise<boolean> {
    for (let step = 0; step < steps; step += 1) {
      await run.breath.take();
      if (run.signal?.aborted) return false;
      this.#step();
    }
    return true;
  }

  /** Act, step, store. */
  #step(): void {
    if (this.#resetDue) this.#begin();
    const action = this.#native.propose();
    // where a call fails its episode is over: its transition is not stored
    this.#resetDue = true;
    const { observation, reward, terminated, truncated } = this.#training.step(
      action,
      this.#random,
    );
    const recorded = this.#native.record(reward, terminated, truncated, observation);
    if (recorded.episode !== undefined) this.#episodes.push(recorded.episode);
    this.#steps = recorded.steps;
    this.#resetDue = recorded.reset;
  }

  #begin(): void {
    this.#native.begin(this.#training.reset(this.#random));
    this.#resetDue = false;
  }
}

/** What one `advance` works with. */
interface Run {
  readonly plan: NativePlan;
  readonly signal: AbortSignal | undefined;
  readonly breath: Breath;
}

/** Neighbouring gradient steps cross together. */
function segmentsOf(phases: readonly NativePhase[]): Segment[] {
  const segments: Segment[] = [];
  for (const phase of phases) {
    const last = segments.at(-1);
    if (phase.collect !== undefined) segments.push({ collect: phase.collect });
    else if (last !== undefined && 'learn' in last) last.learn.push(phase);
    else segments.push({ learn: [phase] });
  }
  return segments;
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

function summary(traces: readonly EpisodeTrace[]) {
  const returns = traces.map(({ rewards }) => sum(rewards));
  return { returns, lengths: traces.map(({ rewards }) => rewards.length) };
}
