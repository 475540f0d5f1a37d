/** Puts the files of an export into their folder: all of them are whole before the first appears under its name. */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { VirelError } from '../errors.js';
import { lockOwner, tryLock } from '../locking/lock.js';
import { fileError, makeFolders, syncFolder } from '../training/files.js';

/** A file that was exported. */
export interface ExportedFile {
  /** Its path. */
  readonly file: string;
  /** Its size. */
  readonly bytes: number;
}

/** Where files go, and what may be replaced. */
export interface Place {
  readonly folder: string;
  /** Every name that the export may write. */
  readonly names: readonly string[];
  /** Replaces files of these names. */
  readonly force: boolean;
  /** The flag that names the folder; `-o`. */
  readonly flag?: string;
}

const fixOf = ({ flag = '-o' }: Place) => `name another folder: ${flag} DIR`;

/** Refuses names that are taken. @throws VirelError `EXPORT_EXISTS`. */
function refuseTaken(place: Place): void {
  const { folder, names, force } = place;
  const facts = (name: string) => statSync(join(folder, name), { throwIfNoEntry: false });
  const taken = names.find((name) => (force ? facts(name)?.isDirectory() : facts(name)));
  if (taken === undefined) return;
  const replaceable = facts(taken)?.isFile() === true;
  throw new VirelError('EXPORT_EXISTS', `${join(folder, taken)} is there already`, {
    where: join(folder, taken),
    expected: `a folder without ${names.join(', ')}`,
    fix: replaceable ? `${fixOf(place)}, or replace it: --force` : fixOf(place),
  });
}

/** Moves what lies in `staging` into the folder; what an earlier export left under the other names goes. */
function publish(staging: string, { folder, names }: Place): ExportedFile[] {
  const written = readdirSync(staging).sort((a, b) => names.indexOf(a) - names.indexOf(b));
  for (const name of written) renameSync(join(staging, name), join(folder, name));
  for (const name of names) {
    if (!written.includes(name)) rmSync(join(folder, name), { force: true });
  }
  syncFolder(folder);
  return written.map((name) => {
    const file = join(folder, name);
    return { file, bytes: statSync(file).size };
  });
}

/** A folder of files that have no names yet: what is written, and a lock that says who writes. */
const STAGING = /^\.export-\d+$/;
const LOCK = 'export.lock';
const WRITTEN = 'files';
/** Milliseconds after which a staging folder without a lock is nobody's: a living export locks its own at once. */
const UNLOCKED = 60_000;

function isLeft(staging: string): boolean {
  const facts = statSync(staging, { throwIfNoEntry: false });
  if (!facts?.isDirectory() || lockOwner(join(staging, LOCK)) !== undefined) return false;
  return existsSync(join(staging, LOCK)) || Date.now() - facts.mtimeMs > UNLOCKED;
}

/** Removes what exports left in a folder that were killed. @returns Their paths. */
function removeLeft(folder: string): string[] {
  const left = readdirSync(folder)
    .filter((name) => STAGING.test(name))
    .map((name) => join(folder, name))
    .filter(isLeft);
  for (const staging of left) rmSync(staging, { recursive: true, force: true });
  return left;
}

/** What came of an export. */
export interface Placed {
  /** In the order of their names in {@link Place}. */
  readonly files: ExportedFile[];
  /** What exports had left in the folder that were killed; it was removed. */
  readonly removed: readonly string[];
}

/**
 * Writes files.
 *
 * @param write Writes them into the folder that it is given.
 * @throws VirelError `EXPORT_EXISTS` before anything is written; `PERMISSION`, `DISK_FULL`, `QUOTA`, `IO`, and what `write`
 *   throws: the folder is then as it was.
 */
export async function placeFiles(
  place: Place,
  write: (folder: string) => Promise<void>,
): Promise<Placed> {
  const { folder } = place;
  const isNew = !existsSync(folder);
  const staging = join(folder, `.export-${process.pid}`);
  const written = join(staging, WRITTEN);
  let removed: string[] = [];
  try {
    refuseTaken(place);
    makeFolders(folder);
    removed = removeLeft(folder);
    mkdirSync(staging);
  } catch (error) {
    if (isNew) removeIfEmpty(folder);
    throw fileError(error, folder, fixOf(place));
  }
  // from here on the staging folder is ours, and goes whatever happens
  try {
    tryLock(join(staging, LOCK));
    mkdirSync(written);
    await write(written);
    return { files: publish(written, place), removed };
  } catch (error) {
    throw fileError(error, folder, fixOf(place));
  } finally {
    rmSync(staging, { recursive: true, force: true });
    if (isNew) removeIfEmpty(folder);
  }
}

/** Nothing is left of a folder that was made in vain. */
function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // something is in it, or it was not made
  }
}
