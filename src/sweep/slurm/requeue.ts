/** A task of a job that comes to its time limit: saved, it goes back into the queue, and goes on from there. */
import { VirelError } from '../../errors.js';
import { listCheckpoints } from '../../training/checkpoint.js';
import type { SweepTask } from '../run.js';
import { requeue } from './queue.js';
import { readRequeues, writeRequeues } from './requeued.js';

/** Requeues in a row before which not one step was done; then it will not get better. */
const MOST_IDLE = 3;

/** The task that this process is, as Slurm names it; undefined outside a job. */
export function slurmTask(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const { SLURM_JOB_ID: job, SLURM_ARRAY_JOB_ID: array, SLURM_ARRAY_TASK_ID: place } = env;
  return array !== undefined && place !== undefined ? `${array}_${place}` : job;
}

/** Steps that are safe; -1 before the first checkpoint. */
export const savedSteps = (runDir: string) => Number(listCheckpoints(runDir).at(-1) ?? -1);

/**
 * Puts the task of a run that was stopped back into the queue, which ends this process's job.
 *
 * @param name Of the task.
 * @param before The steps that were safe when it began.
 * @throws VirelError `SLURM_NO_PROGRESS` where it would be for nothing again; `SLURM_REFUSED`, `TOOL_MISSING`; `PERMISSION`, `IO`.
 */
export async function requeueTask(task: SweepTask, name: string, before: number): Promise<void> {
  const last = readRequeues(task);
  const idle = savedSteps(task.runDir) > before ? 0 : last.idle + 1;
  if (idle > MOST_IDLE) {
    writeRequeues(task, { ...last, idle: 0, waiting: false });
    const message = `${task.row.folder} was requeued ${MOST_IDLE} times without a step that could be saved`;
    throw new VirelError('SLURM_NO_PROGRESS', message, {
      where: task.runDir,
      expected: 'a time limit that some steps fit in',
      fix: 'the command that submitted the sweep, with a longer --time',
    });
  }
  // written first: nothing that this process does is sure to come to its end afterwards
  writeRequeues(task, { v: 1, requeues: last.requeues + 1, idle, waiting: true });
  try {
    await requeue(name);
  } catch (error) {
    writeRequeues(task, { ...last, waiting: false });
    throw error;
  }
}
