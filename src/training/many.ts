/** Several runs, one after the other or some at a time, each in a trainer process of its own. */
import type { Resolution } from '../config/resolve.js';
import type { Summary } from '../logging/events.js';
import { takeTrainer } from './early-trainer.js';
import type { RunPlace } from './handle.js';
import { type Supervision, supervise } from './supervise.js';

/** A run to be trained. */
export interface PlannedRun {
  resolution: Resolution;
  place: RunPlace;
}

/** How runs are trained. */
export interface ManyControl extends Supervision {
  /** Runs at a time. */
  readonly jobs: number;
  /** The command, for the manifests. */
  readonly argv: readonly string[];
}

/** Trains all runs; those not begun when the stop comes are left out. Never rejects: a summary says how each ended. */
export async function trainMany(
  runs: readonly PlannedRun[],
  control: ManyControl,
): Promise<Summary[]> {
  const summaries: (Summary | undefined)[] = runs.map(() => undefined);
  let next = 0;
  async function worker(): Promise<void> {
    while (next < runs.length && !control.signal.aborted) {
      const index = next;
      next += 1;
      const order = { train: runs[index] as PlannedRun, argv: control.argv, obeysSignals: true };
      summaries[index] = await supervise(takeTrainer(), order, control);
    }
  }
  await Promise.all(Array.from({ length: Math.min(control.jobs, runs.length) }, worker));
  return summaries.filter((summary) => summary !== undefined);
}
