/** What the caller of a run gives and holds, wherever the run is trained. */
import type { ResolvedConfig } from '../config/schema.js';
import type { CustomEnvironment } from '../environments/define.js';
import type { Summary, TrainEvent } from '../logging/events.js';
import type { NativeFacts } from '../native/facts.js';
import type { SavePatience } from './patient-save.js';
import type { ResumeOptions } from './resume.js';
import type { RunStatus } from './run-directory.js';
import type { CreateSession } from './session.js';

/** How a run is controlled. */
export interface TrainControl {
  /**
   * Stops training at the next step boundary; parameters and summary are written. Signals of the system are the program's:
   * where it ends by one, a run in a process of its own is saved and ends; one in this process is cut off.
   */
  signal?: AbortSignal | undefined;
  /** The command, for the manifest. */
  argv?: readonly string[] | undefined;
  /** Sets the native part up first where it is missing, as the verb `setup` does; else the run fails with `NATIVE_MISSING`. */
  setup?: boolean | undefined;
  /**
   * Trains on a thread of this process, where an abort of a native library ends this process with it. By default a run has
   * a process of its own, except where it is made of values of this one: an environment of `defineEnvironment`, a
   * `createSession`.
   */
  inProcess?: boolean | undefined;
  /** Another learner than the native one. */
  createSession?: CreateSession | undefined;
  /** What the manifest of a `createSession` says of native libraries; undefined where there are none. */
  nativeFacts?: (
    config: ResolvedConfig,
    environment: CustomEnvironment | undefined,
  ) => NativeFacts | undefined;
}

/** What a run in this process lets its caller hear and replace besides. */
export interface RunControl extends TrainControl {
  /** Told the run's folder, once it is made and locked. */
  opened?: (runDir: string) => void;
  /** Told when a checkpoint begins to be written, and when that is over. */
  saving?: (isSaving: boolean) => void;
  /** Passes time between two tries to write the last checkpoint to a full disk; the clock's by default. */
  wait?: SavePatience['wait'];
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
  /** The run's folder, absolute; undefined until it is made, before the `start` event. */
  readonly dir: string | undefined;
  /** How far it is, as `status.json` says it. */
  status(): RunStatus;
  /** Stops at the next step boundary, as an abort of the signal does: saves, and `finished` resolves with `stopped`. */
  stop(): void;
  /**
   * Writes a checkpoint at the next step boundary, and goes on.
   *
   * @returns its folder.
   * @throws VirelError `ABORTED` where the run has ended; `IO`, `DISK_FULL`, `PERMISSION`, `NOT_FINITE` where it cannot be
   *   written: training goes on.
   */
  save(): Promise<string>;
}

/** How `resume` goes on. */
export interface ResumeControl extends TrainControl, Omit<ResumeOptions, 'describe'> {}

/** A run that was taken up. */
export interface ResumedRun extends TrainingRun {
  /** What it goes on with. */
  readonly config: ResolvedConfig;
  /** Where it was taken up. */
  readonly from: {
    /** Environment steps that were done. */
    step: number;
    /** The checkpoint's folder. */
    checkpoint: string;
    /** Transitions in its replay buffer. */
    rows: number;
    /** Why the bits may differ; nothing where they will not. */
    inexact: readonly string[];
  };
}

/** A run under way, wherever it is trained. */
interface Held {
  readonly folder: string | undefined;
  status(): RunStatus;
  stop(): void;
  save(): Promise<string>;
}

/** What a caller holds of a run. */
export const handleOf = (
  run: Held,
  finished: Promise<Summary>,
  events: AsyncIterable<TrainEvent>,
): TrainingRun => ({
  finished,
  get dir() {
    return run.folder;
  },
  status: () => run.status(),
  stop: () => run.stop(),
  save: () => run.save(),
  [Symbol.asyncIterator]: () => events[Symbol.asyncIterator](),
});
