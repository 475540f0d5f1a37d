/** What `sweep` does on a cluster: its flags, the jobs that it hands over, shows and cancels, and one row as a task of a job. */
import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Argv } from 'yargs';
import { VirelError } from '../errors.js';
import { openSweep, planFile } from '../sweep/folder.js';
import type { LoadedSweep } from '../sweep/load.js';
import type { Resources } from '../sweep/needs.js';
import { isDue, localExecutor, type SweepTask, standingOf } from '../sweep/run.js';
import { cancelSweep } from '../sweep/slurm/cancel.js';
import { indexesIn, type SlurmRequest, scriptsOf, slurmExecutor } from '../sweep/slurm/executor.js';
import { type Job, readJobs } from '../sweep/slurm/jobs.js';
import { mostPlaces } from '../sweep/slurm/queue.js';
import { requeueTask, savedSteps, slurmTask } from '../sweep/slurm/requeue.js';
import { noLongerWaiting } from '../sweep/slurm/requeued.js';
import { type JobOptions, lineValue, sbatchOptions, timeSeconds } from '../sweep/slurm/script.js';
import { countStates } from '../sweep/state.js';
import { exitOf, type StopSignals } from '../training/signals.js';
import {
  type CarryOptions,
  carryOutRuns,
  carryOutSweep,
  type Prepared,
  prepare,
  standingsOf,
  taskOptions,
} from './carry-out.js';
import { wholeNumber } from './numbers.js';
import { note, print, printJson, shortPath } from './output.js';
import { standLine } from './sweep-table.js';

/** What the parser makes of the flags. */
export interface ClusterArguments {
  executor: string;
  partition: string | undefined;
  time: string | undefined;
  maxParallel: string | undefined;
  sbatch: string[] | undefined;
  print: boolean | undefined;
  wait: boolean | undefined;
  cancel: boolean | undefined;
  task: string | undefined;
}

/** Adds them to a verb. */
export const withClusterOptions = <T>(yargs: Argv<T>) =>
  yargs
    .option('executor', {
      type: 'string',
      requiresArg: true,
      default: 'local',
      describe: 'local, or slurm: a cluster',
    })
    .option('partition', { type: 'string', requiresArg: true, describe: 'slurm: of its jobs' })
    .option('time', { type: 'string', requiresArg: true, describe: 'slurm: 4:00:00, of a task' })
    .option('max-parallel', {
      type: 'string',
      requiresArg: true,
      describe: 'slurm: tasks at a time',
    })
    .option('sbatch', {
      type: 'string',
      array: true,
      nargs: 1,
      describe: 'slurm: account=NAME, any option',
    })
    .option('print', { type: 'boolean', describe: 'slurm: the script, without submitting it' })
    .option('wait', { type: 'boolean', describe: 'slurm: follow the runs to their end' })
    .option('cancel', { type: 'boolean', describe: 'slurm: stop its jobs, saved' })
    .option('task', { type: 'string', requiresArg: true, describe: 'Row N of the plan alone' })
    .conflicts('cancel', ['plan-only', 'status', 'print', 'wait', 'task'])
    .conflicts('task', ['plan-only', 'status', 'print', 'wait', 'jobs'])
    .conflicts('print', ['plan-only', 'status', 'wait']);

/** What only a cluster's jobs have. */
const FLAGS = {
  '--partition': 'partition',
  '--time': 'time',
  '--max-parallel': 'maxParallel',
  '--sbatch': 'sbatch',
  '--print': 'print',
  '--wait': 'wait',
} as const;

const usage = (where: string, message: string, fix: string) =>
  new VirelError('CLI_USAGE', `${where}: ${message}`, { where, fix });

