/** Carries out the runs of a sweep: which of them are still to be done, and each by a trainer process of its own. */
import { rmSync } from 'node:fs';
import { join, resolve as resolvePath } from 'node:path';
import { VirelError } from '../errors.js';
import type { Summary, TrainEvent } from '../logging/events.js';
import { takeTrainer } from '../training/early-trainer.js';
import { toVirelError } from '../training/failure.js';
import { fileError } from '../training/files.js';
import type { Order } from '../training/messages.js';
import { supervise } from '../training/supervise.js';
import { tryClaim } from './claim.js';
import type { PlanRow, Resolve, SweepPlan } from './plan.js';
import { isRequeued, noLongerWaiting } from './slurm/requeued.js';
import { hasCheckpoint, holdsOnlyRun, isHeld, type RunStanding, standing } from './state.js';

/** A run that is to be done. */
export interface SweepTask {
  readonly row: PlanRow;
  /** Absolute. */
  readonly runDir: string;
  /** The folder of the whole sweep, absolute. */
  readonly sweepDir: string;
}

/** Who is told of the runs of a sweep, and who stops them. */
export interface SweepControl {
  /** Stops every run at its next step boundary, saved; none is begun any more. */
  readonly signal: AbortSignal;
  /** Given before this process ends at once: then the trainers do, too. */
  readonly atOnce: AbortSignal;
  /** Told every event of every run. */
  emit(task: SweepTask, event: TrainEvent): void;
  /** Told every line that something in a trainer wrote on its standard error. */
  say(task: SweepTask, line: string): void;
  /** Told the exit code that a stop signal to a trainer itself asks for. */
  signalled(exitCode: number): void;
  /** Told why a run could not be begun or taken up; its folder is as it was. */
  refused(task: SweepTask, error: VirelError): void;
  /** Told that a run does no more in this command. */
  over(task: SweepTask): void;
}

/** How an executor left what it was given. */
export interface Left {
  /** Runs that a scheduler still has: they go on without this process. */
  readonly queued: number;
}

/**
 * What gets runs done: it is given all that are to be done, and resolves when it has nothing more to do with them. That of this
 * machine is {@link localExecutor}; `slurm/executor.ts` hands the tasks to a scheduler, whose jobs call {@link carryOut}.
 */
export type Executor = (tasks: readonly SweepTask[], control: SweepControl) => Promise<Left>;

/** How a run is begun or taken up. */
export interface TaskOptions {
  readonly resolve: Resolve;
  /** The command, for the manifests. */
  readonly argv: readonly string[];
  /** Goes on where the bits will differ from those of a run that was never stopped. */
  readonly allowInexact: boolean;
}

/** The runs of a plan in a folder. */
export const tasksOf = ({ rows }: SweepPlan, dir: string): SweepTask[] =>
  rows.map((row) => ({
    row,
    runDir: resolvePath(join(dir, row.folder)),
    sweepDir: resolvePath(dir),
  }));

/** How a run stands; of one that was stopped, also whether its job waits to go on with it. */
export function standingOf(task: SweepTask): RunStanding {
  const of = standing(task.runDir);
  return of.state === 'stopped' && isRequeued(task) ? { ...of, state: 'requeued' } : of;
}

/** Whether a run is to be done: what failed is tried again only where that was asked for, what diverged would again. */
export function isDue({ state }: RunStanding, retryFailed: boolean): boolean {
  if (state === 'done' || state === 'diverged') return false;
  return state !== 'failed' || retryFailed;
}

/** Trains on this machine, some at a time, in the order of the plan. One that fails leaves the others alone. */
export const localExecutor =
  (jobs: number, options: TaskOptions): Executor =>
  async (tasks, control) => {
    let next = 0;
    const work = async () => {
      while (next < tasks.length && !control.signal.aborted) {
        const task = tasks[next] as SweepTask;
        next += 1;
        await carryOut(task, options, control);
      }
    };
    await Promise.all(Array.from({ length: Math.min(jobs, tasks.length) }, work));
    return { queued: 0 };
  };

/**
 * Does one run, from its beginning or from where it was. Never rejects: `control` is told how it ended.
 *
 * @returns Its summary; undefined where it was refused, or is done already.
 */
export async function carryOut(
  task: SweepTask,
  options: TaskOptions,
  control: SweepControl,
): Promise<Summary | undefined> {
  const { signal, atOnce } = control;
  const supervision = {
    signal,
    atOnce,
    emit: (event: TrainEvent) => control.emit(task, event),
    say: (line: string) => control.say(task, line),
    signalled: (exitCode: number) => control.signalled(exitCode),
  };
  let release = () => {};
  try {
    release = await claim(task, signal);
    await waitUntilFree(task.runDir, signal);
    if (signal.aborted || standing(task.runDir).state === 'done') return undefined;
    noLongerWaiting(task);
    return await supervise(takeTrainer(), orderOf(task, options), supervision);
  } catch (error) {
    control.refused(task, toVirelError(error));
    return undefined;
  } finally {
    release();
    control.over(task);
  }
}

/**
 * Seconds that an earlier process of a run is waited for: a trainer whose supervisor was killed saves and goes, as long as a
 * large checkpoint takes; one of another machine that died there is silent for so long before it counts as dead.
 */
const PATIENCE = 60;

/** Waits until a condition holds. @throws VirelError `RUN_LOCKED`. */
async function waitFor(
  isFree: () => boolean,
  signal: AbortSignal,
  { runDir, by }: { runDir: string; by: () => string },
): Promise<void> {
  const end = performance.now() + 1000 * PATIENCE;
  while (!isFree() && !signal.aborted) {
    if (performance.now() > end) {
      const message = `${runDir} is in use by ${by()}`;
      const fix = 'wait for it, then the same command again';
      throw new VirelError('RUN_LOCKED', message, { where: runDir, fix });
    }
    await new Promise((done) => setTimeout(done, 100));
  }
}

/** Claims the row of a run from everyone, on every machine; the function gives it back. @throws VirelError `RUN_LOCKED`. */
async function claim(
  { row, runDir, sweepDir }: SweepTask,
  signal: AbortSignal,
): Promise<() => void> {
  const file = join(sweepDir, 'claims', `${row.folder}.lock`);
  let release: (() => void) | undefined;
  let owner = 'another process';
  const isFree = () => {
    try {
      const attempt = tryClaim(file);
      if ('release' in attempt) release = attempt.release;
      else owner = `pid ${attempt.owner.pid} on ${attempt.owner.host}`;
    } catch (error) {
      throw fileError(error, file, 'a sweep folder that you may write to');
    }
    return release !== undefined;
  };
  await waitFor(isFree, signal, { runDir, by: () => owner });
  return () => release?.();
}

/** Waits for a trainer that an earlier sweep has left behind. @throws VirelError `RUN_LOCKED`. */
const waitUntilFree = (runDir: string, signal: AbortSignal) =>
  waitFor(() => !isHeld(runDir), signal, { runDir, by: () => 'another process' });

/** The order for a trainer. Where there is nothing to go on from, what an earlier try left is removed first. */
function orderOf({ row, runDir }: SweepTask, options: TaskOptions): Order {
  const { resolve, argv, allowInexact } = options;
  const resolution = resolve(row);
  // an environment in TypeScript has a state that no checkpoint holds
  const goesOn = hasCheckpoint(runDir) && resolution.config.env.module === null;
  if (goesOn) return { resume: { runDir, options: { allowInexact } }, argv, obeysSignals: true };
  if (holdsOnlyRun(runDir)) rmSync(runDir, { recursive: true, force: true });
  return { train: { resolution, place: { runDir } }, argv, obeysSignals: true };
}
