/** Finds a run by what a person types: a folder, a unique part of its path, or `latest`. */
import { type Dirent, existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { VirelError } from '../errors.js';
import { fileError } from './files.js';

/** `<root>/<env>/<algorithm>/<run>/<seed>` is as deep as runs lie. */
export const MOST_DEPTH = 5;

const holdsRun = (path: string) => existsSync(join(path, 'run.json'));

/** What stands in a name for bytes that are not UTF-8; a file of that name cannot be opened by it. */
const REPLACEMENT = '\ufffd';

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

function searchRuns(folder: string, depth: number): string[] {
  if (holdsRun(folder)) return [resolve(folder)];
  if (depth === MOST_DEPTH) return [];
  return readFolder(folder, depth)
    .filter((entry) => entry.isDirectory())
    .flatMap((entry) => searchRuns(join(folder, entry.name), depth + 1));
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
    return String(JSON.parse(readFileSync(join(path, 'run.json'), 'utf8')).created);
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
  const all = listRuns(runsDir);
  if (run === 'latest') {
    const newest = all.sort((a, b) => created(a).localeCompare(created(b))).at(-1);
    if (newest !== undefined) return newest;
  }
  const found = all.filter((path) => run !== '' && relative(runsDir, path).includes(run));
  if (found.length === 1) return found[0] as string;
  const where = resolve(runsDir);
  if (found.length === 0) {
    const fix =
      all.length === 0 ? 'npx virel-native train' : 'a run folder, a part of its path, or latest';
    const message = all.length === 0 ? `no runs in ${where}` : `no run ${run || '""'} in ${where}`;
    throw new VirelError('RUN_NOT_FOUND', message, {
      where,
      got: run,
      fix,
    });
  }
  const some = found.slice(0, 3).map((path) => relative(runsDir, path));
  throw new VirelError('RUN_AMBIGUOUS', `${run} could be any of ${found.length} runs`, {
    where,
    expected: `one of ${some.join(', ')}${found.length > 3 ? ', ...' : ''}`,
    got: run,
    fix: 'give more of its path',
  });
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
    const below = listRuns(word);
    return below.length > 0 ? below.sort() : [findRun(word, runsDir)];
  });
  return [...new Set(found.map((path) => realpathSync(path)))];
}
