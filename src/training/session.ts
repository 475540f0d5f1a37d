/** What the training loop needs of a session; the native one satisfies it. */
import type { ResolvedConfig } from '../config/schema.js';
import type { TaskSizes } from '../environments/choices.js';
import type { CustomEnvironment } from '../environments/define.js';
import type { Progress, SavedState } from '../native/session.js';
import type { Plan } from '../schedule/em-schedule.js';
import type { EvaluationResult } from '../statistics/evaluation.js';

/** A learner with its replay buffer, environments and random streams. */
export interface TrainingSession {
  /** Runs a plan; an abort returns at the next step with what was done. Throws `ABORTED` if aborted before. */
  advance(plan: Plan, options: { signal?: AbortSignal }): Promise<Progress>;
  /** Where it stands, with the episodes of an `advance` that failed: each is told once. */
  progress(): Progress;
  /** `episodes`, or whole episodes until more than `minSteps` steps. Throws `ABORTED` when stopped. */
  evaluate(options: {
    episodes?: number;
    minSteps?: number;
    signal?: AbortSignal;
  }): Promise<EvaluationResult>;
  /** Sizes and bounds of the environment. */
  readonly task: TaskSizes;
  /** Numbers of the latest gradient step, by the names of `logging/metrics.ts`. */
  measure(): Promise<Record<string, number>>;
  /** Writes all parameters to a safetensors file. */
  saveParameters(path: string, metadata: Record<string, string>): Promise<void>;
  /** Writes what its future depends on, beside parameters and replay buffer, to `folder`; the names of the files. */
  saveState(folder: string): Promise<readonly string[]>;
  /** Writes transitions from number `first` on, as many as a file takes; the first and how many. No file without any. */
  saveReplay(path: string, first: number): Promise<{ first: number; count: number }>;
  /** Takes up what a session of the same config wrote. */
  loadState(saved: SavedState): Promise<void>;
  /** Frees what it holds. */
  dispose(): void;
}

/** Makes the session of a config; `environment` where that is none of our tasks. */
export type CreateSession = (
  config: ResolvedConfig,
  environment: CustomEnvironment | undefined,
) => TrainingSession | Promise<TrainingSession>;
