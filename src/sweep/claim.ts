/**
 * Whose a run of a sweep is, while it is begun, trained and ended: a file in `claims/` of the sweep's folder, which machines
 * share. Two tasks of the same row never empty, begin or take up its folder at once.
 */
import { closeSync, fstatSync, openSync, utimesSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Attempt, tryLock } from '../locking/lock.js';
import { makeFolders } from '../training/files.js';
import { HEARTBEAT, MISSED } from '../training/heartbeat.js';

/**
 * Claims a row unless a living process has it, or one of another machine that gave a sign of life not long ago; never waits.
 *
 * @returns The function that gives the row back, or who has it.
 * @throws the system's error where the folder refuses it.
 */
export function tryClaim(file: string): Attempt {
  makeFolders(dirname(file));
  const attempt = tryLock(file, () => isSilent(file));
  if ('owner' in attempt) return attempt;
  const beat = setInterval(() => touch(file), HEARTBEAT);
  beat.unref();
  const release = () => {
    clearInterval(beat);
    attempt.release();
  };
  return { release };
}

/** Whether a claim's owner has missed its heartbeats. */
function isSilent(file: string, now = Date.now()): boolean {
  try {
    // opened, since a shared file system may answer a mere question about a file from its memory
    const opened = openSync(file, 'r');
    try {
      return now - fstatSync(opened).mtimeMs > MISSED * HEARTBEAT;
    } finally {
      closeSync(opened);
    }
  } catch {
    // given back a moment ago
    return false;
  }
}

function touch(file: string): void {
  const now = new Date();
  try {
    utimesSync(file, now, now);
  } catch {
    // a disk that is away for a moment ends no training
  }
}