/** Refuses flags that have no meaning beside the executor. @throws VirelError `CLI_USAGE`. */
function checkExecutor(args: ClusterArguments, jobs: string | undefined): void {
  const { executor, task } = args;
  if (executor === 'slurm') {
    if (jobs !== undefined) throw usage('--jobs', 'is of this machine', `--max-parallel ${jobs}`);
    if (task !== undefined)
      throw usage('--task', 'is a row that this process trains', '--task N without --executor');
  } else if (executor === 'local') {
    const given = Object.entries(FLAGS).find(([, key]) => args[key] !== undefined);
    if (given !== undefined)
      throw usage(given[0], 'only the jobs of a cluster have it', '--executor slurm beside it');
  } else
    throw usage(
      '--executor',
      `expected local or slurm, got ${executor || '""'}`,
      '--executor slurm',
    );
}

/** Options of jobs as they were given. @throws VirelError `CLI_USAGE`, `CONFIG_RANGE`, `CONFIG_TYPE`. */
export function jobOptions(args: ClusterArguments, jobs: string | undefined): JobOptions {
  checkExecutor(args, jobs);
  const { partition, time, maxParallel, sbatch = [] } = args;
  if (time !== undefined) timeSeconds(time);
  return {
    partition: partition === undefined ? undefined : lineValue('--partition', partition),
    time,
    maxParallel:
      maxParallel === undefined ? undefined : wholeNumber('--max-parallel', maxParallel, 1),
    more: sbatchOptions(sbatch),
  };
}

/** A cluster has as much as is asked of it, as far as this machine knows. */
export const CLUSTER: Resources = {
  cores: Number.POSITIVE_INFINITY,
  memory: Number.POSITIVE_INFINITY,
};

/** How a sweep is handed over, and what the tasks of its jobs are told. */
export interface HandOver {
  readonly wait: boolean;
  readonly retryFailed: boolean;
  readonly allowInexact: boolean;
  readonly json: boolean;
  /** The command of this sweep, for a person to go on with. */
  readonly command: string;
}

function requestOf(prepared: Prepared, options: JobOptions, flags: HandOver): SlurmRequest {
  const { sweep, configOf } = prepared;
  return {
    name: sweep.plan.name,
    options,
    cwd: process.cwd(),
    program: [process.execPath, realpathSync(process.argv[1] as string)],
    // it was set up before the job was submitted; sixty tasks shall not each try to
    words: [
      '--no-setup',
      ...(flags.retryFailed ? ['--retry-failed'] : []),
      ...(flags.allowInexact ? ['--allow-inexact'] : []),
    ],
    configOf,
    wait: flags.wait,
    say: note,
    submitted: ({ job, runs, base }) => {
      if (flags.json) printJson({ event: 'submitted', job, runs, base });
      note(`submitted job ${job}: ${runs} run${runs === 1 ? '' : 's'}`);
    },
  };
}

/** Hands a sweep to Slurm, and says what a person can do then. */
export async function sweepOnSlurm(
  prepared: Prepared,
  options: JobOptions,
  flags: HandOver,
  carry: Omit<CarryOptions, 'execute'>,
): Promise<void> {
  const { dir } = prepared;
  const request = requestOf(prepared, options, flags);
  let queued = 0;
  await carryOutSweep(prepared, {
    ...carry,
    execute: async (tasks, control) => {
      const left = await slurmExecutor(dir, request)(tasks, control);
      queued = left.queued;
      return left;
    },
  });
  if (queued === 0 || carry.quiet) return;
  note(
    `the jobs run on without this command; next: ${flags.command} --status, or --cancel, or --executor slurm --wait`,
  );
}

