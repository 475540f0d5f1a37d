/** A lock file that names its process, so that the lock of a dead one can be taken over. */
import { randomBytes } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';

/** What this process's own names end in: processes of other machines may have its number. */
const SCRATCH = `${process.pid}-${randomBytes(4).toString('hex')}`;

/** What a file system without hard links answers. */
const NO_LINKS = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'];

/** Who holds a lock. */
export interface Owner {
  pid: number;
  /** Start of that process in clock ticks since boot, which tells it from a later process of the same id. */
  processStart?: string;
  host: string;
  /** UTC, ISO 8601. */
  since?: string;
}

/** What came of a try: the function that gives the lock back, or who holds it. */
export type Attempt = { release: () => void } | { owner: Owner };

/**
 * Takes the lock file unless a living process, or one of another machine, holds it; never waits.
 *
 * @param isSilent Whether an owner on another machine, whose processes cannot be seen, has given no sign of life for so long
 *   that it is dead; none is, by default.
 * @throws the system's error if something else lies in its place or its folder refuses it.
 */
export function tryLock(file: string, isSilent: () => boolean = () => false): Attempt {
  const mine = JSON.stringify(thisProcess());
  while (!create(file, mine)) {
    const text = readLock(file);
    // given back a moment ago: try again
    if (text === undefined) continue;
    const owner = parse(text);
    if (owner !== undefined && !isGone(owner, isSilent)) return { owner };
    remove(file, text);
  }
  return {
    release: () => {
      if (read(file) === mine) rmSync(file, { force: true });
    },
  };
}

/**
 * Who holds a lock file: a living process, or one of another machine; nothing is changed. Unreadable counts as free.
 *
 * @param isSilent As that of {@link tryLock}.
 */
export function lockOwner(file: string, isSilent: () => boolean = () => false): Owner | undefined {
  const owner = parse(read(file) ?? '');
  return owner === undefined || isGone(owner, isSilent) ? undefined : owner;
}

/** The lock's text; `undefined` if there is no such file. Anything else in its place would be tried for ever. */
function readLock(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Creates the file with its content at once: another process never reads half of it. */
function create(file: string, content: string): boolean {
  const temporary = `${file}.${SCRATCH}`;
  try {
    writeFileSync(temporary, content);
    place(temporary, file, content);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return false;
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** Gives the file its name; where the file system has no links, content follows a moment after the name. */
function place(temporary: string, file: string, content: string): void {
  try {
    linkSync(temporary, file);
  } catch (error) {
    if (!NO_LINKS.includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    writeFileSync(file, content, { flag: 'wx' });
  }
}

/** Removes a stale lock, unless someone took it over in the meantime: then theirs is put back. */
function remove(file: string, stale: string): void {
  const aside = `${file}.stale.${SCRATCH}`;
  try {
    renameSync(file, aside);
    if (readFileSync(aside, 'utf8') !== stale) linkSync(aside, file);
  } catch {
    // gone already, or taken by a third process: the caller looks again
  }
  rmSync(aside, { force: true });
}

function isGone(owner: Owner, isSilent: () => boolean): boolean {
  // another machine's processes cannot be seen from here
  if (owner.host !== hostname()) return isSilent();
  const start = processStart(owner.pid);
  return owner.processStart === undefined ? start === undefined : start !== owner.processStart;
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
