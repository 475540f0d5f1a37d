/** Hands the runs of a sweep to Slurm: a job array of those that are missing, followed to its end where that is asked for. */
import { join, resolve } from 'node:path';
import type { ResolvedConfig } from '../../config/schema.js';
import { makeFolders, writeWhole } from '../../training/files.js';
import { passTime } from '../../training/patient-save.js';
import { planFile } from '../folder.js';
import { memoryToAskFor, needsOf } from '../needs.js';
import type { PlanRow } from '../plan.js';
import { readPlan } from '../plan-file.js';
import { type Executor, type SweepTask, standingOf } from '../run.js';
import { followJobs } from './follow.js';
import { type Job, type QueuedRow, readJobs, rowsInQueue, slurmFolder, writeJobs } from './jobs.js';
import { mostPlaces, submit } from './queue.js';
import { arraysOf, type JobOptions, logPattern, scriptOf, type TaskNeeds } from './script.js';

/** How a sweep is handed over. */
export interface SlurmRequest {
  /** Of the sweep. */
  readonly name: string;
  readonly options: JobOptions;
  /** The folder that relative paths begin in. */
  readonly cwd: string;
  /** The program with the words that come before and behind the plan's name in a task's command. */
  readonly program: readonly string[];
  readonly words: readonly string[];
  readonly configOf: (row: PlanRow) => ResolvedConfig;
  /** Whether the runs are followed to their end. */
  readonly wait: boolean;
  /** Told what a person should know. */
  say(text: string): void;
  /** Told every job that was submitted. */
  submitted(job: Job): void;
}

/** A script, and what of the plan it does. */
export interface Script {
  readonly text: string;
  readonly base: number;
  readonly runs: number;
}

/** What a task of any of these runs takes. */
function taskNeeds(tasks: readonly SweepTask[], { configOf }: SlurmRequest): TaskNeeds {
  const configs = [...new Set(tasks.map(({ row }) => configOf(row)))];
  const needs = configs.map(needsOf);
  return {
    cores: Math.max(...needs.map(({ cores }) => cores)),
    memory: Math.max(...needs.map(memoryToAskFor)),
    gpus: configs.some(({ runtime }) => runtime.device.startsWith('cuda')) ? 1 : 0,
  };
}

/** Places of runs in the plan of a sweep's folder, by their own folders. */
type Indexes = ReadonlyMap<string, number>;

/** The place of each run in the plan that the sweep's folder has: what tasks go by, however the file of the sweep changes. */
export function indexesIn(dir: string): Indexes {
  const { rows } = readPlan(planFile(dir));
  return new Map(rows.map(({ folder, index }) => [folder, index]));
}

/**
 * The scripts that do some runs of a sweep whose plan lies in its folder.
 *
 * @param places Of an array, as the cluster allows.
 */
export function scriptsOf(
  dir: string,
  { tasks, indexes }: { tasks: readonly SweepTask[]; indexes: Indexes },
  request: SlurmRequest,
  places: number,
): Script[] {
  const { name, options, cwd, program, words } = request;
  const folder = resolve(dir);
  const needs = taskNeeds(tasks, request);
  const plan = ['sweep', planFile(folder), '--sweep-dir', folder];
  const rows = tasks.map(({ row }) => indexes.get(row.folder) as number);
  return arraysOf(
    rows.sort((a, b) => a - b),
    places,
  ).map((array) => {
    const job = { ...array, name, cwd, command: [...program, ...plan, ...words] };
    return { text: scriptOf(job, needs, options), base: array.base, runs: array.places.length };
  });
}

/** Hands runs to Slurm; those that the queue has already are not submitted again. */
export const slurmExecutor =
  (dir: string, request: SlurmRequest): Executor =>
  async (tasks, control) => {
    const known = readJobs(dir);
    const queue = await settledQueue(known, request.say, control.signal);
    const indexes = indexesIn(dir);
    const inQueue = new Set(queue.map(({ index }) => index));
    const queued = tasks.filter(({ row }) => inQueue.has(indexes.get(row.folder) as number));
    const others = tasks.filter(({ row }) => !inQueue.has(indexes.get(row.folder) as number));
    const held = others.filter((task) => standingOf(task).state === 'running');
    const open = others.filter((task) => !held.includes(task));
    if (queued.length > 0) request.say(`${runs(queued.length)} in the queue already`);
    if (held.length > 0)
      request.say(`${runs(held.length)} held by a process outside the queue: left to it`);
    const before = known.filter(({ job }) => queue.some((task) => task.job === job));
    const jobs = [...before, ...(await submitAll(dir, { tasks: open, indexes, before }, request))];
    const handed = [...queued, ...open];
    if (!request.wait || handed.length === 0) return { queued: handed.length };
    return followJobs({ tasks: handed, jobs, indexes, ...request }, control);
  };

const runs = (count: number) => `${count} run${count === 1 ? ' is' : 's are'}`;

/** Milliseconds between looks at a queue that is not settled, and how many: what still completes then counts as queued. */
const SETTLING = 1000;
const LOOKS = 60;

/** The queue when no task is between two states: one that completes either leaves it or is being put back. */
async function settledQueue(
  jobs: readonly Job[],
  say: SlurmRequest['say'],
  signal: AbortSignal,
): Promise<QueuedRow[]> {
  for (let looks = 1; ; looks += 1) {
    const queue = await rowsInQueue(jobs);
    const completing = queue.filter(({ state }) => state === 'COMPLETING').length;
    if (completing === 0 || looks === LOOKS || signal.aborted) return queue;
    if (looks === 1) say(`${runs(completing)} ending in the queue: waited for, a minute at most`);
    await passTime(SETTLING, signal);
  }
}

/** Submits runs, and remembers each job at once. */
async function submitAll(
  dir: string,
  {
    tasks,
    indexes,
    before,
  }: { tasks: readonly SweepTask[]; indexes: Indexes; before: readonly Job[] },
  request: SlurmRequest,
): Promise<Job[]> {
  if (tasks.length === 0) return [];
  const folder = resolve(slurmFolder(dir));
  makeFolders(folder);
  const output = `--output=${logPattern(folder)}`;
  const scripts = scriptsOf(dir, { tasks, indexes }, request, await mostPlaces());
  const jobs: Job[] = [];
  for (const [at, { text, base, runs: count }] of scripts.entries()) {
    const script = join(folder, `array-${at}.sh`);
    writeWhole(script, text);
    // several arrays together keep to the limit of one
    const last = request.options.maxParallel === undefined ? undefined : jobs.at(-1)?.job;
    const order = last === undefined ? [] : [`--dependency=afterany:${last}`];
    const job = await submit(script, folder, [output, ...order]);
    const entry = { job, base, runs: count, submitted: new Date().toISOString() };
    jobs.push(entry);
    writeJobs(dir, [...before, ...jobs]);
    request.submitted(entry);
  }
  return jobs;
}
