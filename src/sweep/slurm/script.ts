/** The script of a job array: its text, from plain values; nothing here speaks to a cluster. */
import { VirelError } from '../../errors.js';
import { shellWord } from '../../shell.js';

/** What a person may say of the jobs. */
export interface JobOptions {
  readonly partition: string | undefined;
  /** As sbatch takes it, checked by {@link timeSeconds}. */
  readonly time: string | undefined;
  /** Tasks that run at a time; as many as the cluster allows without it. */
  readonly maxParallel: number | undefined;
  /** Further options of sbatch by name; an empty value is an option that has none. */
  readonly more: ReadonlyMap<string, string>;
}

/** What a task takes of its node. */
export interface TaskNeeds {
  readonly cores: number;
  /** Bytes. */
  readonly memory: number;
  readonly gpus: number;
}

/** A job array. */
export interface ArrayJob {
  /** Name of the job, for people. */
  readonly name: string;
  /** Places in the array, ascending. */
  readonly places: readonly number[];
  /** What is added to a place to give the row of the plan. */
  readonly base: number;
  /** The folder that relative paths of the sweep begin in. */
  readonly cwd: string;
  /** The program and its words; `--task` and the row come behind them. */
  readonly command: readonly string[];
}

/** Seconds before its time limit at which a task is told to save. */
const LEAD = 120;

/** Options of sbatch that the sweep gives itself, and what to do instead. */
const OURS: Readonly<Record<string, string>> = {
  array: '--max-parallel N limits how many run at a time',
  chdir: 'relative paths begin where the command is given',
  clusters: 'the cluster of the login node is used',
  dependency: 'the sweep orders its own jobs',
  'job-name': 'the job is named by the file of the sweep',
  'open-mode': 'logs of tasks are appended to',
  output: 'logs of tasks lie in the folder of the sweep, below slurm',
  parsable: 'the sweep reads the answer of sbatch itself',
  requeue: 'tasks are always requeued',
  signal: 'tasks are always told of their time limit',
  wait: '--wait',
  wrap: 'the sweep is what runs',
  partition: '--partition NAME',
  time: '--time LIMIT',
};

/** Options of sbatch that say what memory, cores or GPUs a task has: ours are left out beside them. */
const INSTEAD: Readonly<Record<'mem' | 'cpus' | 'gpus', readonly string[]>> = {
  mem: ['mem', 'mem-per-cpu', 'mem-per-gpu', 'exclusive'],
  cpus: ['cpus-per-task', 'cpus-per-gpu', 'exclusive'],
  gpus: ['gres', 'gpus', 'gpus-per-task', 'gpus-per-node', 'tres-per-task'],
};

function wrong(flag: string, message: string, expected: string, got: string, fix: string) {
  return new VirelError('CLI_USAGE', `${flag}: ${message}`, { where: flag, expected, got, fix });
}

/** A value that stands in one line of a script. @throws VirelError `CLI_USAGE`. */
export function lineValue(flag: string, value: string): string {
  // sbatch reads a backslash in its lines otherwise than a shell does
  if (value !== '' && !/[\p{C}\p{Zl}\p{Zp}\\]/u.test(value)) return value;
  const expected = 'a value without line ends, control characters and backslashes';
  throw wrong(flag, `${JSON.stringify(value)} is no value of sbatch`, expected, value, `${flag} x`);
}

/** `key=value`, or `key` alone, as given to `--sbatch`. @throws VirelError `CLI_USAGE`. */
export function sbatchOptions(words: readonly string[]): Map<string, string> {
  const options = new Map<string, string>();
  for (const word of words) {
    const [, key = '', value] = /^([a-z][a-z0-9-]*)(?:=(.+))?$/s.exec(word) ?? [];
    const example = '--sbatch account=NAME';
    if (key === '') {
      const expected = 'key=value, of a long option of sbatch';
      throw wrong('--sbatch', `${JSON.stringify(word)} is no option`, expected, word, example);
    }
    const ours = OURS[key];
    if (ours !== undefined)
      throw wrong('--sbatch', `${key} is set by the sweep`, 'another option', word, ours);
    if (options.has(key))
      throw wrong('--sbatch', `${key} is given twice`, 'each option once', word, example);
    options.set(key, value === undefined ? '' : lineValue('--sbatch', value));
  }
  return options;
}

/** Forms of a time limit, their parts in days, hours, minutes and seconds. */
const TIMES: readonly [RegExp, readonly number[]][] = [
  [/^(\d+)$/, [60]],
  [/^(\d+):(\d{1,2})$/, [60, 1]],
  [/^(\d+):(\d{1,2}):(\d{1,2})$/, [3600, 60, 1]],
  [/^(\d+)-(\d{1,2})$/, [86_400, 3600]],
  [/^(\d+)-(\d{1,2}):(\d{1,2})$/, [86_400, 3600, 60]],
  [/^(\d+)-(\d{1,2}):(\d{1,2}):(\d{1,2})$/, [86_400, 3600, 60, 1]],
];

