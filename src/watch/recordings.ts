/** The recorded episodes of a run, `recordings/<step>-s<seed>.qrec`. */
import { lstat, readdir } from 'node:fs/promises';
import { openInside, readInside, readRange } from './inside.js';
import { framesIn, readHeader } from './shared/recording.js';
import type { RecordingEntry } from './shared/wire.js';

/** The folder in a run's folder. */
export const RECORDINGS = 'recordings';
const NAME = /^(\d{12,15}-s\d{1,16})\.qrec$/;
/** Longest file that is served: ten times an episode of the widest task. */
export const MOST_BYTES = 64 << 20;
/** Bytes that surely hold the first line. */
const HEAD = 8192;
/** Most recordings of a list, the newest of them. */
const MOST_LISTED = 1000;

/** The name of a recording without its ending. */
export const recordingId = (step: number, seed: number) =>
  `${String(step).padStart(12, '0')}-s${seed}`;

/** The file of a recording, below the run's folder. */
export const recordingFile = (id: string) => `${RECORDINGS}/${id}.qrec`;

/** Ids of the recordings, by step; each is a plain name that stands in the folder now. */
async function recordingIds(dir: string): Promise<string[]> {
  try {
    const names = await readdir(`${dir}/${RECORDINGS}`);
    const ids = names.flatMap((name) => NAME.exec(name)?.[1] ?? []);
    return ids.sort().slice(-MOST_LISTED);
  } catch {
    return [];
  }
}

/** A recording of at least one state; undefined where the file is none. */
async function entryOf(dir: string, id: string): Promise<RecordingEntry | undefined> {
  const file = await openInside(dir, recordingFile(id));
  if (file === undefined) return undefined;
  try {
    const { size } = file.facts;
    const read = readHeader(await readRange(file.handle, 0, Math.min(size, HEAD)));
    if (typeof read === 'string' || size > MOST_BYTES) return undefined;
    const { header, end } = read;
    const steps = framesIn(header, end, size) - 1;
    if (steps < 0) return undefined;
    const { step, seed } = header;
    return { id, step, seed, steps, return: header.return, cut: steps < header.steps };
  } finally {
    await file.handle.close();
  }
}

/** What was read of recordings, by their ids: as long as a file stays the same, so does that. */
export type KnownRecordings = Map<string, { sameness: string; entry: RecordingEntry }>;

/** What changes with a file; undefined where there is none. */
async function samenessOf(dir: string, id: string): Promise<string | undefined> {
  try {
    const { ino, size, mtimeMs } = await lstat(`${dir}/${recordingFile(id)}`);
    return `${ino} ${size} ${mtimeMs}`;
  } catch {
    return undefined;
  }
}

/**
 * The recordings that can be shown, of at least one state; oldest first. Opens them one after the other.
 *
 * @param known What an earlier call read: such files are not opened again. Brought up to date.
 */
export async function listRecordings(
  dir: string,
  known: KnownRecordings = new Map(),
): Promise<RecordingEntry[]> {
  const ids = await recordingIds(dir);
  const listed = new Set(ids);
  for (const id of known.keys()) if (!listed.has(id)) known.delete(id);
  const entries: RecordingEntry[] = [];
  for (const id of ids) {
    const sameness = await samenessOf(dir, id);
    if (sameness === undefined) continue;
    const before = known.get(id);
    const entry = before?.sameness === sameness ? before.entry : await entryOf(dir, id);
    // one that could not be had may be had the next time, as a disk comes back
    if (entry === undefined) known.delete(id);
    else {
      known.set(id, { sameness, entry });
      entries.push(entry);
    }
  }
  return entries;
}

/** Whether there is a recording of a checkpoint that can be shown. Opens those alone that are called after it. */
export async function hasRecording(dir: string, step: number): Promise<boolean> {
  for (const id of await recordingIds(dir)) {
    if (Number.parseInt(id, 10) === step && (await entryOf(dir, id)) !== undefined) return true;
  }
  return false;
}

/** The bytes of a recording; undefined where the id is of none. */
export async function readRecording(dir: string, id: string): Promise<Buffer | undefined> {
  if (!(await recordingIds(dir)).includes(id)) return undefined;
  return readInside(dir, recordingFile(id), MOST_BYTES);
}