/** Prints the scripts, and writes the plan that they name; nothing is submitted. */
export async function printScripts(
  prepared: Prepared,
  options: JobOptions,
  flags: HandOver,
): Promise<void> {
  const { dir, sweep, tasks, standings } = prepared;
  openSweep(dir, sweep.plan)();
  const due = tasks.filter(({ row }) => {
    const standing = standings.get(row.folder);
    return standing !== undefined && isDue(standing, flags.retryFailed);
  });
  if (due.length === 0) return note('nothing is to be done');
  const [request, places] = [requestOf(prepared, options, flags), await mostPlaces()];
  const scripts = scriptsOf(dir, { tasks: due, indexes: indexesIn(dir) }, request, places);
  const [script] = scripts;
  // one after the other they would be one script, of which sbatch and the shell read the first alone
  if (script === undefined || scripts.length > 1)
    throw usage(
      '--print',
      `these runs take ${scripts.length} arrays of at most ${places} places, and one script is one array`,
      'the same without --print, or fewer runs',
    );
  print(script.text.trimEnd());
  note(`the plan: ${shortPath(planFile(dir))}; submit the script with sbatch`);
}

/** Cancels a sweep's jobs, and says how its runs stand. */
export async function cancelOnSlurm(
  dir: string,
  tasks: readonly SweepTask[],
  json: boolean,
): Promise<void> {
  const cancelled = await cancelSweep(dir, tasks);
  const counts = countStates([...standingsOf(tasks).values()]);
  if (json) return printJson({ sweep: dir, cancelled, counts });
  note(
    cancelled === 0
      ? 'the queue has no run of this sweep'
      : `${cancelled} run${cancelled === 1 ? '' : 's'} taken out of the queue`,
  );
  print(standLine(counts, undefined));
}

/** The jobs that a sweep was handed to, a line each. */
export const jobLines = (dir: string): string[] =>
  readJobs(dir).map(
    ({ job, runs, submitted }: Job) =>
      `slurm job ${job}: ${runs} run${runs === 1 ? '' : 's'}, submitted ${submitted.slice(0, 16)}Z`,
  );

/** One row of a sweep. @throws VirelError `CONFIG_RANGE`, `CONFIG_TYPE`. */
export function rowOf({ plan, resolve: resolveRow }: LoadedSweep, text: string): LoadedSweep {
  const index = wholeNumber('--task', text, 0);
  const row = plan.rows[index];
  if (row !== undefined) return { plan: { name: plan.name, rows: [row] }, resolve: resolveRow };
  const expected = `0 to ${plan.rows.length - 1}`;
  throw new VirelError('CONFIG_RANGE', `--task: the plan has rows ${expected}, no ${index}`, {
    where: '--task',
    expected,
    got: text,
    fix: `--task ${plan.rows.length - 1}`,
  });
}

/** Does the one run of a prepared sweep; at the time limit of a job it is saved, and the job put back into the queue. */
export async function carryOutTask(
  prepared: Prepared,
  allowInexact: boolean,
  carry: Omit<CarryOptions, 'execute'>,
): Promise<void> {
  const [task] = prepared.tasks as [SweepTask];
  const before = savedSteps(task.runDir);
  // the job has begun, whatever comes of it; where this process is none, one may wait still
  if (slurmTask(process.env) !== undefined) noLongerWaiting(task);
  await carryOutRuns(prepared, {
    ...carry,
    execute: localExecutor(1, taskOptions(prepared, allowInexact)),
  });
  await afterLimit(task, before, carry.stop);
}

/** The time limit is told by USR1; TERM is a pre-emption, after which the cluster requeues a job by itself, or a cancellation. */
async function afterLimit(task: SweepTask, before: number, stop: StopSignals): Promise<void> {
  const name = slurmTask(process.env);
  if (name === undefined || stop.exitCode() !== exitOf('SIGUSR1')) return;
  // one that waited for its run until now sees it as another process has it, or as that left it
  if (!isDue(standingOf(task), false)) return;
  await requeueTask(task, name, before);
}

/** A sweep in its folder, absolute, as every task of it has it. */
export const prepareTask = (
  sweep: LoadedSweep,
  dir: string,
  asked: { task: string; retryFailed: boolean; runsDir: string },
): Prepared => prepare(rowOf(sweep, asked.task), resolve(dir), { ...asked, jobs: undefined });
