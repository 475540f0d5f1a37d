/** The folder of a sweep: its plan, the lock of whoever carries it out, and below it a folder for each run. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { isVirelError, VirelError } from '../errors.js';
import { tryLock } from '../locking/lock.js';
import { fileError, makeFolders } from '../training/files.js';
import { difference, type SweepPlan } from './plan.js';
import { readPlan, writePlan } from './plan-file.js';

const LOCK = 'sweep.lock';
/** The plan in the folder of a sweep. */
export const planFile = (dir: string) => join(dir, 'plan.jsonl');
/** The file that a sweep is carried out from makes its plan again. */
const REMOVE = 'remove it, and give the same command again: no run is lost';

/**
 * Takes the folder of a sweep and writes its plan there: what an earlier plan has beside it stays in it, so that more seeds or
 * values extend a sweep.
 *
 * @returns The function that gives the folder back.
 * @throws VirelError `SWEEP_LOCKED` where another process carries it out; `CONFIG_CONFLICT` where the folder's plan says other
 *   things of the same runs; `PLAN_HASH`, `PERMISSION`, `DISK_FULL`, `QUOTA`, `IO`.
 */
export function openSweep(dir: string, plan: SweepPlan): () => void {
  try {
    makeFolders(resolve(dir));
    const release = takeLock(dir);
    try {
      writeTogether(planFile(dir), dir, plan);
    } catch (error) {
      release();
      throw error;
    }
    return release;
  } catch (error) {
    throw isVirelError(error) ? error : fileError(error, dir, '--sweep-dir DIR');
  }
}

function takeLock(dir: string): () => void {
  const attempt = tryLock(join(dir, LOCK));
  if ('release' in attempt) return attempt.release;
  const { pid, host, since } = attempt.owner;
  const message = `${dir} is carried out by pid ${pid} on ${host}${since ? ` since ${since}` : ''}`;
  throw new VirelError('SWEEP_LOCKED', message, {
    where: dir,
    expected: 'a sweep that nobody else carries out',
    got: `pid ${pid} on ${host}`,
    fix: 'wait for it, look with --status, or another --sweep-dir',
  });
}

/** Refuses a plan that differs from one that the folder has in what both say. @throws VirelError as {@link openSweep}. */
export function checkAgainst(dir: string, plan: SweepPlan): void {
  const path = planFile(dir);
  if (existsSync(path)) together(readPlan(path, REMOVE), dir, plan);
}

function writeTogether(path: string, dir: string, plan: SweepPlan): void {
  const before = existsSync(path) ? readPlan(path, REMOVE) : { name: plan.name, rows: [] };
  const rows = together(before, dir, plan);
  if (rows.length > before.rows.length) writePlan(path, { name: plan.name, rows });
}

/** The rows of both, those that were there first. */
function together(before: SweepPlan, dir: string, plan: SweepPlan): SweepPlan['rows'] {
  const known = new Map(before.rows.map((row) => [row.folder, row]));
  const added = plan.rows.filter((row) => {
    const other = known.get(row.folder);
    const differs = other && difference(other, row);
    if (differs === undefined) return other === undefined;
    const message = `${dir} holds another sweep: ${row.folder} with ${differs}`;
    const fix = 'another --sweep-dir, or the file as it was';
    throw new VirelError('CONFIG_CONFLICT', message, { where: dir, fix });
  });
  return [...before.rows, ...added].map((row, index) => ({ ...row, index }));
}
