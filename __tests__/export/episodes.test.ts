import { describe, expect, it } from '@jest/globals';
import { type Episode, Episodes } from '../../src/export/episodes.js';

const SIZES = { observation: 1, action: 1 };
/** s, a, r, γ(1−d), s′. */
const row = (from: number, to: number, terminated = false) =>
  Float32Array.of(from, 0.5, 2, terminated ? 0 : 0.99, to);

/** Where each episode went, and how it ended. */
const told = (episodes: readonly Episode[]) =>
  episodes.map(({ observations, final, end }) => [
    [...observations, final].map(([state]) => state),
    end,
  ]);

function put(rows: readonly Float32Array[], environments: number) {
  const episodes = new Episodes(SIZES, environments);
  const ended = rows.flatMap((each) => episodes.add(each));
  return told([...ended, ...episodes.rest()]);
}

describe('Episodes', () => {
  it('ends one at a termination, at a jump, and where the buffer ends', () => {
    expect(put([row(1, 2), row(2, 3, true), row(5, 6), row(9, 8), row(8, 7)], 1)).toEqual([
      [[1, 2, 3], 'terminated'],
      [[5, 6], 'truncated'],
      [[9, 8, 7], 'open'],
    ]);
  });

  it('follows several environments that collect in turn', () => {
    const rows = [row(1, 2), row(10, 20), row(2, 3), row(20, 30, true), row(7, 8), row(50, 60)];
    expect(put([...rows, row(8, 9), row(60, 70)], 2)).toEqual([
      [[10, 20, 30], 'terminated'],
      [[1, 2, 3], 'truncated'],
      [[7, 8, 9], 'open'],
      [[50, 60, 70], 'open'],
    ]);
  });

  it('tells zeros apart by their sign, as bits do', () => {
    expect(put([row(1, -0), row(0, 1)], 1)).toEqual([
      [[1, -0], 'truncated'],
      [[0, 1], 'open'],
    ]);
  });

  it('has none of no rows', () => {
    expect(put([], 1)).toEqual([]);
  });
});
