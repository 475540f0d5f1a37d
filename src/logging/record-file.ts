/** A file that grows by whole records: what cannot be written whole is cut off again. */
import { closeSync, fsyncSync, ftruncateSync, writeSync } from 'node:fs';

/** Appends records to a file that it makes itself. */
export class RecordFile {
  readonly #open: () => number;
  readonly #head: Uint8Array;
  #file: number | undefined;
  /** Bytes of the whole records so far. */
  #size: number;
  /** Half a record may lie behind them. */
  #torn: boolean;

  /**
   * @param open Gives the descriptor of the file, a new, empty one if `size` is 0; called again after it threw.
   * @param head What the file begins with; it is written with the first record.
   * @param size Bytes that it holds already; what lies behind them is cut off with the first record.
   */
  constructor(open: () => number, head: Uint8Array, size = 0) {
    this.#open = open;
    this.#head = head;
    this.#size = size;
    this.#torn = size > 0;
  }

  /** Bytes of the whole records so far. */
  get size(): number {
    return this.#size;
  }

  /** What was written is on the disk when this returns. */
  sync(): void {
    if (this.#file !== undefined) fsyncSync(this.#file);
  }

  /** Appends a record, or nothing: then it throws the system's error, and the next call starts where this one did. */
  append(record: Uint8Array): void {
    this.#file ??= this.#open();
    if (this.#size === 0) this.#write(this.#file, this.#head);
    this.#write(this.#file, record);
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #write(file: number, bytes: Uint8Array): void {
    if (this.#torn) this.#cut(file);
    this.#torn = true;
    try {
      // a short write is no error of the system: the rest follows, or fails
      for (let at = 0; at < bytes.length; )
        at += writeSync(file, bytes, at, bytes.length - at, this.#size + at);
    } catch (error) {
      this.#cutIfPossible(file);
      throw error;
    }
    this.#torn = false;
    this.#size += bytes.length;
  }

  #cut(file: number): void {
    ftruncateSync(file, this.#size);
    this.#torn = false;
  }

  /** A reader shall not meet half a record; where even that fails, the next record tries again. */
  #cutIfPossible(file: number): void {
    try {
      this.#cut(file);
    } catch {
      // the write's own error says more
    }
  }
}
