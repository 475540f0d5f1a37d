/** `.qrec`: what is written is read, what is cut or damaged is read up to there, what is none is refused with a sentence. */

import { crc32 } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { crc32 as ours } from '../../src/watch/shared/crc32.js';
import {
  decodeRecording,
  encodeRecording,
  type Recording,
} from '../../src/watch/shared/recording.js';

const header = {
  format: 1,
  env: 'Hopper-v5',
  algorithm: 'virel',
  step: 300,
  seed: 0,
  model: null,
  mujoco: '3.17.0',
  nq: 3,
  nu: 2,
  dt: 0.008,
  steps: 4,
  return: 1.25,
} as const;
const numbers = (count: number) =>
  Float32Array.from({ length: count }, (_, i) => Math.fround(i / 7));
const recording: Recording = {
  header,
  frames: 5,
  qpos: numbers(15),
  action: numbers(10),
  reward: numbers(5),
};
const bytes = encodeRecording(recording);
const head = bytes.indexOf(10) + 1;
const RECORD = 4 * (3 + 2 + 2);

/** The file with another header. */
function withHeader(changes: object): Uint8Array {
  const text = `${JSON.stringify({ ...header, ...changes })}\n`;
  return Buffer.concat([Buffer.from(text), bytes.subarray(head)]);
}

describe('a recording', () => {
  it('is read as it was written', () => {
    expect(decodeRecording(bytes)).toEqual(recording);
  });

  it('has the CRC-32 of zlib', () => {
    fc.assert(fc.property(fc.uint8Array(), (some) => ours(some) === crc32(some)));
  });

  it('cut short anywhere, keeps every state that is whole', () => {
    for (let length = 0; length < bytes.length; length += 1) {
      const read = decodeRecording(bytes.subarray(0, length));
      const frames = Math.floor((length - head) / RECORD);
      if (frames < 1) {
        expect(read).toEqual(expect.any(String));
        continue;
      }
      const { frames: got, qpos } = read as Recording;
      expect([got, qpos]).toEqual([frames, recording.qpos.subarray(0, 3 * frames)]);
    }
  });

  it('damaged in its third state, keeps the two before', () => {
    const damaged = Uint8Array.from(bytes);
    damaged[head + 2 * RECORD + 5] = (damaged[head + 2 * RECORD + 5] as number) ^ 1;
    expect(decodeRecording(damaged)).toMatchObject({ frames: 2 });
  });

  it.each([
    [{ nq: 2 ** 31 }, 'its sizes are not possible'],
    [{ nq: 0 }, 'its sizes are not possible'],
    [{ nu: -1 }, 'its sizes are not possible'],
    [{ steps: 1e300 }, 'its sizes are not possible'],
    [{ dt: 0 }, 'its time step is not possible'],
    [{ format: 2 }, 'layout 2, this version reads layout 1'],
    [{ env: 7 }, 'its header lacks keys'],
    [{ nq: 4 }, 'not one state of it is whole'],
  ])('with %j in its header is refused: %s', (changes, reason) => {
    expect(decodeRecording(withHeader(changes))).toBe(reason);
  });

  it('made of any bytes throws nothing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.boolean(), (some, withHead) => {
        const given = withHead ? Buffer.concat([bytes.subarray(0, head), some]) : some;
        const read = decodeRecording(given);
        return typeof read === 'string' || read.frames <= 5;
      }),
    );
  });
});
