/** A text file that lines are appended to. */
import { closeSync, openSync, writeSync } from 'node:fs';

export interface Lines {
  append(line: string): void;
  close(): void;
}

/** Opens a new file; its first line, if any, is written at once. */
export function openLines(path: string, first?: string): Lines {
  const file = openSync(path, 'wx');
  const append = (line: string) => {
    // a short write would leave half a line behind
    const bytes = Buffer.from(`${line}\n`);
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
  };
  if (first !== undefined) append(first);
  return { append, close: () => closeSync(file) };
}
