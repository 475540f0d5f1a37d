import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { VirelError } from '../errors.js';

/** Who holds a lock. */
interface Owner {
  pid: number;
  /** Start of that process in clock ticks since boot, which tells it from a later process of the same id. */
  processStart: string;
  host: string;
  /** UTC, ISO 8601. */
  since: string;
}

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
  const mine = JSON.stringify(thisProcess());
  let told = false;
  while (!create(file, mine)) {
    const text = readLock(file);
    // given back a moment ago: try again
    if (text === undefined) continue;
    const owner = parse(text);
    if (owner === undefined || isGone(owner)) {
      remove(file, text);
      continue;
    }
    if (!told) options.onWait(describe(owner, file));
    told = true;
    await sleep(options.pollMs ?? 500, undefined, options.signal && { signal: options.signal });
  }
  return () => {
    if (read(file) === mine) rmSync(file, { force: true });
  };
}

/** The lock's text; `undefined` if there is no such file. Anything else in its place would be waited for in vain. */
function readLock(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw new VirelError('SETUP_FAILED', `the lock of the set-up cannot be read: ${message}`, {
      where: file,
      fix: `rm -r ${file}`,
      cause,
    });
  }
}

/** Creates the file with its content at once: another process never reads half of it. */
function create(file: string, content: string): boolean {
  const temporary = `${file}.${process.pid}`;
  writeFileSync(temporary, content);
  try {
    linkSync(temporary, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return false;
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** Removes a stale lock, unless someone took it over in the meantime: then theirs is put back. */
function remove(file: string, stale: string): void {
  const aside = `${file}.stale.${process.pid}`;
  try {
    renameSync(file, aside);
    if (readFileSync(aside, 'utf8') !== stale) linkSync(aside, file);
  } catch {
    // gone already, or taken by a third process: the caller looks again
  }
  rmSync(aside, { force: true });
}

function isGone(owner: Owner): boolean {
  // another machine's processes cannot be seen from here
  if (owner.host !== hostname()) return false;
  return processStart(owner.pid) !== owner.processStart;
}

function describe(owner: Owner, file: string): string {
  const holder = `set-up runs in process ${owner.pid} on ${owner.host} since ${owner.since}`;
  const remote = owner.host === hostname() ? '' : ` (if it is gone: rm ${file})`;
  return `${holder}; waiting for it${remote}`;
}

function thisProcess(): Owner {
  return {
    pid: process.pid,
    processStart: processStart(process.pid) ?? '',
    host: hostname(),
    since: new Date().toISOString(),
  };
}

/** Field 22 of /proc/<pid>/stat; `undefined` if there is no such process. */
function processStart(pid: number): string | undefined {
  const status = read(`/proc/${pid}/stat`);
  // the second field, the name, may hold spaces and brackets
  const fields = status?.slice(status.lastIndexOf(')') + 2).split(' ');
  // a zombie has ended; only its parent does not know yet
  return fields?.[0] === 'Z' ? undefined : fields?.[19];
}

function parse(text: string): Owner | undefined {
  try {
    const owner = JSON.parse(text) as Partial<Owner>;
    return typeof owner.pid === 'number' && typeof owner.host === 'string'
      ? (owner as Owner)
      : undefined;
  } catch {
    return undefined;
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
