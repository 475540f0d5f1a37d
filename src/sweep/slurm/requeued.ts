/** What is known of the requeues of a run, in a file of the sweep's folder: how often, and how often for nothing. */
import { dirname, join } from 'node:path';
import * as z from 'zod';
import { makeFolders, pretty, readRunFile, writeWhole } from '../../training/files.js';
import type { SweepTask } from '../run.js';
import { slurmFolder } from './jobs.js';

const schema = z.object({
  v: z.literal(1),
  /** All of them. */
  requeues: z.int().min(0),
  /** The last ones in a row before which not one step was done. */
  idle: z.int().min(0),
  /** Whether the job waits in the queue to go on. */
  waiting: z.boolean(),
});

/** The requeues of a run. */
export type Requeues = z.infer<typeof schema>;

const NONE: Requeues = { v: 1, requeues: 0, idle: 0, waiting: false };

const fileOf = ({ sweepDir, row }: SweepTask) =>
  join(slurmFolder(sweepDir), 'requeued', `${row.folder}.json`);

/** The requeues of a run; none where its file is not there, or is not whole. */
export function readRequeues(task: SweepTask): Requeues {
  try {
    return readRunFile(fileOf(task), schema, { key: 'v', known: 1 });
  } catch {
    return NONE;
  }
}

/** @throws VirelError `PERMISSION`, `DISK_FULL`, `QUOTA`, `IO`. */
export function writeRequeues(task: SweepTask, requeues: Requeues): void {
  makeFolders(dirname(fileOf(task)));
  writeWhole(fileOf(task), pretty(requeues));
}

/** Whether the job of a run waits in the queue to go on with it. */
export const isRequeued = (task: SweepTask) => readRequeues(task).waiting;

/** Says that no job waits any more: it has begun, or was taken out of the queue. */
export function noLongerWaiting(task: SweepTask): void {
  const requeues = readRequeues(task);
  if (requeues.waiting) writeRequeues(task, { ...requeues, waiting: false });
}
