/** The jobs that a sweep was handed to, in a file of its folder: what is asked of the queue, by whoever comes later. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { makeFolders, pretty, readRunFile, writeWhole } from '../../training/files.js';
import { type QueuedTask, tasksInQueue } from './queue.js';

const jobSchema = z.object({
  /** Its number. */
  job: z.string().regex(/^\d+$/),
  /** What is added to a place in its array to give the row of the plan. */
  base: z.int().min(0),
  /** How many runs it was given. */
  runs: z.int().min(1),
  /** UTC, ISO 8601. */
  submitted: z.iso.datetime(),
});
const schema = z.object({ v: z.literal(1), jobs: z.array(jobSchema) });

/** A job array that was submitted. */
export type Job = z.infer<typeof jobSchema>;

/** Where scripts and logs of a sweep's jobs lie. */
export const slurmFolder = (dir: string) => join(dir, 'slurm');

const fileOf = (dir: string) => join(slurmFolder(dir), 'jobs.json');

/** The jobs that a sweep was handed to, as far as they are remembered. @throws VirelError `RUN_CORRUPT`, `PERMISSION`, `IO`. */
export function readJobs(dir: string): Job[] {
  const file = fileOf(dir);
  return existsSync(file) ? readRunFile(file, schema, { key: 'v', known: 1 }).jobs : [];
}

/** @throws VirelError `PERMISSION`, `DISK_FULL`, `QUOTA`, `IO`. */
export function writeJobs(dir: string, jobs: readonly Job[]): void {
  makeFolders(slurmFolder(dir));
  writeWhole(fileOf(dir), pretty({ v: 1, jobs }));
}

/** A run that the queue has. */
export interface QueuedRow extends QueuedTask {
  /** Of the plan in the sweep's folder. */
  readonly index: number;
}

/** Runs of a sweep that the queue has. @throws VirelError as {@link tasksInQueue}. */
export async function rowsInQueue(jobs: readonly Job[]): Promise<QueuedRow[]> {
  const bases = new Map(jobs.map(({ job, base }) => [job, base]));
  const tasks = await tasksInQueue(jobs.map(({ job }) => job));
  return tasks.flatMap((task) => {
    const base = bases.get(task.job);
    return base === undefined ? [] : [{ ...task, index: base + task.place }];
  });
}
