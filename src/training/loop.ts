/** One run: collect, update, evaluate, record, save, until the last step or a stop. */
import { durationMilliseconds, type ResolvedConfig } from '../config/schema.js';
import { isVirelError, VirelError } from '../errors.js';
import type { EvaluationEvent, TrainEvent } from '../logging/events.js';
import { ROLLOUT_EPISODES } from '../logging/metrics.js';
import type { Progress } from '../native/session.js';
import { type EmSchedule, emSchedule, nextMultiple } from '../schedule/em-schedule.js';
import { FIRST_CHUNK, nextChunk } from '../schedule/pace.js';
import type { Checkpoints } from './checkpoint.js';
import { toVirelError } from './failure.js';
import type { LoopState } from './loop-state.js';
import { type SavePatience, savePatiently } from './patient-save.js';
import type { RunDirectory } from './run-directory.js';
import type { SaveRequests } from './save-requests.js';
import type { TrainingSession } from './session.js';
import type { Outcome } from './summary.js';

/** Milliseconds between progress events. */
const PROGRESS_EVERY = 200;

/** What a run works with; the loop reads no clock of its own. */
export interface LoopContext {
  readonly config: ResolvedConfig;
  readonly session: TrainingSession;
  readonly directory: RunDirectory;
  readonly checkpoints: Checkpoints;
  /** Where an earlier process left off; its session has been taken up. */
  readonly from?: LoopState | undefined;
  /** The folder of that checkpoint. */
  readonly checkpoint?: string | undefined;
  /** Bytes of the run's growing files, all of them on the disk. */
  fileSizes(): Record<string, number>;
  readonly signal: AbortSignal;
  emit(event: TrainEvent): void;
  /** Told that a stop was asked for, before the parameters are saved. */
  stopping(): void;
  /** Told when a checkpoint begins to be written, and when that is over. */
  saving(isSaving: boolean): void;
  /** Checkpoints that the caller asks for. */
  readonly requests?: SaveRequests;
  /** Milliseconds, from any origin. */
  clock(): number;
  /** Passes time until a disk may have room again. */
  readonly wait: SavePatience['wait'];
}

const mean = (values: readonly number[]) =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** The loop of one run. Its outcome may be asked for at any time, after a failure too. */
export class TrainingLoop {
  readonly #context: LoopContext;
  readonly #schedule: EmSchedule;
  /** On the context's clock, as if the run had never stopped. */
  readonly #begun: number;
  #step = 0;
  /** Step up to which all that was due is done. */
  #settled = 0;
  /** Whether what is due at the end of a plan is not done yet. */
  #isDue = false;
  #updates = 0;
  #unstableResets = 0;
  /** The last training episodes, for the means. */
  readonly #episodes: { return: number; length: number }[] = [];
  readonly #evaluations: EvaluationEvent[] = [];
  /** The newest checkpoint. */
  #saved: { step: number; at: number; path?: string };
  /** Seconds that it took; undefined before this process wrote one. */
  #saveSeconds: number | undefined;
  /** The last record of metrics. */
  #recorded: { updates: number; at: number };
  #progressAt: number;
  /** Whether all steps are done and the last of them is evaluated and recorded. */
  #complete = false;

  constructor(context: LoopContext) {
    this.#context = context;
    const { from } = context;
    const now = context.clock();
    this.#schedule = emSchedule(context.config.schedule);
    this.#begun = now - 1000 * (from?.wall ?? 0);
    if (from !== undefined) {
      this.#step = from.step;
      this.#settled = from.settled;
      this.#isDue = from.due;
      this.#updates = from.updates;
      this.#unstableResets = from.unstableResets;
      this.#episodes.push(...from.episodes);
      this.#evaluations.push(...from.evaluations);
      this.#complete = from.settled >= context.config.steps;
    }
    const { checkpoint } = context;
    this.#saved = { step: from?.step ?? -1, at: now, ...(checkpoint && { path: checkpoint }) };
    this.#recorded = { updates: this.#updates, at: now };
    this.#progressAt = now;
  }

