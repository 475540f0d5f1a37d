/** The score of a run. */
import { mean } from './aggregates.js';

/** Last part of the steps whose evaluations make the score. */
export const SCORED_PART = 0.1;

/** A value that was measured at a step. */
export interface Measured {
  readonly step: number;
  readonly value: number;
}

/** Mean of what was measured in the last tenth of `steps`, never the maximum; undefined if nothing was. */
export function scoreOf(measured: readonly Measured[], steps: number): number | undefined {
  const scored = measured.filter(({ step }) => step > steps * (1 - SCORED_PART) && step <= steps);
  return scored.length === 0 ? undefined : mean(scored.map(({ value }) => value));
}
