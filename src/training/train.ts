/** `train`: a run folder, a session, the loop, and what is said when it ends. */
import { join } from 'node:path';
import { type ConfigOptions, type Resolution, resolveOptions } from '../config/resolve.js';
import type { ResolvedConfig } from '../config/schema.js';
import { show } from '../config/show.js';
import type { CustomEnvironment } from '../environments/define.js';
import { loadEnvironment } from '../environments/load.js';
import { isVirelError, VirelError } from '../errors.js';
import type { ErrorEvent, Summary, TrainEvent } from '../logging/events.js';
import { Logger } from '../logging/logger.js';
import { episodeSink, evaluationSink } from '../logging/sinks/csv.js';
import { logSink, metricsSink } from '../logging/sinks/jsonl.js';
import type { NativeFacts } from '../native/facts.js';
import { EventQueue } from './event-queue.js';
import { fileError, pretty, writeWhole } from './files.js';
import { TrainingLoop } from './loop.js';
import { customModel, describeMachine } from './manifest.js';
import { createNativeSession, nativeFacts } from './native.js';
import {
  defaultRunPath,
  describeRun,
  openRunDirectory,
  type RunDirectory,
} from './run-directory.js';
import type { CreateSession, TrainingSession } from './session.js';
import { type Outcome, summarise } from './summary.js';

/** Milliseconds between heartbeats in `status.json`. */
const HEARTBEAT = 10_000;

/** How a run is controlled. */
export interface TrainControl {
  /** Stops training at the next step boundary; parameters and summary are written. */
  signal?: AbortSignal | undefined;
  /** The command, for the manifest. */
  argv?: readonly string[];
  /** Another learner than the native one. */
  createSession?: CreateSession;
  /** What the manifest says of the native libraries; undefined where there are none. */
  nativeFacts?: (
    config: ResolvedConfig,
    environment: CustomEnvironment | undefined,
  ) => NativeFacts | undefined;
}

/** Where a run is written. */
export interface RunPlace {
  /** This run's own folder; a new one under `runsDir` by default. */
  runDir?: string | undefined;
  /** Root of the default folders, `runs`. */
  runsDir?: string | undefined;
}

/** A run: its events as an async iterable, its end as a promise. */
export interface TrainingRun extends AsyncIterable<TrainEvent> {
  /** The summary; rejects with the VirelError of a failed run. */
  readonly finished: Promise<Summary>;
}

/** An error as the event that reports it. */
export function errorEvent(error: VirelError, seed: number): ErrorEvent {
  const { code, message, where, expected, got, fix, exit } = error;
  return {
    event: 'error',
    seed,
    code,
    message,
    ...(where !== undefined && { where }),
    ...(expected !== undefined && { expected }),
    ...(got !== undefined && { got }),
    ...(fix !== undefined && { fix }),
    exit,
  };
}

/** Any error as one of ours; a defect keeps its stack as the cause. */
export function toVirelError(error: unknown): VirelError {
  if (isVirelError(error)) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new VirelError('PANIC', `internal defect: ${message}`, {
    fix: 'report it with the output of: npx virel-native doctor',
    cause: error,
  });
}

/**
 * Trains in this process, on a thread of its own.
 *
 * @param options Config keys, short names, `runDir`, `runsDir`; `env` may be an environment of `defineEnvironment`;
 *   nothing at all is virel on HalfCheetah-v5.
 * @throws VirelError `CONFIG_*`, `ENV_UNKNOWN`, `ENV_INVALID`, `ALGORITHM_UNKNOWN` at once; `finished` rejects with
 *   `PERMISSION`, `IO`, `RUN_LOCKED`, `NATIVE_*`, `DEVICE_MISSING`, `ABORTED` before training, `DIVERGED`, `SIM_UNSTABLE`,
 *   `ENV_FAILED`, `ENV_INVALID`, `ENV_SHARED` during it.
 */
export function train(options: ConfigOptions = {}, control: TrainControl = {}): TrainingRun {
  const { resolution, environment } = resolveOptions(options);
  checkFolder('runDir', options.runDir);
  checkFolder('runsDir', options.runsDir);
  return startTraining(resolution, options, control, environment);
}

function checkFolder(name: string, value: unknown): void {
  if (value === undefined) return;
  // no path of any system holds a zero character
  if (typeof value === 'string' && value !== '' && !value.includes('\0')) return;
  const expected = "a folder's path";
  const code = typeof value === 'string' ? 'CONFIG_RANGE' : 'CONFIG_TYPE';
  throw new VirelError(code, `${name}: expected ${expected}, got ${show(value)}`, {
    where: `option ${name}`,
    expected,
    got: show(value),
    fix: `leave ${name} out`,
  });
}

/**
 * As {@link train}, for a config that is already resolved.
 *
 * @param environment The one that the config names; without it `env.module` is imported, if the config has one.
 */
export function startTraining(
  resolution: Resolution,
  place: RunPlace,
  control: TrainControl = {},
  environment?: CustomEnvironment,
): TrainingRun {
  const queue = new EventQueue();
  const run = new Run(resolution, place, control, queue, environment);
  const finished = run.start().finally(() => queue.end());
  // the error event tells a reader of events; who awaits `finished` gets the rejection
  finished.catch(() => {});
  return { finished, [Symbol.asyncIterator]: () => queue[Symbol.asyncIterator]() };
}

/** One run from its folder to its summary. */
class Run {
  readonly #resolution: Resolution;
  readonly #place: RunPlace;
  readonly #control: TrainControl;
  readonly #queue: EventQueue;
  readonly #started = new Date();
  #logger: Logger | undefined;
  #loop: TrainingLoop | undefined;
  #status: 'starting' | 'running' = 'starting';
  readonly #warned = new Set<string>();
  #environment: CustomEnvironment | undefined;

