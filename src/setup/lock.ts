import { mkdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { VirelError } from '../errors.js';
import { type Attempt, type Owner, tryLock } from '../locking/lock.js';

/** How a lock is waited for. */
export interface LockOptions {
  /** Told once who holds the lock, if it must be waited for. */
  onWait: (text: string) => void;
  signal?: AbortSignal;
  pollMs?: number;
}

/**
 * Takes the lock file, waiting while a living process holds it; the lock of a dead one is taken over.
 *
 * @returns the function that gives it back.
 * @throws VirelError `SETUP_FAILED` if something else lies in its place.
 */
export async function takeLock(file: string, options: LockOptions): Promise<() => void> {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  let told = false;
  for (;;) {
    const attempt = attemptLock(file);
    if ('release' in attempt) return attempt.release;
    if (!told) options.onWait(describe(attempt.owner, file));
    told = true;
    await sleep(options.pollMs ?? 500, undefined, options.signal && { signal: options.signal });
  }
}

function attemptLock(file: string): Attempt {
  try {
    return tryLock(file);
  } catch (cause) {
    // a full or read-only disk is no fault of the lock
    const { code, syscall, message } = cause as NodeJS.ErrnoException;
    if (syscall !== 'read' && !(syscall === 'open' && code === 'EACCES')) throw cause;
    throw new VirelError('SETUP_FAILED', `the lock of the set-up cannot be read: ${message}`, {
      where: file,
      fix: `rm -r ${file}`,
      cause,
    });
  }
}

function describe({ pid, host, since }: Owner, file: string): string {
  const begun = since === undefined ? '' : ` since ${since}`;
  const remote = host === hostname() ? '' : ` (if it is gone: rm ${file})`;
  return `set-up runs in process ${pid} on ${host}${begun}; waiting for it${remote}`;
}
