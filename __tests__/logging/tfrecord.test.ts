import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { frameRecord, readRecords } from '../../src/logging/tensorboard/tfrecord.js';
import { unframe } from '../support/event-file.js';

const data = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 6 });
const file = (records: readonly Uint8Array[]) => Buffer.concat(records.map(frameRecord));
const plain = (records: readonly Uint8Array[]) => records.map((record) => [...record]);

describe('a TFRecord', () => {
  it('is length, masked CRC-32C, data, masked CRC-32C', () => {
    // by hand: masked CRC-32C of eight bytes (3, 0, ...), and of "abc" (CRC 364b3fb7)
    const record = frameRecord(Buffer.from('abc'));
    expect(record).toHaveLength(8 + 4 + 3 + 4);
    const masked = (((0x364b3fb7 >>> 15) | (0x364b3fb7 << 17)) + 0xa282ead8) >>> 0;
    expect(Buffer.from(record).readUInt32LE(15)).toBe(masked);
    expect(unframe(record)).toEqual([Buffer.from('abc')]);
  });

  it('is what a decoder of its own reads', () => {
    fc.assert(
      fc.property(data, (records) => {
        expect(plain(unframe(file(records)))).toEqual(plain(records));
      }),
    );
  });

  it('comes back as it was written, also from within a larger buffer', () => {
    fc.assert(
      fc.property(data, (records) => {
        const whole = file(records);
        const inside = Buffer.concat([Buffer.alloc(3), whole]).subarray(3);
        const read = readRecords(new Uint8Array(inside.buffer, inside.byteOffset, inside.length));
        expect(plain(read.records)).toEqual(plain(records));
        expect(read.end).toBe(whole.length);
      }),
    );
  });
});

describe('a file of TFRecords', () => {
  it('gives the whole records after any cut, and says where they end', () => {
    fc.assert(
      fc.property(data, fc.nat(), (records, at) => {
        const whole = file(records);
        const cut = whole.subarray(0, at % (whole.length + 1));
        const ends = records.map((_, index) => file(records.slice(0, index + 1)).length);
        const count = ends.filter((end) => end <= cut.length).length;
        const read = readRecords(cut);
        expect(plain(read.records)).toEqual(plain(records.slice(0, count)));
        expect(read.end).toBe(ends[count - 1] ?? 0);
      }),
    );
  });

  it('ends before the record in which a bit is wrong', () => {
    fc.assert(
      fc.property(data, fc.nat(), fc.nat(7), (records, at, bit) => {
        fc.pre(records.length > 0);
        const damaged = file(records);
        const index = at % damaged.length;
        damaged[index] = (damaged[index] as number) ^ (1 << bit);
        const ends = records.map((_, last) => file(records.slice(0, last + 1)).length);
        const before = ends.filter((end) => end <= index).length;
        expect(readRecords(damaged).records).toHaveLength(before);
      }),
    );
  });

  it.each([2n ** 31n, 2n ** 63n, 2n ** 64n - 1n])(
    'of a length of %d bytes reads none',
    (length) => {
      const lie = Buffer.from(frameRecord(Buffer.alloc(64)));
      lie.writeBigUInt64LE(length);
      expect(readRecords(lie)).toEqual({ records: [], end: 0 });
    },
  );
});
