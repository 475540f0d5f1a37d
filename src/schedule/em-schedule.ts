/**
 * The EM schedule: what makes one iteration (the paper's is one environment step, one M-step, one E-step), and how
 * many iterations to hand to the native side at once. Pure: progress in, plan out; no clock, no engine.
 *
 * The number of iterations in a plan sets the pace, never the result: plans of any size run the same iterations
 * in the same order, and none reaches past a point where something is due.
 */
import type { ResolvedConfig } from '../config/schema.js';
import { completeIteration } from './complete.js';
import { residualFloorAt } from './incremental.js';
import { partialIteration } from './partial.js';
import type { Iteration, Plan } from './plan.js';

export type { ConvergePhase, Iteration, Phase, Plan, UpdatePhase } from './plan.js';

/** Where training stands, in environment steps. */
export interface Progress {
  /** Steps done. */
  step: number;
  /** Step up to which all that was due is done: `step`, unless half an iteration behind it is not. */
  since?: number;
  /** Steps at which something is due: an evaluation, a record, a checkpoint, the end. Those behind `since` are ignored. */
  due: readonly number[];
}

/** An iteration, and plans of it. */
export interface EmSchedule extends Iteration {
  /**
   * The next plan: at most `iterations` of them (at least 1), ending at the first point that is due, or at the end of a
   * stage. A point inside an iteration is reached by completing it.
   */
  next(progress: Progress, iterations: number): Plan;
}

/** The schedule of a config. */
export function emSchedule(schedule: ResolvedConfig['schedule']): EmSchedule {
  const iteration =
    schedule.kind === 'complete' ? completeIteration(schedule) : partialIteration(schedule);
  const { envSteps, phases } = iteration;
  return {
    ...iteration,
    next: ({ step, since = step, due }, iterations) => {
      const repeatUntil = (points: readonly number[]) => {
        const first = Math.min(...points.filter((point) => point > since));
        const until = Math.ceil((first - step) / envSteps);
        return Math.max(1, Math.min(Math.floor(iterations), until));
      };
      if (schedule.kind !== 'incremental') return { repeat: repeatUntil(due), phases };
      const stageEnd = nextMultiple(schedule.every, step);
      const residualFloor = residualFloorAt(schedule, step);
      return { repeat: repeatUntil([...due, stageEnd]), phases, residualFloor };
    },
  };
}

/** The first multiple of `every` behind `step`. */
export function nextMultiple(every: number, step: number): number {
  return (Math.floor(step / every) + 1) * every;
}
