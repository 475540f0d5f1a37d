/** A run in this process: its folder, its session, the loop, and what is said when it ends. */
import { dirname, join } from 'node:path';
import type { Resolution } from '../config/resolve.js';
import type { ResolvedConfig } from '../config/schema.js';
import type { CustomEnvironment } from '../environments/define.js';
import { loadEnvironment } from '../environments/load.js';
import type { VirelError } from '../errors.js';
import type { Summary, TrainEvent } from '../logging/events.js';
import type { Logger } from '../logging/logger.js';
import { ensureNative } from '../native/addon.js';
import { Checkpoints } from './checkpoint.js';
import { diskNeed, diskWarning } from './disk-need.js';
import { EventQueue } from './event-queue.js';
import { errorEvent, stoppedBefore, toVirelError } from './failure.js';
import { pretty, writeWhole } from './files.js';
import {
  handleOf,
  type ResumeControl,
  type ResumedRun,
  type RunControl,
  type RunPlace,
  type TrainingRun,
} from './handle.js';
import { HEARTBEAT } from './heartbeat.js';
import { TrainingLoop } from './loop.js';
import {
  circumstances,
  customModel,
  describeMachine,
  type RunManifest,
  recordContinuation,
} from './manifest.js';
import { createNativeSession, nativeFacts } from './native.js';
import { passTime } from './patient-save.js';
import { openResumption, type Resumption } from './resume.js';
import {
  defaultRunPath,
  describeConfig,
  describeRun,
  openRunDirectory,
  type RunDirectory,
  type RunStatus,
} from './run-directory.js';
import { FileWarnings, openRunLog } from './run-log.js';
import { SaveRequests } from './save-requests.js';
import type { TrainingSession } from './session.js';
import { endState, type Outcome, summarise } from './summary.js';

/**
 * Trains in this process, on a thread of its own.
 *
 * @param environment The one that the config names; without it `env.module` is imported, if the config has one.
 */
export function startTraining(
  resolution: Resolution,
  place: RunPlace,
  control: RunControl = {},
  environment?: CustomEnvironment,
): TrainingRun {
  const queue = new EventQueue();
  return begin(new Run(resolution, place, control, queue, environment), queue);
}

/** Starts a run; what its caller holds of it. */
function begin(run: Run, queue: EventQueue): TrainingRun {
  const finished = run.start().finally(() => queue.end());
  // the error event tells a reader of events; who awaits `finished` gets the rejection
  finished.catch(() => {});
  return handleOf(run, finished, queue);
}

/**
 * Takes up a run in this process.
 *
 * @param runDir The run's folder.
 * @throws VirelError `RUN_LOCKED`, `CHECKPOINT_NONE`, `RESUME_INEXACT`, `CONFIG_*`, `NATIVE_*`, `IO`, `PERMISSION`: nothing
 *   has been changed then. `finished` rejects as that of `train` does.
 */
export async function resumeInProcess(
  runDir: string,
  control: ResumeControl & RunControl = {},
): Promise<ResumedRun> {
  const { step, discardNewer, layers, allowInexact, setup, ...rest } = control;
  if (setup) await ensureNative();
  const argv = control.argv ?? [];
  const describe = (config: ResolvedConfig) => {
    const facts = (control.nativeFacts ?? nativeFacts)(config, undefined);
    return describeMachine(config, { argv, started: new Date(), folder: process.cwd() }, facts);
  };
  const resumption = await openResumption(runDir, {
    step,
    discardNewer,
    layers,
    allowInexact,
    describe,
  });
  const queue = new EventQueue();
  const run = new Run(resumption.resolution, { runDir }, rest, queue, undefined, resumption);
  const { config } = resumption.resolution;
  return Object.assign(begin(run, queue), { config, from: describeResumption(resumption) });
}

function describeResumption({ state, saved, rows, inexact }: Resumption): ResumedRun['from'] {
  const newest = rows.at(-1);
  const count = newest === undefined ? 0 : newest.first + newest.count - (rows[0]?.first ?? 0);
  return { step: state.step, checkpoint: dirname(saved.folder), rows: count, inexact };
}

