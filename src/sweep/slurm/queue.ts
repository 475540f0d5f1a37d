/** The programs of Slurm: asked with argument lists, never by a shell, and what they answer as plain values. */
import { VirelError } from '../../errors.js';
import { lastLines, type RunResult, runProgram } from '../../setup/run.js';
import { findProgram } from '../../setup/tools.js';

/** A task of a job array that the queue has. */
export interface QueuedTask {
  /** Of the array. */
  readonly job: string;
  /** In the array. */
  readonly place: number;
  /** As Slurm names it, such as `PENDING`. */
  readonly state: string;
}

/** Places of an array where the cluster cannot be asked, as Slurm comes. */
const USUAL_PLACES = 1001;

/** What Slurm says of a job that it no longer knows. */
const GONE = /Invalid job id specified/;

/** @throws VirelError `TOOL_MISSING` where there is no Slurm; nothing is asked of it. */
export function requireSlurm(): void {
  if (findProgram('sbatch', process.env) === undefined) throw missing('sbatch');
}

function missing(program: Program, cause?: unknown): VirelError {
  return new VirelError('TOOL_MISSING', `${program} is not on the PATH: Slurm is not here`, {
    where: 'PATH',
    expected: `${program}, a program of Slurm`,
    fix: 'a login node of the cluster (or module load slurm); without one, leave --executor out',
    cause,
  });
}

type Program = 'sbatch' | 'squeue' | 'scancel' | 'scontrol';

/** @throws VirelError `TOOL_MISSING`. */
async function ask(program: Program, args: readonly string[], cwd?: string): Promise<RunResult> {
  try {
    return await runProgram(program, args, { env: process.env, ...(cwd !== undefined && { cwd }) });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw missing(program, error);
  }
}

/** A refusal in Slurm's own words. */
function refusal(program: Program, { output, status }: RunResult, fix: string): VirelError {
  const words = lastLines(output, 4).replaceAll(/^\w+: (?:error|fatal): /gm, '');
  const said = words.split('\n').join('; ') || `exit code ${status}`;
  return new VirelError('SLURM_REFUSED', `${program}: ${said}`, { where: program, fix });
}

/** The number that `sbatch --parsable` answers with, among warnings; undefined where there is none. */
export const jobNumber = (output: string) => /^(\d+)(?:;.*)?$/m.exec(output)?.[1];

/**
 * Submits a script.
 *
 * @param folder The folder that its tasks begin in.
 * @param args Options beside those of the script.
 * @returns Its number.
 * @throws VirelError `TOOL_MISSING`; `SLURM_REFUSED` in sbatch's words.
 */
export async function submit(
  script: string,
  folder: string,
  args: readonly string[],
): Promise<string> {
  const answer = await ask('sbatch', ['--parsable', ...args, script], folder);
  const job = answer.status === 0 ? jobNumber(answer.output) : undefined;
  if (job === undefined)
    throw refusal('sbatch', answer, 'other options (--partition, --time, --sbatch), or see sinfo');
  return job;
}

/** Lines of `squeue --format=%F|%K|%T`. */
export function queuedTasks(output: string): QueuedTask[] {
  return [...output.matchAll(/^(\d+)\|(\d+)\|([A-Z_]+)$/gm)].map(([, job, place, state]) => ({
    job: job as string,
    place: Number(place),
    state: state as string,
  }));
}

/** Tasks of jobs that the queue still has. @throws VirelError `TOOL_MISSING`, `SLURM_REFUSED`. */
export async function tasksInQueue(jobs: readonly string[]): Promise<QueuedTask[]> {
  if (jobs.length === 0) return [];
  const format = ['--array', '--noheader', '--format=%F|%K|%T'];
  const answer = await ask('squeue', [`--jobs=${jobs.join(',')}`, ...format]);
  if (answer.status === 0) return queuedTasks(answer.output);
  if (GONE.test(answer.output)) return [];
  throw refusal('squeue', answer, 'the same command again');
}

/** Takes jobs out of the queue; those that train are told to save. @throws VirelError `TOOL_MISSING`, `SLURM_REFUSED`. */
export async function cancel(jobs: readonly string[]): Promise<void> {
  if (jobs.length === 0) return;
  const answer = await ask('scancel', [...jobs]);
  if (answer.status === 0 || GONE.test(answer.output)) return;
  throw refusal('scancel', answer, 'the same command again');
}

/** Puts a running task back into the queue, which ends it. @throws VirelError `TOOL_MISSING`, `SLURM_REFUSED`. */
export async function requeue(task: string): Promise<void> {
  const answer = await ask('scontrol', ['requeue', task]);
  // it belongs to the job that it ends
  if (answer.status === 0 || answer.killedBy !== null) return;
  throw refusal('scontrol', answer, 'the command that submitted the sweep, again');
}

/** Places that a job array can have; the number that Slurm comes with where it cannot be asked. */
export async function mostPlaces(): Promise<number> {
  try {
    const { output } = await ask('scontrol', ['show', 'config']);
    return Number(/^MaxArraySize\s*=\s*(\d+)$/m.exec(output)?.[1] ?? USUAL_PLACES);
  } catch {
    return USUAL_PLACES;
  }
}
