/** Files of a run's folder as a stranger may have made them: what a link leads out to, and what is no file, is not there. */
import { constants, type Stats } from 'node:fs';
import { type FileHandle, open, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';

/** A file that was opened. */
export interface OpenFile {
  readonly handle: FileHandle;
  readonly facts: Stats;
}

// a pipe is refused instead of waited for
const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;

/** Opens a regular file that truly lies in the folder; undefined where there is none. The caller closes it. */
export async function openInside(folder: string, name: string): Promise<OpenFile | undefined> {
  let handle: FileHandle | undefined;
  try {
    const root = await realpath(folder);
    const path = await realpath(join(root, name));
    if (!path.startsWith(root + sep)) return undefined;
    handle = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    const facts = await handle.stat();
    if (facts.isFile()) return { handle, facts };
  } catch {
    // not there, or not for us
  }
  await handle?.close();
  return undefined;
}

/** Bytes `from` to `to` of an open file; fewer where it ends before. */
export async function readRange(handle: FileHandle, from: number, to: number): Promise<Buffer> {
  const buffer = Buffer.alloc(Math.max(0, to - from));
  let length = 0;
  while (length < buffer.length) {
    const { bytesRead } = await handle.read(buffer, length, buffer.length - length, from + length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return buffer.subarray(0, length);
}

/** The content of a file of at most `most` bytes; undefined where there is none, or more. */
export async function readInside(
  folder: string,
  name: string,
  most: number,
): Promise<Buffer | undefined> {
  const file = await openInside(folder, name);
  if (file === undefined) return undefined;
  try {
    if (file.facts.size > most) return undefined;
    return await readRange(file.handle, 0, file.facts.size);
  } catch {
    return undefined;
  } finally {
    await file.handle.close();
  }
}
