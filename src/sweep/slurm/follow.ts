/** Follows runs that Slurm has, by the queue and by the runs' own files. */
import { join } from 'node:path';
import type { ResolvedConfig } from '../../config/schema.js';
import { VirelError } from '../../errors.js';
import { errorEvent } from '../../training/failure.js';
import { passTime } from '../../training/patient-save.js';
import { readSummary } from '../../training/summary.js';
import type { PlanRow } from '../plan.js';
import { type Left, type SweepControl, type SweepTask, standingOf } from '../run.js';
import type { RunState } from '../state.js';
import { type Job, type QueuedRow, rowsInQueue, slurmFolder } from './jobs.js';

/** Milliseconds between looks: the queue is everyone's. */
const LOOK = 5000;
/** Looks that may fail in a row, such as while the controller is started anew: ten minutes. */
const MOST_FAILURES = 120;
/** Looks of which one is at a run that waits in the queue, which another process may train: a minute. */
const WAITING_LOOKS = 12;

/** What is followed. */
export interface Followed {
  readonly tasks: readonly SweepTask[];
  readonly jobs: readonly Job[];
  /** Places in the plan of the sweep's folder, by folder of the run. */
  readonly indexes: ReadonlyMap<string, number>;
  readonly configOf: (row: PlanRow) => ResolvedConfig;
  say(text: string): void;
}

/** A run as it was last seen. */
interface Seen {
  step: number;
  /** Milliseconds of this process's clock, then and when it was first seen to train. */
  at: number;
  readonly since: number;
}

/** Tells `control` how runs go on until the queue has none of them, or this process is to stop: the jobs run on then. */
export async function followJobs(followed: Followed, control: SweepControl): Promise<Left> {
  const left = new Set(followed.tasks);
  const seen = new Map<SweepTask, Seen>();
  const places = new Map<SweepTask, QueuedRow>();
  for (let failures = 0, looks = 0; left.size > 0 && !control.signal.aborted; looks += 1) {
    // the queue first: files of a run that has left it no longer change
    const queue = await rowsInQueue(followed.jobs).catch((error: unknown) => {
      failures += 1;
      if (failures === 1) followed.say(`${(error as Error).message}: asked again`);
      if (failures >= MOST_FAILURES) throw error;
      return undefined;
    });
    if (queue !== undefined) failures = 0;
    const rows = new Map(queue?.map((row) => [row.index, row]));
    for (const task of left) {
      const row = rows.get(followed.indexes.get(task.row.folder) as number);
      if (row !== undefined) places.set(task, row);
      // its files may lie on a shared disk, and seldom change: some of those that wait at each look
      if (row?.state === 'PENDING' && (row.index + looks) % WAITING_LOOKS !== 0) continue;
      const hasLeft = queue !== undefined && row === undefined;
      const ended = look(task, hasLeft, seen, followed, control);
      if (ended === undefined) continue;
      left.delete(task);
      if (ended !== 'done' && ended !== 'failed' && ended !== 'diverged')
        vanished(task, places.get(task), control);
      control.over(task);
    }
    if (left.size > 0) await passTime(LOOK, control.signal);
  }
  return { queued: left.size };
}

/** Tells what is new of a run; how it stands where it does no more. */
function look(
  task: SweepTask,
  hasLeft: boolean,
  seen: Map<SweepTask, Seen>,
  { configOf }: Followed,
  control: SweepControl,
): RunState | undefined {
  const { state, step, code, message } = standingOf(task);
  const seed = Number(task.row.values['seed']);
  if (state === 'running' && !hasLeft) {
    const now = performance.now();
    const known = seen.get(task);
    // its file is written every ten seconds: nothing new is no standstill
    if (known?.step === step) return undefined;
    const before = known ?? { step, at: now, since: now };
    const seconds = (now - before.at) / 1000;
    const stepsPerSecond = seconds > 0 ? Math.max(0, step - before.step) / seconds : 0;
    seen.set(task, { step, at: now, since: before.since });
    const { steps } = configOf(task.row);
    const wall = (now - before.since) / 1000;
    // gradient steps are not in the files that are read
    const unknown = { updates: 0, updatesPerSecond: 0 };
    control.emit(task, { event: 'progress', seed, step, steps, wall, stepsPerSecond, ...unknown });
    return undefined;
  }
  if (state !== 'done' && !hasLeft) return undefined;
  if (code !== undefined) {
    const error = new VirelError(code, message ?? code, { where: task.runDir });
    control.emit(task, errorEvent(error, seed));
  }
  const summary = readSummary(task.runDir);
  if (summary !== undefined) control.emit(task, summary);
  return state;
}

/** Says of a run whose task ended before it where the reason may stand. */
function vanished(task: SweepTask, row: QueuedRow | undefined, control: SweepControl): void {
  const name = row === undefined ? 'its job' : `job ${row.job}_${row.place}`;
  const log = row && join(slurmFolder(task.sweepDir), `${row.job}_${row.place}.log`);
  const error = new VirelError('SLURM_JOB_ENDED', `${name} ended before its run was done`, {
    where: log ?? task.runDir,
    fix: 'what it said stands there; the same command again goes on',
  });
  control.refused(task, error);
}
