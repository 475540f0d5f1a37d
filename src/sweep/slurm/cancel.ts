/** Takes a sweep out of the queue. */
import { VirelError } from '../../errors.js';
import type { SweepTask } from '../run.js';
import { readJobs, rowsInQueue } from './jobs.js';
import { cancel } from './queue.js';
import { noLongerWaiting } from './requeued.js';

/** Milliseconds between looks, and seconds that tasks have to save: Slurm kills what is still there long before. */
const LOOK = 500;
const PATIENCE = 180;

/**
 * Cancels the jobs of a sweep, and waits until the queue has none of its runs: those that trained are saved then.
 *
 * @returns How many of its runs the queue had.
 * @throws VirelError `TOOL_MISSING`; `SLURM_REFUSED`, also where some are still there after three minutes.
 */
export async function cancelSweep(dir: string, tasks: readonly SweepTask[]): Promise<number> {
  const known = readJobs(dir);
  const rows = await rowsInQueue(known);
  const jobs = [...new Set(rows.map(({ job }) => job))];
  await cancel(jobs);
  const end = performance.now() + 1000 * PATIENCE;
  for (let left = rows; left.length > 0; left = await rowsInQueue(known)) {
    if (performance.now() > end) {
      const names = left.slice(0, 5).map(({ job, place }) => `${job}_${place}`);
      const message = `scancel: ${names.join(', ')} still in the queue after ${PATIENCE} s`;
      const fix = `squeue --jobs=${jobs.join(',')}`;
      throw new VirelError('SLURM_REFUSED', message, { where: 'scancel', fix });
    }
    await new Promise((done) => setTimeout(done, LOOK));
  }
  for (const task of tasks) noLongerWaiting(task);
  return rows.length;
}
