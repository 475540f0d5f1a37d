/** All runs below a folder: searched in the background, again and again, so that 10,000 of them keep nobody waiting. */
import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';
import { MOST_DEPTH, REPLACEMENT } from '../training/find-run.js';
import { readEntry, runId } from './run-entry.js';
import type { RunEntry, RunList } from './shared/wire.js';

/** Folders that are read at a time. */
const AT_ONCE = 32;
/** States from which a run returns only by `resume`; these are looked at in every tenth search. */
const ENDED = ['finished', 'failed', 'diverged'];
const EVERY = 10;
/** Milliseconds between searches: at least, and as a multiple of what the last one took. */
const PAUSE = { least: 5000, factor: 20 };

async function entriesOf(folder: string): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

/** Folders of runs below `root`, as they are found; links are not followed. */
async function* searchRuns(root: string): AsyncGenerator<string> {
  const open = [{ path: root, depth: 0 }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { path, depth } = next;
    const entries = await entriesOf(path);
    if (entries.some(({ name }) => name === 'run.json')) {
      yield path;
      continue;
    }
    if (depth === MOST_DEPTH) continue;
    for (const entry of entries) {
      if (!entry.isDirectory() || entry.name.includes(REPLACEMENT)) continue;
      open.push({ path: join(path, entry.name), depth: depth + 1 });
    }
  }
}

/** Runs by their ids. */
type Found = Map<string, { readonly dir: string; readonly entry: RunEntry }>;

/** The runs of a folder, and those that were named beside it. */
export class RunIndex {
  readonly #root: string;
  readonly #named: readonly string[];
  #entries: Found = new Map();
  #timer: NodeJS.Timeout | undefined;
  #searching = true;
  #searches = 0;
  #closed = false;

  constructor(root: string, named: readonly string[]) {
    this.#root = resolve(root);
    this.#named = named.map((dir) => resolve(dir));
  }

  /** Reads the runs that were named, and begins to search for the others. */
  async open(): Promise<void> {
    await this.#read(this.#named, this.#entries);
    this.#search().catch(() => {});
  }

  /** Ends the search. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  /** The folder of a run; undefined where the id is of none. */
  folder(id: string): string | undefined {
    return this.#entries.get(id)?.dir;
  }

  /** What the list calls a run. */
  name(dir: string): string {
    const below = relative(this.#root, dir);
    return below === '' || below.startsWith(`..${sep}`) ? (dir.split(sep).at(-1) ?? dir) : below;
  }

  /** A part of the list, newest first. @param words Each stands in name, task, algorithm or state. */
  list(words: readonly string[], offset: number, limit: number): RunList {
    const fits = ({ name, env, algorithm, state }: RunEntry) => {
      const text = `${name} ${env} ${algorithm} ${state}`.toLowerCase();
      return words.every((word) => text.includes(word));
    };
    const found = [...this.#entries.values()]
      .map(({ entry }) => entry)
      .filter(fits)
      .sort((a, b) => (a.created < b.created ? 1 : a.created > b.created ? -1 : 0));
    const runs = found.slice(offset, offset + limit);
    return { runs, total: found.length, searching: this.#searching };
  }

  async #search(): Promise<void> {
    const began = performance.now();
    const first = this.#searches === 0;
    // the first search shows what it finds at once; later ones replace the list, so that folders that went are gone
    const found: Found = first ? this.#entries : new Map();
    let batch: string[] = [...this.#named];
    for await (const dir of searchRuns(this.#root)) {
      if (this.#closed) return;
      batch.push(dir);
      if (batch.length >= AT_ONCE) {
        await this.#read(batch, found);
        batch = [];
      }
    }
    await this.#read(batch, found);
    this.#entries = found;
    this.#searching = false;
    this.#searches += 1;
    if (this.#closed) return;
    const pause = Math.max(PAUSE.least, PAUSE.factor * (performance.now() - began));
    this.#timer = setTimeout(() => this.#search().catch(() => {}), pause);
    this.#timer.unref();
  }

  async #read(dirs: readonly string[], into: Found): Promise<void> {
    const again = this.#searches % EVERY === 0;
    await Promise.all(
      dirs.map(async (dir) => {
        const known = this.#entries.get(runId(dir));
        const kept = known !== undefined && !again && ENDED.includes(known.entry.state);
        const entry = kept ? known.entry : await readEntry(dir, this.name(dir));
        into.set(entry.id, { dir, entry });
      }),
    );
  }
}
