/** What a supervisor and its trainer say to each other. The channel clones: numbers that are no JSON arrive as they are. */
import type { Resolution } from '../config/resolve.js';
import type { TrainEvent } from '../logging/events.js';
import type { PlainError } from './failure.js';
import type { ResumedRun, RunPlace } from './handle.js';
import type { ResumeOptions } from './resume.js';

interface Ordered {
  /** The command, for the manifest. */
  readonly argv: readonly string[];
  /** Whether a stop signal to the trainer stops the run; a program's are its own affair, and its end stops the run. */
  readonly obeysSignals: boolean;
}

/** A new run. */
export interface TrainOrder extends Ordered {
  readonly train: { readonly resolution: Resolution; readonly place: RunPlace };
}

/** A run that goes on. */
export interface ResumeOrder extends Ordered {
  readonly resume: {
    readonly runDir: string;
    readonly options: Omit<ResumeOptions, 'describe'>;
  };
}

/** What a trainer is to do; it gets one, and ends when that is done. */
export type Order = TrainOrder | ResumeOrder;

/** To the trainer: an order, and maybe a stop, and checkpoints that are asked for, each by a number. */
export type ToTrainer = Order | { readonly stop: true } | { readonly save: number };

/** How a checkpoint that was asked for came out. */
export type Saved =
  | { readonly save: number; readonly path: string }
  | { readonly save: number; readonly error: PlainError };

/** Where a run that goes on was taken up, and its config. */
export type TakenUp = Pick<ResumedRun, 'config' | 'from'>;

/** To the supervisor. */
export type FromTrainer =
  | { readonly event: TrainEvent }
  /** The run's folder, once it is made and locked. */
  | { readonly opened: string }
  /** Before the first event of a run that goes on. */
  | { readonly takenUp: TakenUp }
  /** The run does not go on, and nothing has been changed. */
  | { readonly refused: PlainError }
  /** A checkpoint is being written, or no longer. */
  | { readonly saving: boolean }
  | { readonly saved: Saved }
  /** Why the run failed, with its cause, after its last event. */
  | { readonly failed: PlainError }
  /** A stop signal came to the trainer itself: the exit code it asks for. */
  | { readonly signalled: number };
