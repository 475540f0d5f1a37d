/** The files of a run as they are read: that they are files, and their lines, also while they grow. */
import { readFileSync, statSync } from 'node:fs';
import { VirelError } from '../errors.js';

/** A whole line of a file. */
export interface Line {
  /** For messages: `path, line 7`. */
  readonly where: string;
  readonly text: string;
}

/** What stands in a file and cannot have been written there. */
export function damaged(where: string, reason: string, cause?: unknown): VirelError {
  return new VirelError('RUN_CORRUPT', `${where}: ${reason}`, {
    where,
    fix: 'take the file from a copy of the run, or leave the run out',
    cause,
  });
}

/** Bytes of the largest file that Node reads at once. */
const MOST = 2 ** 31 - 1;

/**
 * The bytes of a plain file. Of anything else, such as a pipe, a reader would wait for ever.
 *
 * @param most Bytes that such a file can have; a larger one is not read into memory.
 * @throws VirelError `RUN_CORRUPT` for what is no file, or too large; the system's error if it cannot be read.
 */
export function readPlainFile(path: string, most = MOST): Buffer {
  const facts = statSync(path);
  if (!facts.isFile()) throw damaged(path, 'no plain file');
  if (facts.size > most) throw damaged(path, `${facts.size} bytes, more than ${most}`);
  return readFileSync(path);
}

/**
 * The lines of a file that ended. What stands behind the last line's end is one that is being written, or was when its
 * writer died: it is left out. A file that is not there has no lines.
 *
 * @throws VirelError `RUN_CORRUPT` for a line that is not UTF-8, and for what is no plain file; the system's error if the file cannot be read.
 */
export function readLines(path: string): Line[] {
  const lines: Line[] = [];
  const bytes = readIfThere(path);
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let start = 0;
  for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
    const where = `${path}, line ${lines.length + 1}`;
    try {
      lines.push({ where, text: decoder.decode(bytes.subarray(start, end)) });
    } catch (cause) {
      throw damaged(where, 'not UTF-8', cause);
    }
    start = end + 1;
  }
  return lines;
}

const NEWLINE = 0x0a;

function readIfThere(path: string): Buffer {
  try {
    return readPlainFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0);
    throw error;
  }
}