  constructor(
    resolution: Resolution,
    place: RunPlace,
    control: TrainControl,
    queue: EventQueue,
    environment: CustomEnvironment | undefined,
  ) {
    this.#resolution = resolution;
    this.#place = place;
    this.#control = control;
    this.#queue = queue;
    this.#environment = environment;
  }

  async start(): Promise<Summary> {
    const { config } = this.#resolution;
    // the caller gets the run before its first event
    await Promise.resolve();
    let directory: RunDirectory | undefined;
    try {
      if (this.#control.signal?.aborted) throw new VirelError('ABORTED', 'stopped before it began');
      const fallback = defaultRunPath(config, this.#place.runsDir ?? 'runs', this.#started);
      directory = openRunDirectory(this.#place.runDir, fallback);
      return await this.#trainIn(directory);
    } catch (cause) {
      const error = toVirelError(cause);
      this.#fail(error, directory);
      throw error;
    } finally {
      this.#logger?.close();
      directory?.release();
    }
  }

  /** Everything after the folder is ours. */
  async #trainIn(directory: RunDirectory): Promise<Summary> {
    const { config } = this.#resolution;
    directory.writeStatus({ state: 'starting', step: 0 });
    const { module } = config.env;
    if (module !== null) this.#environment ??= await loadEnvironment(module);
    const environment = this.#environment;
    const facts = (this.#control.nativeFacts ?? nativeFacts)(config, environment);
    const argv = this.#control.argv ?? [];
    const manifest = describeMachine(config, argv, this.#started, facts);
    describeRun(directory.path, this.#resolution, manifest, facts?.modelDirectory);
    this.#openLogger(directory.path);
    const { seed, algorithm, steps } = config;
    const runDir = directory.path;
    const { torch, mujoco } = manifest.versions;
    const env = config.env.id;
    this.#emit({ event: 'start', seed, runDir, env, algorithm, steps, torch, mujoco });
    const custom = customModel(config, manifest);
    if (custom !== undefined) {
      this.#emit({ event: 'warning', seed, code: 'MODEL_CUSTOM', message: custom });
    }
    const session = await (this.#control.createSession ?? createNativeSession)(config, environment);
    try {
      return await this.#trainWith(session, directory);
    } finally {
      session.dispose();
    }
  }

  /** The loop, with a heartbeat beside it, and the summary. */
  async #trainWith(session: TrainingSession, directory: RunDirectory): Promise<Summary> {
    const { config } = this.#resolution;
    const loop = new TrainingLoop({
      config,
      session,
      directory,
      signal: this.#control.signal ?? new AbortController().signal,
      emit: (event) => this.#emit(event),
      clock: () => performance.now(),
    });
    this.#loop = loop;
    this.#status = 'running';
    const beat = () => this.#beat(directory);
    beat();
    const heart = setInterval(beat, HEARTBEAT);
    heart.unref();
    try {
      const state = await loop.run();
      const summary = summarise(config, directory.path, state, loop.outcome());
      const status = state === 'finished' ? 'finished' : 'saved';
      directory.writeStatus({ state: status, step: summary.steps });
      writeWhole(join(directory.path, 'summary.json'), pretty(summary));
      this.#emit(summary);
      return summary;
    } finally {
      clearInterval(heart);
    }
  }

  /** A heartbeat that fails is a warning. */
  #beat(directory: RunDirectory): void {
    try {
      directory.writeStatus({ state: this.#status, step: this.#loop?.outcome().steps ?? 0 });
    } catch (error) {
      this.#warnOnce('status.json cannot be written, and is tried again', error);
    }
  }

  #openLogger(directory: string): void {
    const { config } = this.#resolution;
    try {
      const sinks = [
        metricsSink(directory),
        evaluationSink(directory),
        episodeSink(directory, config.env.id, this.#started),
        logSink(directory, () => new Date()),
      ];
      this.#logger = new Logger(sinks, (name, error) =>
        this.#warn(`${name} is no longer written`, error),
      );
    } catch (error) {
      throw fileError(error, directory);
    }
  }

  #emit(event: TrainEvent): void {
    this.#logger?.write(event);
    this.#queue.push(event);
  }

  /** As {@link #warn}, but the same words once in a run. */
  #warnOnce(what: string, error: unknown): void {
    const words = `${what}: ${error instanceof Error ? error.message : String(error)}`;
    if (this.#warned.has(words)) return;
    this.#warned.add(words);
    this.#warn(what, error);
  }

  #warn(what: string, error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    const message = `${what}: ${reason}`;
    this.#emit({
      event: 'warning',
      seed: this.#resolution.config.seed,
      code: 'SINK_FAILED',
      message,
    });
  }

  /** Says of a failed run what can still be said: events, and files if there is a folder. */
  #fail(error: VirelError, directory: RunDirectory | undefined): void {
    const { config } = this.#resolution;
    const nothing: Outcome = { steps: 0, updates: 0, wallSeconds: 0, evaluations: [] };
    const outcome = this.#loop?.outcome() ?? nothing;
    const runDir = directory?.path ?? this.#place.runDir ?? '';
    const summary = summarise(config, runDir, 'failed', outcome, error);
    this.#emit(errorEvent(error, config.seed));
    if (directory !== undefined) {
      const state = error.code === 'DIVERGED' ? 'diverged' : 'failed';
      try {
        directory.writeStatus({ state, step: outcome.steps, code: error.code });
        writeWhole(join(directory.path, 'summary.json'), pretty(summary));
      } catch (another) {
        // the disk may be what failed; the events still reach their reader
        this.#warn('summary.json cannot be written', another);
      }
    }
    this.#emit(summary);
  }
}