  /**
   * Trains to the last step, or until the signal is given; then the parameters are on disk.
   *
   * @throws VirelError what the session throws; the message says where the parameters are then: a checkpoint has those of
   *   the step at which the session failed, `diverged/<step>` the last finite ones of a session that diverged.
   */
  async run(): Promise<'finished' | 'stopped'> {
    const { config, signal, stopping, wait } = this.#context;
    let chunk = FIRST_CHUNK;
    try {
      if (this.#isDue && !signal.aborted) await this.#settle();
      while (this.#settled < config.steps && !signal.aborted) {
        chunk = await this.#advance(chunk);
        if (!signal.aborted) await this.#answerRequests();
      }
    } catch (error) {
      if (!isVirelError(error)) throw error;
      // a stop during an evaluation: the run ends as it stands
      if (error.code !== 'ABORTED') throw await this.#failed(error);
    }
    // a stop that comes after the last evaluation stops nothing
    if (!this.#complete) stopping();
    await savePatiently(() => this.#save(), {
      signal,
      wait,
      waits: (reason) => this.#warnOfWait(reason),
    });
    await this.#answerRequests();
    return this.#complete ? 'finished' : 'stopped';
  }

  /** Saves for whoever asked; what is refused is theirs to deal with, and training goes on. */
  async #answerRequests(): Promise<void> {
    const { requests } = this.#context;
    if (requests?.arePending !== true) return;
    try {
      await this.#save();
      requests.answer(this.#saved.path as string);
    } catch (error) {
      requests.refuse(toVirelError(error));
    }
  }

  /** How far training came. */
  outcome(): Outcome {
    const wallSeconds = this.#wall();
    const [steps, updates, evaluations] = [this.#step, this.#updates, this.#evaluations];
    return { steps, updates, wallSeconds, evaluations };
  }

  /** Seconds since the start. */
  #wall(): number {
    return (this.#context.clock() - this.#begun) / 1000;
  }

  /** One call into the session; returns the size of the next. */
  async #advance(chunk: number): Promise<number> {
    const { config, session, signal, clock } = this.#context;
    const before = this.#step;
    const start = config.collect.startUpdates;
    const since = this.#settled;
    const repeated = [config.evaluation.every, config.logging.every, this.#saveSteps()];
    const due = [...repeated.map((every) => nextMultiple(every, since)), start, config.steps];
    const plan = this.#schedule.next({ step: before, since, due }, chunk);

    const from = clock();
    const done = await session.advance(plan, { signal });
    const milliseconds = clock() - from;
    this.#reportProgress(done, milliseconds);
    this.#absorb(done);
    // a stop may leave half an iteration, which the next call of another process ends
    this.#isDue = done.iterations === plan.repeat;
    if (!signal.aborted) await this.#settle();

    // steps without updates are far faster: what they taught of the pace does not hold behind them
    const updatesBegin = before < start && this.#step >= start;
    return updatesBegin ? FIRST_CHUNK : nextChunk(done.iterations, milliseconds);
  }

  /** Takes over where the session stands. */
  #absorb(done: Progress): void {
    const { config, emit } = this.#context;
    const { seed } = config;
    const wall = this.#wall();
    for (const episode of done.episodes) {
      this.#episodes.push({ return: episode.return, length: episode.length });
      emit({ event: 'episode', seed, ...episode, wall });
    }
    this.#episodes.splice(0, this.#episodes.length - ROLLOUT_EPISODES);
    if (done.unstableResets > this.#unstableResets) {
      const total = done.unstableResets;
      const states = total - this.#unstableResets;
      emit({ event: 'unstable', seed, step: done.steps, states, total });
    }
    this.#step = done.steps;
    this.#updates = done.updates;
    this.#unstableResets = done.unstableResets;
  }

  /** Speeds are those of the call that just ended. */
  #reportProgress(done: Progress, milliseconds: number): void {
    const { config, emit, clock } = this.#context;
    const now = clock();
    if (now - this.#progressAt < PROGRESS_EVERY) return;
    this.#progressAt = now;
    const seconds = Math.max(milliseconds, 0.01) / 1000;
    emit({
      event: 'progress',
      seed: config.seed,
      step: done.steps,
      steps: config.steps,
      updates: done.updates,
      wall: this.#wall(),
      stepsPerSecond: (done.steps - this.#step) / seconds,
      updatesPerSecond: (done.updates - this.#updates) / seconds,
    });
  }

  /** What is due at this step, in a fixed order: evaluation, record of the metrics, checkpoint. */
  async #settle(): Promise<void> {
    const { config, emit, clock } = this.#context;
    const before = this.#settled;
    const reached = (every: number) => this.#step >= nextMultiple(every, before);
    const end = this.#step >= config.steps;
    const evaluated = end || reached(config.evaluation.every) ? await this.#evaluate() : {};
    const recorded = end || reached(config.logging.every) ? await this.#record() : {};
    const m = { ...evaluated, ...recorded };
    if (Object.keys(m).length > 0) {
      const [step, updates] = [this.#step, this.#updates];
      emit({ event: 'metrics', seed: config.seed, step, updates, wall: this.#wall(), m });
    }
    this.#complete = end;
    this.#settled = this.#step;
    this.#isDue = false;
    const time = config.checkpoint.every;
    const saveTime = typeof time === 'string' ? durationMilliseconds(time) : Infinity;
    const isBest = Object.keys(evaluated).length > 0 && this.#newestIsBest();
    if (isBest || reached(this.#saveSteps()) || clock() - this.#saved.at >= saveTime)
      await this.#saveOrWarn(isBest);
  }

  /** Evaluates; its means, by the names of `logging/metrics.ts`. */
  async #evaluate(): Promise<Record<string, number>> {
    const { config, session, signal, emit } = this.#context;
    const { episodes, minSteps } = config.evaluation;
    const size = episodes === null ? { minSteps } : { episodes };
    const result = await session.evaluate({ ...size, signal });
    const evaluation: EvaluationEvent = {
      event: 'evaluation',
      seed: config.seed,
      step: this.#step,
      ...result,
      wall: this.#wall(),
    };
    this.#evaluations.push(evaluation);
    emit(evaluation);
    return {
      'eval/mean_reward': result.returnMean,
      'eval/std_reward': result.returnStd,
      'eval/mean_ep_length': mean(result.lengths),
    };
  }

  /** The numbers of this moment, by the names of `logging/metrics.ts`. */
  async #record(): Promise<Record<string, number>> {
    const native = await this.#context.session.measure();
    const now = this.#context.clock();
    const wall = this.#wall();
    const since = Math.max(now - this.#recorded.at, 0.01) / 1000;
    const updatesPerSecond = (this.#updates - this.#recorded.updates) / since;
    this.#recorded = { updates: this.#updates, at: now };
    const newest = this.#episodes.at(-1);
    const limit = this.#context.config.env.maxEpisodeSteps;
    const temperature = native['virel/temperature'];
    const stepsPerSecond = this.#step / Math.max(wall, 1e-5);
    return {
      ...(newest && {
        'charts/episodic_return': newest.return,
        'charts/episodic_length': newest.length,
        'rollout/ep_rew_mean': mean(this.#episodes.map((episode) => episode.return)),
        'rollout/ep_len_mean': mean(this.#episodes.map((episode) => episode.length)),
        'env/time_limit_rate': mean(this.#episodes.map(({ length }) => (length >= limit ? 1 : 0))),
      }),
      ...native,
      ...(temperature !== undefined && { 'losses/alpha': temperature }),
      'train/n_updates': this.#updates,
      'charts/SPS': stepsPerSecond,
      'time/fps': stepsPerSecond,
      'time/updates_per_second': updatesPerSecond,
      'time/wall': wall,
      'system/rss_mb': process.memoryUsage.rss() / 1e6,
      ...(this.#saveSeconds !== undefined && { 'system/checkpoint_seconds': this.#saveSeconds }),
    };
  }

  #saveSteps(): number {
    const { every } = this.#context.config.checkpoint;
    return typeof every === 'number' ? every : Infinity;
  }

  /** Whether no earlier evaluation was as good as the newest. */
  #newestIsBest(): boolean {
    const means = this.#evaluations.map(({ returnMean }) => returnMean);
    return means.lastIndexOf(Math.max(...means)) === means.length - 1;
  }

  #state(): LoopState {
    const { fileSizes } = this.#context;
    return {
      format: 1,
      step: this.#step,
      updates: this.#updates,
      unstableResets: this.#unstableResets,
      settled: this.#settled,
      due: this.#isDue,
      wall: this.#wall(),
      episodes: [...this.#episodes],
      evaluations: [...this.#evaluations],
      files: fileSizes(),
    };
  }

  async #save(isBest = false): Promise<void> {
    if (this.#saved.step === this.#step) return;
    const { config, session, checkpoints, saving, emit, clock } = this.#context;
    const begun = clock();
    saving(true);
    try {
      const path = await checkpoints.save(session, this.#state(), isBest);
      this.#saved = { step: this.#step, at: clock(), path };
      this.#saveSeconds = (this.#saved.at - begun) / 1000;
      emit({ event: 'checkpoint', seed: config.seed, step: this.#step, path });
    } finally {
      saving(false);
    }
  }

  #warnOfWait({ code, message }: VirelError): void {
    const { config, emit } = this.#context;
    const what =
      'the last checkpoint waits for room, tried again every 30 s; an error after 10 min';
    emit({ event: 'warning', seed: config.seed, code, message: `${message}; ${what}` });
  }

  /** Saves what a failed session still has; the error, with the place of it. */
  async #failed(error: VirelError): Promise<VirelError> {
    const { config, session, checkpoints, directory } = this.#context;
    const { code, message, where, expected, got, fix } = error;
    let kept: string;
    try {
      this.#absorb(session.progress());
      if (code === 'DIVERGED') {
        const path = await checkpoints.saveDiverged(session, this.#step);
        kept = `the last finite parameters are in ${path}`;
      } else {
        await this.#save();
        kept = `the parameters of step ${this.#step} are in ${this.#saved.path}`;
      }
    } catch (reason) {
      kept = `they cannot be saved: ${reason instanceof Error ? reason.message : String(reason)}`;
    }
    const saved = this.#saved.step < 0 ? 'no checkpoint yet' : `checkpoint ${this.#saved.step}`;
    return new VirelError(code, `${config.algorithm}, ${config.env.id}, ${message}; ${kept}`, {
      where: where ?? `${directory.path}, ${saved}`,
      ...(expected !== undefined && { expected }),
      ...(got !== undefined && { got }),
      ...(fix !== undefined && { fix }),
      cause: error.cause ?? error,
    });
  }

  /** A checkpoint on the way that fails is a warning: training goes on, the older ones stand. */
  async #saveOrWarn(isBest: boolean): Promise<void> {
    const { config, emit, clock } = this.#context;
    try {
      await this.#save(isBest);
    } catch (error) {
      // tried again when the next one is due
      this.#saved.at = clock();
      const code = isVirelError(error) ? error.code : 'IO';
      const reason = error instanceof Error ? error.message : String(error);
      const message = `no checkpoint at step ${this.#step}: ${reason}`;
      emit({ event: 'warning', seed: config.seed, code, message });
    }
  }
}
