/**
 * `MANIFEST.json`: what a checkpoint consists of, written last. A checkpoint is whole if, and only if, every file that its
 * manifest lists has the size and the SHA-256 that it says.
 */
import { createHash } from 'node:crypto';
import { createReadStream, lstatSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import * as z from 'zod';
import { readPlainFile } from '../logging/read-lines.js';
import { pretty, writeWhole } from './files.js';

const NAME = 'MANIFEST.json';
/** Layout of the manifest. */
const FORMAT = 1;
/** Bytes of the largest manifest, with some hundred thousand files of rows. */
const MOST_BYTES = 64 * 2 ** 20;
/** Folder of a run that holds the rows of its replay buffer, shared by all checkpoints. */
export const REPLAY_FOLDER = 'replay';

/** Nothing outside the checkpoint: two folders, plain names. */
const INSIDE = /^(pretrained_model|training_state)\/[a-z_]+\.(safetensors|json)$/;
const ROWS = /^rows-\d{12,16}\.safetensors$/;

const digest = { bytes: z.int().min(0), sha256: z.string().regex(/^[0-9a-f]{64}$/) };
const rowsSchema = z.object({
  file: z.string().regex(ROWS),
  /** Number of its first transition, and how many. */
  first: z.int().min(0),
  count: z.int().min(1),
  ...digest,
});

const manifestSchema = z.object({
  format: z.literal(FORMAT),
  step: z.int().min(0),
  files: z.record(z.string().regex(INSIDE), z.object(digest)),
  /** Files of the replay buffer, in the order of their transitions; null where it is not kept. */
  replay: z.array(rowsSchema).nullable(),
  /** What must be the same for the same bits to follow. */
  madeBy: z.record(z.string(), z.union([z.string(), z.number(), z.null()])),
});

/** Content of the manifest. */
export type CheckpointManifest = z.infer<typeof manifestSchema>;

/** A file of the replay buffer. */
export type ReplayFile = z.infer<typeof rowsSchema>;

/** Name of the file whose first transition has this number. */
export const replayFileName = (first: number) =>
  `rows-${String(first).padStart(12, '0')}.safetensors`;

/** Size and SHA-256 of a file. */
export async function digestOf(path: string): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256');
  let bytes = 0;
  await pipeline(createReadStream(path), async (chunks) => {
    for await (const chunk of chunks as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      hash.update(chunk);
    }
  });
  return { bytes, sha256: hash.digest('hex') };
}

/** Writes the manifest of the files that lie in `folder`. */
export async function writeManifest(
  folder: string,
  names: readonly string[],
  rest: Omit<CheckpointManifest, 'format' | 'files'>,
): Promise<void> {
  const files: CheckpointManifest['files'] = {};
  for (const name of names) files[name] = await digestOf(join(folder, name));
  const { step, replay, madeBy } = rest;
  writeWhole(join(folder, NAME), pretty({ format: FORMAT, step, files, replay, madeBy }));
}

/** Why a file is not what a manifest says; undefined if it is. */
async function flaw(
  path: string,
  { bytes, sha256 }: { bytes: number; sha256: string },
): Promise<string | undefined> {
  const facts = lstatSync(path, { throwIfNoEntry: false });
  if (facts === undefined) return 'is missing';
  if (!facts.isFile()) return 'is no plain file';
  if (facts.size !== bytes) return `has ${facts.size} bytes, not ${bytes}`;
  return (await digestOf(path)).sha256 === sha256 ? undefined : 'fails its SHA-256';
}

/**
 * Whether some files of a checkpoint are those that its manifest lists; checkpoints of before there was one pass.
 *
 * @param names Such as `pretrained_model/config.json`.
 * @returns What is wrong; undefined if nothing is.
 */
export async function verifyFiles(
  folder: string,
  names: readonly string[],
): Promise<Flaw | undefined> {
  if (lstatSync(join(folder, NAME), { throwIfNoEntry: false }) === undefined) return undefined;
  const read = readCheckpointManifest(folder);
  if ('reason' in read) return read;
  const { manifest } = read;
  for (const name of names) {
    const path = join(folder, name);
    const facts = manifest.files[name];
    const why = facts === undefined ? 'is not listed' : await flaw(path, facts);
    if (why !== undefined) return { reason: `${path} ${why}` };
  }
  return undefined;
}

/** Why a checkpoint is not to be used; `format` where another version wrote it. */
export interface Flaw {
  readonly reason: string;
  readonly format?: number;
}

/** A checkpoint that was looked at: whole, or why not. */
export type Verified = { manifest: CheckpointManifest } | Flaw;

/** The manifest of a checkpoint, without a look at the files that it lists. */
export function readCheckpointManifest(folder: string): Verified {
  const path = join(folder, NAME);
  let value: unknown;
  try {
    // what a link leads to lies outside
    if (!lstatSync(path).isFile()) return { reason: `${path} is no plain file` };
    value = JSON.parse(readPlainFile(path, MOST_BYTES).toString());
  } catch {
    return { reason: `${path} is missing or not one` };
  }
  const format = (value as { format?: unknown } | null)?.format;
  if (typeof format === 'number' && format !== FORMAT)
    return { reason: `${path} has layout ${format}`, format };
  const checked = manifestSchema.safeParse(value);
  return checked.success ? { manifest: checked.data } : { reason: `${path} is missing or not one` };
}

/**
 * Reads a manifest and checks every file that it lists, those of the replay buffer included.
 *
 * @returns The manifest, or in words why this is no whole checkpoint.
 */
export async function verifyCheckpoint(runDir: string, folder: string): Promise<Verified> {
  const read = readCheckpointManifest(folder);
  if ('reason' in read) return read;
  const { manifest } = read;
  const inside = Object.entries(manifest.files).map(([name, facts]) => ({
    path: join(folder, name),
    facts,
  }));
  const rows = (manifest.replay ?? []).map((facts) => ({
    path: join(runDir, REPLAY_FOLDER, facts.file),
    facts,
  }));
  for (const { path, facts } of [...inside, ...rows]) {
    const why = await flaw(path, facts);
    if (why !== undefined) return { reason: `${path} ${why}` };
  }
  return { manifest };
}