/** Seconds of a time limit as sbatch takes it. @throws VirelError `CLI_USAGE`. */
export function timeSeconds(time: string): number {
  for (const [form, units] of TIMES) {
    const parts = form.exec(time)?.slice(1);
    const seconds = parts?.reduce((sum, part, at) => sum + Number(part) * (units[at] as number), 0);
    if (seconds !== undefined && seconds > 0 && Number.isSafeInteger(seconds)) return seconds;
  }
  const expected = 'minutes, H:MM:SS or D-HH:MM:SS';
  const message = `${JSON.stringify(time)} is no time limit`;
  throw wrong('--time', message, expected, time, '--time 4:00:00');
}

/** A quarter of a short limit: what is left has to be enough for some steps. */
const leadOf = (time: string | undefined) =>
  time === undefined ? LEAD : Math.max(1, Math.min(LEAD, Math.floor(timeSeconds(time) / 4)));

/** Ascending numbers as sbatch writes them: `0-3,7`. */
export function ranges(numbers: readonly number[]): string {
  const parts: [number, number][] = [];
  for (const each of numbers) {
    const last = parts.at(-1);
    if (last !== undefined && last[1] === each - 1) last[1] = each;
    else parts.push([each, each]);
  }
  return parts.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(',');
}

/**
 * Rows of a plan as arrays that the cluster takes: a place is a row, less a multiple of the number of places.
 *
 * @param rows Ascending.
 * @param most Places that an array of the cluster can have, its `MaxArraySize`.
 */
export function arraysOf(
  rows: readonly number[],
  most: number,
): { base: number; places: number[] }[] {
  const arrays = new Map<number, number[]>();
  for (const row of rows) {
    const base = row - (row % most);
    const places = arrays.get(base) ?? [];
    places.push(row - base);
    arrays.set(base, places);
  }
  return [...arrays].map(([base, places]) => ({ base, places }));
}

/** Options of a job, each a line. */
function directives(job: ArrayJob, needs: TaskNeeds, options: JobOptions): string[] {
  const { partition, time, maxParallel, more } = options;
  const has = (what: keyof typeof INSTEAD) => INSTEAD[what].some((key) => more.has(key));
  const limit = maxParallel === undefined ? '' : `%${maxParallel}`;
  const lines: [string, string][] = [
    // a name may hold anything; its job's is for people who look at a queue
    ['job-name', `virel-${job.name.replace(/[^\w.-]/g, '-')}`],
    ['array', `${ranges(job.places)}${limit}`],
    ['requeue', ''],
    ['open-mode', 'append'],
    ['output', LOG],
    ['signal', `B:USR1@${leadOf(time)}`],
    ...(has('cpus') ? [] : [['cpus-per-task', `${needs.cores}`] as [string, string]]),
    ...(has('mem') ? [] : [['mem', `${Math.ceil(needs.memory / 2 ** 20)}M`] as [string, string]]),
    ...(needs.gpus === 0 || has('gpus') ? [] : [['gres', `gpu:${needs.gpus}`] as [string, string]]),
    ...(partition === undefined ? [] : [['partition', partition] as [string, string]]),
    ...(time === undefined ? [] : [['time', time] as [string, string]]),
    ...more,
  ];
  return lines.map(([key, value]) =>
    value === '' ? `#SBATCH --${key}` : `#SBATCH --${key}=${shellWord(value)}`,
  );
}

/** Where each task of an array writes its log: its number, and its place in the array. */
const LOG = '%A_%a.log';

/**
 * The path of {@link LOG} in a folder, which sbatch would fill in letters of.
 *
 * @throws VirelError `CLI_USAGE` for a folder that Slurm can write no log into.
 */
export function logPattern(folder: string): string {
  if (!folder.includes('\\')) return `${folder.replaceAll('%', '%%')}/${LOG}`;
  const message = `${folder}: Slurm writes no log into a folder whose path has a backslash`;
  throw new VirelError('CLI_USAGE', message, {
    where: '--sweep-dir',
    expected: 'a path without backslashes',
    got: folder,
    fix: '--sweep-dir runs/sweep',
  });
}

/** The whole script. */
export function scriptOf(job: ArrayJob, needs: TaskNeeds, options: JobOptions): string {
  const row =
    job.base === 0 ? '"$SLURM_ARRAY_TASK_ID"' : `"$((SLURM_ARRAY_TASK_ID + ${job.base}))"`;
  return [
    '#!/bin/sh',
    ...directives(job, needs, options),
    `cd ${shellWord(job.cwd)} || exit 1`,
    `export OMP_NUM_THREADS="\${SLURM_CPUS_PER_TASK:-1}"`,
    // the signal of the time limit comes to this process, which has to be the program itself
    `exec ${job.command.map(shellWord).join(' ')} --task ${row}`,
    '',
  ].join('\n');
}
