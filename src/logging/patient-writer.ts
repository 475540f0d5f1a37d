/** Writes records to a file that may refuse them for a while: they wait in memory, and training goes on. */
import type { RecordFile } from './record-file.js';

/** Milliseconds between two tries of a file that refuses, as for checkpoints. */
export const RETRY_MILLISECONDS = 30_000;
/** Records that wait at most, some megabytes; beyond, the oldest is lost. */
export const MOST_WAITING = 10_000;

/** What is written to; `append` writes all of a record or throws. */
export type Appendable = Pick<RecordFile, 'append' | 'close' | 'size' | 'sync'>;

/** What a writer needs of its surroundings. */
export interface Patience {
  /** Milliseconds, from any origin. */
  clock(): number;
  /** Told of the first failure of a file, not of those that follow. */
  failed(error: unknown): void;
}

/** One writer of one file. None of its methods throws. */
export class PatientWriter {
  readonly #file: Appendable;
  readonly #patience: Patience;
  #waiting: Uint8Array[] = [];
  #lost = 0;
  #retryAt = -Infinity;
  #hasFailed = false;

  constructor(file: Appendable, patience: Patience) {
    this.#file = file;
    this.#patience = patience;
  }

  /** Writes a record behind those that wait; an empty one makes the file with its head. */
  write(record: Uint8Array): void {
    this.#waiting.push(record);
    if (this.#patience.clock() >= this.#retryAt) this.#tryAll();
    const excess = this.#waiting.length - MOST_WAITING;
    if (excess <= 0) return;
    this.#waiting.splice(0, excess);
    this.#lost += excess;
  }

  /** Tries what waits once more, then gives it up; the number of records that the file lacks since the last call. */
  settle(): number {
    this.#tryAll();
    // an empty record is the wish for a file, nothing to lose
    const lost = this.#lost + this.#waiting.filter(({ length }) => length > 0).length;
    this.#waiting = [];
    this.#lost = 0;
    return lost;
  }

  /** Bytes of the file once all that waits is tried and what was written is on the disk. */
  settledSize(): number {
    this.#tryAll();
    try {
      this.#file.sync();
    } catch (error) {
      this.#report(error);
    }
    return this.#file.size;
  }

  close(): void {
    try {
      this.#file.close();
    } catch (error) {
      this.#report(error);
    }
  }

  #tryAll(): void {
    const records = this.#waiting;
    this.#waiting = [];
    let written = 0;
    try {
      for (const record of records) {
        this.#file.append(record);
        written += 1;
      }
      this.#retryAt = -Infinity;
    } catch (error) {
      // all set before the report, which may be a record of this very file
      this.#waiting = records.slice(written);
      this.#retryAt = this.#patience.clock() + RETRY_MILLISECONDS;
      this.#report(error);
    }
  }

  #report(error: unknown): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    this.#patience.failed(error);
  }
}
