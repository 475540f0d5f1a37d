import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readTensors } from '../../src/export/safetensors-file.js';
import { Session } from '../../src/native/session.js';

const folder = mkdtempSync(join(tmpdir(), 'virel-tensors-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = join(folder, 'model.safetensors');
let parameters: ReturnType<Session['parameters']>;

beforeAll(async () => {
  const session = Session.create({ env: 'InvertedPendulum-v5', network: { hidden: [3, 2] } });
  parameters = session.parameters();
  await session.saveParameters(file, { about: 'é' });
  session.dispose();
});

/** A file of this header and these bytes. */
function write(header: unknown, bytes: Buffer): string {
  const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  const path = join(folder, 'made.safetensors');
  writeFileSync(path, Buffer.concat([length, text, bytes]));
  return path;
}

const floats = (...values: number[]) => Buffer.from(Float32Array.from(values).buffer);
const entry = (shape: unknown, begin: number, end: number, dtype = 'F32') => ({
  dtype,
  shape,
  data_offsets: [begin, end],
});
const refused = expect.objectContaining({ code: 'CHECKPOINT_CORRUPT' });

describe('readTensors', () => {
  it('reads what the native part wrote, bit for bit', () => {
    const { metadata, tensors } = readTensors(file);
    expect(metadata).toEqual({ about: 'é' });
    expect([...tensors.keys()].sort()).toEqual(Object.keys(parameters).sort());
    for (const [name, { shape, data }] of tensors) {
      expect([name, shape, [...data]]).toEqual([
        name,
        parameters[name]?.shape,
        [...(parameters[name]?.data ?? [])],
      ]);
    }
  });

  it('refuses the file cut anywhere', () => {
    const whole = readFileSync(file);
    const path = join(folder, 'cut.safetensors');
    for (let length = 0; length < whole.length; length += length < 16 ? 1 : 11) {
      writeFileSync(path, whole.subarray(0, length));
      expect(() => readTensors(path)).toThrow(refused);
    }
  });

  it.each([
    ['no JSON', '{'],
    ['a list', []],
    ['other numbers', { a: entry([1], 0, 2, 'F16') }],
    ['a negative size', { a: entry([-1], 0, 4) }],
    ['more bytes than it has', { a: entry([2], 0, 8) }],
    ['bytes that its shape does not take', { a: entry([2], 0, 4) }],
    ['a hole', { a: entry([1], 4, 8) }],
    ['an overlap', { a: entry([1], 0, 4), b: entry([1], 0, 4) }],
    ['a rest', {}],
    ['metadata that are no text', { __metadata__: { a: 1 }, a: entry([1], 0, 4) }],
  ] as [string, unknown][])('refuses %s', (_, header) => {
    expect(() => readTensors(write(header, floats(1)))).toThrow(refused);
  });

  it('refuses a value that is not finite, by its place', () => {
    const path = write({ a: entry([2], 0, 8) }, floats(1, Number.NaN));
    expect(() => readTensors(path)).toThrow('a[1] is NaN');
  });

  it('takes a tensor without values, and says where there is no file', () => {
    expect(readTensors(write({ a: entry([0, 3], 0, 0) }, floats())).tensors.get('a')?.data).toEqual(
      new Float32Array(),
    );
    expect(() => readTensors(join(folder, 'none'))).toThrow(
      expect.objectContaining({ code: 'IO' }),
    );
  });
});
