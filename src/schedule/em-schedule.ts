/**
 * The EM schedule: what makes one iteration (the paper's is one environment step, one M-step, one E-step), and how
 * many iterations to hand to the native side at once. Pure: progress in, plan out; no clock, no engine.
 *
 * The number of iterations in a plan sets the pace, never the result: plans of any size run the same iterations
 * in the same order, and none reaches past a point where something is due.
 */
import type { ResolvedConfig } from '../config/schema.js';

/** Gradient steps of one iteration. */
export interface UpdatePhase {
  /** M-steps: action value and state value on their losses, then the target. */
  mSteps: number;
  /** E-steps: the policy on its loss. */
  eSteps: number;
}

/** Part of an iteration: environment steps, or gradient steps. */
export type Phase = { collect: number } | { update: UpdatePhase };

/** Iterations for one call into native code. */
export interface Plan {
  /** Iterations, at least 1. */
  repeat: number;
  /** What each iteration does, in order. */
  phases: readonly Phase[];
}

/** Where training stands, in environment steps. */
export interface Progress {
  /** Steps done. */
  step: number;
  /** Steps at which something is due: an evaluation, a record, a checkpoint, the end. Those behind are ignored. */
  due: readonly number[];
}

/** An iteration, and plans of it. */
export interface EmSchedule {
  /** Environment steps of an iteration. */
  readonly envSteps: number;
  /** The phases of an iteration. */
  readonly phases: readonly Phase[];
  /**
   * The next plan: at most `iterations` of them (at least 1), ending at the first point that is due. A point
   * inside an iteration is reached by completing it.
   */
  next(progress: Progress, iterations: number): Plan;
}

/** The schedule of a config. */
export function emSchedule(schedule: ResolvedConfig['schedule']): EmSchedule {
  const { envSteps, mSteps, eSteps } = schedule;
  const phases: Phase[] = [{ collect: envSteps }, { update: { mSteps, eSteps } }];
  return {
    envSteps,
    phases,
    next: ({ step, due }, iterations) => {
      const first = Math.min(...due.filter((point) => point > step));
      const until = Math.ceil((first - step) / envSteps);
      return { repeat: Math.max(1, Math.min(Math.floor(iterations), until)), phases };
    },
  };
}

/** The first multiple of `every` behind `step`. */
export function nextMultiple(every: number, step: number): number {
  return (Math.floor(step / every) + 1) * every;
}