/** One run from its folder to its summary. */
class Run {
  readonly #resolution: Resolution;
  readonly #place: RunPlace;
  readonly #control: RunControl;
  readonly #queue: EventQueue;
  readonly #warnings: FileWarnings;
  readonly #started = new Date();
  readonly #resumption: Resumption | undefined;
  #logger: Logger | undefined;
  #loop: TrainingLoop | undefined;
  #status: RunStatus['state'] = 'starting';
  #environment: CustomEnvironment | undefined;
  readonly #requests = new SaveRequests();
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  #directory: RunDirectory | undefined;

  constructor(
    resolution: Resolution,
    place: RunPlace,
    control: RunControl,
    queue: EventQueue,
    environment: CustomEnvironment | undefined,
    resumption?: Resumption,
  ) {
    this.#resumption = resumption;
    this.#directory = resumption?.directory;
    this.#resolution = resolution;
    this.#place = place;
    this.#control = control;
    const { signal } = this.#stop;
    this.#signal = control.signal ? AbortSignal.any([control.signal, signal]) : signal;
    this.#queue = queue;
    this.#environment = environment;
    this.#warnings = new FileWarnings(resolution.config.seed, (event) => this.#emit(event));
  }

  get folder(): string | undefined {
    return this.#directory?.path;
  }

  status(): RunStatus {
    return {
      state: this.#status,
      step: this.#loop?.outcome().steps ?? this.#resumption?.state.step ?? 0,
    };
  }

  stop(): void {
    this.#stop.abort();
  }

  save(): Promise<string> {
    return this.#requests.ask();
  }

