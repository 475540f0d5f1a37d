import { describe, expect, it } from '@jest/globals';
import { BLOCKS, measureRate, median, rateOf } from '../../src/bench/blocks.js';

describe('median', () => {
  it.each([
    [[3], 3],
    [[5, 1, 3], 3],
    [[4, 1, 3, 2], 2.5],
  ])('of %j is %d', (values, expected) => {
    expect(median(values)).toBe(expected);
  });
});

describe('rate', () => {
  it('is the median with the range over it', () => {
    expect(rateOf([8, 10, 12])).toEqual({ perSecond: 10, samples: 3, spread: 0.4 });
  });

  it('is measured in blocks of the time asked for, after one to warm up', async () => {
    // a unit takes 10 ms of this clock, the first 5 s longer
    let clock = 0;
    const blocks: number[] = [];
    const work = async (units: number) => {
      clock += units * 0.01 + (blocks.length === 0 ? 5 : 0);
      blocks.push(units);
    };
    const rate = await measureRate(work, 9, () => clock);
    expect(rate.samples).toBe(BLOCKS);
    expect(rate.perSecond).toBeCloseTo(100, 6);
    expect(rate.spread).toBeCloseTo(0, 6);
  });
});
