/** Partial EM (F.3): a few gradient steps on each part per iteration. The paper has one environment step, one M-step and one E-step. */
import type { Iteration } from './plan.js';

/** @returns collect, then update. */
export function partialIteration(schedule: {
  readonly envSteps: number;
  readonly mSteps: number;
  readonly eSteps: number;
}): Iteration {
  const { envSteps, mSteps, eSteps } = schedule;
  return { envSteps, phases: [{ collect: envSteps }, { update: { mSteps, eSteps } }] };
}
