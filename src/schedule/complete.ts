/**
 * Complete EM (F.5): after each stretch of environment steps the critic is trained on the held policy and targets until
 * its loss on one batch, the residual error against those targets, no longer changes, then the policy on the held critic
 * until it no longer changes.
 */
import type { Iteration } from './plan.js';

/** @returns collect, then converge M, then converge E. */
export function completeIteration(schedule: {
  readonly envSteps: number;
  readonly tolerance: number;
  readonly maxSteps: number;
}): Iteration {
  const { envSteps, tolerance, maxSteps } = schedule;
  return {
    envSteps,
    phases: [
      { collect: envSteps },
      { converge: { part: 'm', tolerance, maxSteps } },
      { converge: { part: 'e', tolerance, maxSteps } },
    ],
  };
}
