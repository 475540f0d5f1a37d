/** Finds a run by what a person types: a folder, a unique part of its path, or `latest`. */
import { type Dirent, existsSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { isVirelError, VirelError } from '../errors.js';
import { readPlainFile } from '../logging/read-lines.js';
import { fileError } from './files.js';

/** `<root>/<env>/<algorithm>/<run>/<seed>` is as deep as runs lie. */
export const MOST_DEPTH = 5;

const holdsRun = (path: string) => existsSync(join(path, 'run.json'));

/** What stands in a name for bytes that are not UTF-8; a file of that name cannot be opened by it. */
export const REPLACEMENT = '\ufffd';

/** Refuses a folder that holds no run. @throws VirelError `RUN_NOT_FOUND`. */
export function requireRun(runDir: string): void {
  if (runDir !== '' && holdsRun(runDir)) return;
  const unreadable = runDir.includes(REPLACEMENT);
  throw new VirelError('RUN_NOT_FOUND', `${runDir || '""'} holds no run`, {
    where: runDir,
    expected: unreadable
      ? 'a name in UTF-8'
      : 'a folder with run.json, such as the summary names in runDir',
    got: runDir,
    fix: unreadable ? 'rename the folder' : 'npx virel-native train',
  });
}

/**
 * Run folders below `root`; a run is not searched for further runs.
 *
 * @throws VirelError `IO`, `PERMISSION` if `root` is there and cannot be searched.
 */
export function listRuns(root: string): string[] {
  try {
    return searchRuns(root, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw fileError(error, resolve(root), '--runs-dir DIR');
  }
}

/** @param unnameable Told of a folder whose name is not UTF-8: what is in it cannot be seen. */
function searchRuns(
  folder: string,
  depth: number,
  unnameable: (path: string) => void = () => {},
): string[] {
  if (holdsRun(folder)) return [resolve(folder)];
  if (depth === MOST_DEPTH) return [];
  return readFolder(folder, depth)
    .filter((entry) => entry.isDirectory())
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.name.includes(REPLACEMENT)) unnameable(path);
      return searchRuns(path, depth + 1, unnameable);
    });
}

function readFolder(folder: string, depth: number): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if (depth === 0) throw error;
    // below the root: another user's folder, or one that went away this moment
    return [];
  }
}

/** When a run began, as text that sorts. */
function created(path: string): string {
  try {
    return String(JSON.parse(readPlainFile(join(path, 'run.json')).toString()).created);
  } catch {
    return '';
  }
}

/**
 * The folder of a run.
 *
 * @param run A folder, a unique part of a path below `runsDir`, or `latest`.
 * @throws VirelError `RUN_NOT_FOUND`, `RUN_AMBIGUOUS`, `IO`, `PERMISSION`.
 */
export function findRun(run: string, runsDir: string): string {
  if (run !== '' && holdsRun(run)) return resolve(run);
  if (run.includes(REPLACEMENT)) requireRun(run);
  const all = listRuns(runsDir);
  if (run === 'latest') {
    const newest = all.sort((a, b) => created(a).localeCompare(created(b))).at(-1);
    if (newest !== undefined) return newest;
  }
  const found = all.filter((path) => run !== '' && relative(runsDir, path).includes(run));
  if (found.length === 1) return found[0] as string;
  const where = resolve(runsDir);
  if (found.length === 0) {
    throw notFound(run, where, all.length > 0);
  }
  const some = found.slice(0, 3).map((path) => relative(runsDir, path));
  throw new VirelError('RUN_AMBIGUOUS', `${run} could be any of ${found.length} runs`, {
    where,
    expected: `one of ${some.join(', ')}${found.length > 3 ? ', ...' : ''}`,
    got: run,
    fix: 'give more of its path',
  });
}

function notFound(run: string, where: string, hasRuns: boolean): VirelError {
  const none =
    run === 'latest' ? `no runs in ${where}` : `no run ${run || '""'}: no runs in ${where}`;
  const known = hasRuns ? `no run ${run || '""'} in ${where}` : none;
  const kind = kindOf(run);
  const message = kind === undefined ? known : `${run} is ${kind}; ${known}`;
  const fix = hasRuns ? 'a run folder, a part of its path, or latest' : 'npx virel-native train';
  return new VirelError('RUN_NOT_FOUND', message, { where, got: run, fix });
}

/** What lies at a path; undefined if nothing does, or nothing that can be seen. */
function kindOf(path: string): string | undefined {
  try {
    return statSync(path).isDirectory() ? 'a folder without run.json' : 'a file';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ELOOP' ? 'a loop of links' : undefined;
  }
}

/** Codes of the system for a word that is no folder; it may still be a part of a path. */
const NO_FOLDER = ['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG'];

/** Runs below a word. @throws VirelError `RUN_NOT_FOUND` for a folder among them that cannot be opened by its name. */
function runsBelow(word: string): string[] {
  try {
    return searchRuns(word, 0, (path) => requireRun(path));
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (NO_FOLDER.includes(code)) return [];
    throw isVirelError(error)
      ? error
      : fileError(error, resolve(word), 'name folders that you may read');
  }
}

/**
 * The folders of several runs, each once, in the order of the words.
 *
 * @param words As {@link findRun} takes them, or a folder below which runs lie, for all of them.
 * @throws VirelError `RUN_NOT_FOUND`, `RUN_AMBIGUOUS`, `IO`, `PERMISSION`.
 */
export function findRuns(words: readonly string[], runsDir: string): string[] {
  const found = words.flatMap((word) => {
    if (word.includes(REPLACEMENT)) requireRun(word);
    const below = runsBelow(word);
    return below.length > 0 ? below.sort() : [findRun(word, runsDir)];
  });
  return [...new Set(found.map((path) => realpathSync(path)))];
}
