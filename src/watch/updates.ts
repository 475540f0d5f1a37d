/** What came to a run's files since the last look, as the page takes it. */
import { readMetricsLine } from '../logging/metrics-line.js';
import { type KnownRecordings, listRecordings } from './recordings.js';
import { readEntry } from './run-entry.js';
import { addRecord, type Columns, noColumns } from './shared/columns.js';
import type { RunUpdate } from './shared/wire.js';
import { look, NOWHERE, type Place } from './tail.js';

/** How far a reader has come. */
export interface Progress {
  readonly metrics: Place;
  readonly evaluations: Place;
}

/** Nothing was read. */
export const FROM_THE_START: Progress = { metrics: NOWHERE, evaluations: NOWHERE };

/** Recordings are listed at every so many-th look: a look at each of their files is needed for it. */
const LIST_EVERY = 10;

/** Columns of `eval.csv` that are drawn, and what they are called on the page. */
const EVALUATION = {
  return_mean: 'mean',
  return_std: 'std',
  return_min: 'min',
  return_max: 'max',
  length_mean: 'length',
} as const;

/** Adds lines of `metrics.jsonl`. @returns How many are damaged. */
function addMetrics(columns: Columns, lines: readonly string[]): number {
  let damaged = 0;
  for (const line of lines) {
    const record = readMetricsLine(line);
    if (record === undefined) damaged += 1;
    else addRecord(columns, record.step, record.m);
  }
  return damaged;
}

/** Reads `eval.csv` with the head that its first line is. */
class Evaluations {
  #names: string[] = [];

  /** Whether the names of the columns are known. */
  get hasHead(): boolean {
    return this.#names.length > 0;
  }

  /** Adds lines. @returns How many are damaged. */
  add(columns: Columns, lines: readonly string[]): number {
    let damaged = 0;
    for (const line of lines) {
      const cells = line.split(',');
      if (cells[0] === 'step') {
        this.#names = cells;
        continue;
      }
      const cell = (name: string) => Number(cells[this.#names.indexOf(name)] || Number.NaN);
      const step = cell('step');
      if (cells.length !== this.#names.length || !Number.isFinite(step)) {
        damaged += 1;
        continue;
      }
      const drawn = Object.entries(EVALUATION).map(([name, short]) => [short, cell(name)] as const);
      addRecord(columns, step, Object.fromEntries(drawn));
    }
    return damaged;
  }
}

/** Follows the files of one run for one reader. */
export class Updates {
  readonly #dir: string;
  readonly #name: string;
  #progress: Progress;
  readonly #evaluations = new Evaluations();
  /** What was last told, as text. */
  #told = { entry: '', recordings: '' };
  /** Looks since the start, or since the files were put back. */
  #looks = 0;
  readonly #recordings: KnownRecordings = new Map();

  constructor(dir: string, name: string, progress = FROM_THE_START) {
    this.#dir = dir;
    this.#name = name;
    this.#progress = progress;
  }

  /** How far it has come. */
  get progress(): Progress {
    return this.#progress;
  }

  /** Tells what is new; undefined where nothing is. */
  async next(): Promise<RunUpdate | undefined> {
    const [first, second] = await this.#lines();
    if (first.restarted || second.restarted) {
      // one file was put back, so that the other is too, or will be: all is told again
      this.#progress = FROM_THE_START;
      this.#looks = 0;
      const again = await this.#tellAnew();
      return { ...again, reset: true };
    }
    return this.#tell(first, second);
  }

  async #tellAnew(): Promise<RunUpdate> {
    const [first, second] = await this.#lines();
    return (await this.#tell(first, second)) ?? {};
  }

  #lines() {
    const { metrics, evaluations } = this.#progress;
    return Promise.all([this.#rest('metrics.jsonl', metrics), this.#rest('eval.csv', evaluations)]);
  }

  /** All lines of a file behind a place, thinned as they are read. */
  async #rest(name: 'metrics.jsonl' | 'eval.csv', from: Place) {
    const columns = noColumns();
    let damaged = 0;
    let restarted = false;
    let place = from;
    if (name === 'eval.csv' && from.offset > 0 && !this.#evaluations.hasHead)
      await this.#readHead();
    for (let more = true; more; ) {
      const seen = await look(this.#dir, name, place);
      if (seen.restarted) restarted = true;
      if (restarted) break;
      ({ place, more } = seen);
      damaged +=
        name === 'eval.csv'
          ? this.#evaluations.add(columns, seen.lines)
          : addMetrics(columns, seen.lines);
    }
    return { place, columns, damaged, restarted };
  }

  /** The names of the columns, for a reader that goes on in the middle. */
  async #readHead(): Promise<void> {
    const { lines } = await look(this.#dir, 'eval.csv', NOWHERE);
    this.#evaluations.add(noColumns(), lines.slice(0, 1));
  }

  async #tell(
    metrics: { place: Place; columns: Columns; damaged: number },
    evaluations: { place: Place; columns: Columns; damaged: number },
  ): Promise<RunUpdate | undefined> {
    this.#progress = { metrics: metrics.place, evaluations: evaluations.place };
    const damaged = metrics.damaged + evaluations.damaged;
    const update: RunUpdate = {
      ...(metrics.columns.count > 0 && { metrics: metrics.columns }),
      ...(evaluations.columns.count > 0 && { evaluations: evaluations.columns }),
      ...(damaged > 0 && { damaged }),
      ...(await this.#changed()),
    };
    return Object.keys(update).length === 0 ? undefined : update;
  }

  /** How the run stands, and its recordings, where they are not what was last told. */
  async #changed(): Promise<Pick<RunUpdate, 'entry' | 'recordings'>> {
    const isDue = this.#looks % LIST_EVERY === 0;
    this.#looks += 1;
    const entry = await readEntry(this.#dir, this.#name);
    const recordings = isDue ? await listRecordings(this.#dir, this.#recordings) : undefined;
    const before = this.#told;
    this.#told = {
      entry: JSON.stringify(entry),
      recordings: recordings === undefined ? before.recordings : JSON.stringify(recordings),
    };
    return {
      ...(this.#told.entry !== before.entry && { entry }),
      ...(recordings && this.#told.recordings !== before.recordings && { recordings }),
    };
  }
}
