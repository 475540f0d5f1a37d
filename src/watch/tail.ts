/** A text file that grows, read line by line from where the last look ended. */
import { openInside, readRange } from './inside.js';

/** Where a look ended. */
export interface Place {
  /** The file that it was: another one under the same name is read from its start. */
  readonly file: number;
  /** Bytes of whole lines that were read. */
  readonly offset: number;
}

/** What a look found. */
export interface Look {
  readonly place: Place;
  /** Whole lines behind the place of before, or of the whole file after `restarted`. */
  readonly lines: readonly string[];
  /** The file was put back or replaced: lines of before may no longer stand in it. */
  readonly restarted: boolean;
  /** There is more: look again. */
  readonly more: boolean;
}

/** No file yet. */
export const NOWHERE: Place = { file: 0, offset: 0 };

/** Most bytes of a look, so that a large file neither fills the memory nor holds the event loop. */
const MOST_BYTES = 1 << 20;
const NEWLINE = 10;

/** Reads on. A line without an end in a megabyte is none of ours, and is passed over. */
export async function look(folder: string, name: string, from: Place): Promise<Look> {
  const file = await openInside(folder, name);
  if (file === undefined) {
    return { place: NOWHERE, lines: [], restarted: from.file !== 0, more: false };
  }
  try {
    const { ino, size } = file.facts;
    const restarted = from.file !== 0 && (from.file !== ino || size < from.offset);
    const offset = from.file === ino && size >= from.offset ? from.offset : 0;
    const bytes = await readRange(file.handle, offset, Math.min(size, offset + MOST_BYTES));
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    const read = end === 0 && bytes.length === MOST_BYTES ? MOST_BYTES : end;
    const text = bytes.subarray(0, end).toString('utf8');
    const place = { file: ino, offset: offset + read };
    const lines = text === '' ? [] : text.slice(0, -1).split('\n');
    return { place, lines, restarted, more: read > 0 && place.offset < size };
  } finally {
    await file.handle.close();
  }
}
