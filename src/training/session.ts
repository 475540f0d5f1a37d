/** What the training loop needs of a session; the native one satisfies it. */
import type { ResolvedConfig } from '../config/schema.js';
import type { Plan } from '../schedule/em-schedule.js';

/** What an `advance` did, and where the session stands. */
export interface Advanced {
  /** Iterations completed; fewer than planned after an abort. */
  iterations: number;
  /** Environment steps since the session began. */
  steps: number;
  /** Gradient steps since the session began. */
  updates: number;
  /** Unstable simulator states since the session began. */
  unstableResets: number;
  /** Training episodes that ended during this call, unscaled. */
  episodes: readonly { step: number; return: number; length: number }[];
}

/** Episodes of the deterministic policy, unscaled. */
export interface Evaluated {
  episodes: number;
  returnMean: number;
  returnStd: number;
  returns: number[];
  lengths: number[];
}

/** A learner with its replay buffer, environments and random streams. */
export interface TrainingSession {
  /** Runs a plan; an abort returns at the next step with what was done. Throws `ABORTED` if aborted before. */
  advance(plan: Plan, options: { signal?: AbortSignal }): Promise<Advanced>;
  /** `episodes`, or whole episodes until more than `minSteps` steps. Throws `ABORTED` when stopped. */
  evaluate(options: {
    episodes?: number;
    minSteps?: number;
    signal?: AbortSignal;
  }): Promise<Evaluated>;
  /** Numbers of the latest gradient step, by the names of `logging/metrics.ts`. */
  metrics(): Record<string, number>;
  /** Writes all parameters to a safetensors file. */
  saveParameters(path: string, metadata: Record<string, string>): void;
  dispose(): void;
}

/** Makes the session of a config. */
export type CreateSession = (config: ResolvedConfig) => TrainingSession | Promise<TrainingSession>;