  async start(): Promise<Summary> {
    const { config } = this.#resolution;
    // the caller gets the run before its first event
    await Promise.resolve();
    try {
      // a run that goes on has a folder to say in that it was stopped
      if (this.#signal.aborted && this.#resumption === undefined) throw stoppedBefore();
      if (this.#control.setup) await ensureNative();
      const fallback = defaultRunPath(config, this.#place.runsDir ?? 'runs', this.#started);
      this.#directory ??= openRunDirectory(this.#place.runDir, fallback);
      this.#control.opened?.(this.#directory.path);
      return await this.#trainIn(this.#directory);
    } catch (cause) {
      const error = toVirelError(cause);
      this.#fail(error);
      throw error;
    } finally {
      this.#requests.end();
      this.#logger?.close();
      this.#directory?.release();
    }
  }

  /** Everything after the folder is ours. */
  async #trainIn(directory: RunDirectory): Promise<Summary> {
    const { config } = this.#resolution;
    const from = this.#resumption;
    directory.writeStatus({ state: 'starting', step: from?.state.step ?? 0 });
    const { module } = config.env;
    if (module !== null) this.#environment ??= await loadEnvironment(module);
    const environment = this.#environment;
    const manifest = from === undefined ? this.#describe(directory) : this.#takeUp(from);
    const clock = () => performance.now();
    const files = { directory: directory.path, sizes: from?.sizes };
    this.#logger = await openRunLog(files, config, this.#started, clock, this.#warnings);
    this.#logger.open();
    const { seed, algorithm, steps } = config;
    const runDir = directory.path;
    const { torch, mujoco } = manifest.versions;
    const env = config.env.id;
    this.#emit({ event: 'start', seed, runDir, env, algorithm, steps, torch, mujoco });
    const custom = customModel(config, manifest);
    if (custom !== undefined) {
      this.#emit({ event: 'warning', seed, code: 'MODEL_CUSTOM', message: custom });
    }
    for (const { code, message } of from?.warnings ?? [])
      this.#emit({ event: 'warning', seed, code, message });
    const session = await (this.#control.createSession ?? createNativeSession)(config, environment);
    try {
      this.#checkDisk(session, directory);
      if (from !== undefined) await session.loadState(from.saved);
      return await this.#trainWith(session, directory, manifest);
    } finally {
      session.dispose();
    }
  }

  /** Warns of a disk that will not hold the run. */
  #checkDisk({ task }: TrainingSession, { path }: RunDirectory): void {
    const { config } = this.#resolution;
    const written = (this.#resumption?.rows ?? []).reduce((sum, { count }) => sum + count, 0);
    const message = diskWarning(diskNeed(config, task, written), path);
    if (message === undefined) return;
    this.#emit({ event: 'warning', seed: config.seed, code: 'DISK_FULL', message });
  }

  /** Writes what describes a new run. */
  #describe(directory: RunDirectory): RunManifest {
    const { config } = this.#resolution;
    const facts = (this.#control.nativeFacts ?? nativeFacts)(config, this.#environment);
    const argv = this.#control.argv ?? [];
    const begun = { argv, started: this.#started, folder: process.cwd() };
    const manifest = describeMachine(config, begun, facts);
    describeRun(directory.path, this.#resolution, manifest, facts?.modelDirectory);
    return manifest;
  }

  /** Writes that a run goes on, and with what. */
  #takeUp({ directory, machine, state, inexact }: Resumption): RunManifest {
    const [at, argv] = [this.#started.toISOString(), this.#control.argv ?? []];
    describeConfig(directory.path, this.#resolution);
    recordContinuation(directory.path, { at, argv, step: state.step, inexact });
    return machine;
  }

  /** The loop, with a heartbeat beside it, and the summary. */
  async #trainWith(
    session: TrainingSession,
    directory: RunDirectory,
    manifest: RunManifest,
  ): Promise<Summary> {
    const { config } = this.#resolution;
    const from = this.#resumption;
    const madeBy = circumstances(manifest);
    const beat = () => this.#writeStatus(directory, this.status());
    const loop = new TrainingLoop({
      config,
      session,
      directory,
      checkpoints: new Checkpoints(directory.path, config, madeBy, from?.rows),
      from: from?.state,
      checkpoint: from && dirname(from.saved.folder),
      // files of earlier processes stay as they are
      fileSizes: () => ({ ...from?.state.files, ...this.#logger?.sizes() }),
      signal: this.#signal,
      requests: this.#requests,
      emit: (event) => this.#emit(event),
      stopping: () => {
        this.#status = 'stopping';
        beat();
      },
      saving: (isSaving) => this.#control.saving?.(isSaving),
      clock: () => performance.now(),
      wait: this.#control.wait ?? passTime,
    });
    this.#loop = loop;
    this.#status = 'running';
    beat();
    const heart = setInterval(beat, HEARTBEAT);
    heart.unref();
    try {
      const state = await loop.run();
      const summary = summarise(config, directory.path, state, loop.outcome());
      this.#status = endState(summary);
      this.#conclude(summary, directory);
      return summary;
    } finally {
      clearInterval(heart);
    }
  }

  /** A status that cannot be written is a warning: neither training nor its end depend on it. */
  #writeStatus(directory: RunDirectory, status: RunStatus): void {
    try {
      directory.writeStatus(status);
    } catch (error) {
      this.#warnings.refused('status.json', error, 'it is tried again every 10 s');
    }
  }

  /** Writes how the run ended, `summary.json` last of all files; its event follows when all is on disk. */
  #conclude(summary: Summary, directory: RunDirectory): void {
    this.#logger?.write(summary);
    this.#logger?.settle();
    const { steps, code } = summary;
    this.#writeStatus(directory, { state: this.#status, step: steps, ...(code && { code }) });
    writeWhole(join(directory.path, 'summary.json'), pretty(summary));
    this.#queue.push(summary);
  }

  #emit(event: TrainEvent): void {
    this.#logger?.write(event);
    this.#queue.push(event);
  }

  /** Says of a failed run what can still be said: events, and files if there is a folder. */
  #fail(error: VirelError): void {
    const directory = this.#directory;
    const { config } = this.#resolution;
    const nothing: Outcome = { steps: 0, updates: 0, wallSeconds: 0, evaluations: [] };
    const outcome = this.#loop?.outcome() ?? nothing;
    const runDir = directory?.path ?? this.#place.runDir ?? '';
    const summary = summarise(config, runDir, 'failed', outcome, error);
    this.#status = endState(summary);
    this.#emit(errorEvent(error, config.seed));
    if (directory === undefined) {
      this.#queue.push(summary);
      return;
    }
    try {
      this.#conclude(summary, directory);
    } catch (another) {
      // the disk may be what failed; the events still reach their reader
      this.#warnings.refused('summary.json', another, 'the run has no summary on disk');
      this.#queue.push(summary);
    }
  }
}
