/** Reads safetensors files of float32 without the native part; what is not a whole one is refused, never guessed at. */
import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { VirelError } from '../errors.js';
import { fileError } from '../training/files.js';

/** A named array, row-major. */
export interface Tensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** Content of a file. */
export interface TensorFile {
  /** Free text by its key. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: ReadonlyMap<string, Tensor>;
}

/** Bytes of the header's length, and of a value. */
const [LENGTH, VALUE] = [8, 4];
/** Longest header that the format allows. */
const LONGEST_HEADER = 100_000_000;

const size = z.int().min(0);
const entrySchema = z.object({
  dtype: z.literal('F32'),
  shape: z.array(size),
  data_offsets: z.tuple([size, size]),
});
const headerSchema = z.record(z.string(), z.unknown());
const metadataSchema = z.record(z.string(), z.string());

/** A file that is not what a checkpoint holds. */
export function corrupt(path: string, reason: string, cause?: unknown): VirelError {
  return new VirelError('CHECKPOINT_CORRUPT', `${path}: ${reason}`, {
    where: path,
    fix: 'take another checkpoint: --step N',
    cause,
  });
}

function readHeader(path: string, bytes: Buffer): { header: Record<string, unknown>; at: number } {
  const length = bytes.length < LENGTH ? Infinity : Number(bytes.readBigUInt64LE(0));
  if (length > Math.min(LONGEST_HEADER, bytes.length - LENGTH)) {
    throw corrupt(path, 'its header goes beyond its end');
  }
  try {
    const text = bytes.toString('utf8', LENGTH, LENGTH + length);
    return { header: headerSchema.parse(JSON.parse(text)), at: LENGTH + length };
  } catch (error) {
    throw corrupt(path, 'its header is no JSON object', error);
  }
}

function finite(path: string, name: string, data: Float32Array): Float32Array {
  const index = data.findIndex((value) => !Number.isFinite(value));
  if (index < 0) return data;
  throw corrupt(path, `${name}[${index}] is ${data[index]}`);
}

/**
 * Every tensor of a file, in the order of their bytes.
 *
 * @throws VirelError `CHECKPOINT_CORRUPT`: not float32, not finite, a header or bytes that do not fit each other; `IO`,
 *   `PERMISSION`.
 */
export function readTensors(path: string): TensorFile {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw fileError(error, path, 'read it as a user who may');
  }
  const { header, at } = readHeader(path, bytes);
  const { __metadata__: about = {}, ...rest } = header;
  const metadata = metadataSchema.safeParse(about);
  if (!metadata.success) throw corrupt(path, 'its metadata are no text', metadata.error);
  const entries = Object.entries(rest).map(([name, value]) => {
    const entry = entrySchema.safeParse(value);
    if (entry.success) return { name, ...entry.data };
    throw corrupt(path, `${name}: expected a float32 tensor`, entry.error);
  });
  entries.sort((a, b) => a.data_offsets[0] - b.data_offsets[0]);

  // the tensors fill the rest of the file without holes or overlaps
  let next = 0;
  const tensors = new Map<string, Tensor>();
  for (const { name, shape, data_offsets: offsets } of entries) {
    const [begin, end] = offsets;
    const values = shape.reduce((product, each) => product * each, 1);
    if (begin !== next || end !== begin + VALUE * values || at + end > bytes.length) {
      throw corrupt(path, `${name}: its bytes do not fit its shape`);
    }
    // x64 is little-endian as the file is; a copy, because floats must be aligned
    const data = new Float32Array(Uint8Array.from(bytes.subarray(at + begin, at + end)).buffer);
    tensors.set(name, { shape, data: finite(path, name, data) });
    next = end;
  }
  if (at + next !== bytes.length) throw corrupt(path, 'bytes behind its last tensor');
  return { metadata: metadata.data, tensors };
}
