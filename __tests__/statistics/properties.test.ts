/** What holds of the statistics of runs for any scores. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { uniformStream } from '../../src/random/stream.js';
import {
  interquartileMean,
  mean,
  median,
  optimalityGap,
  performanceProfile,
  probabilityOfImprovement,
  type Scores,
  trimmedMean,
} from '../../src/statistics/aggregates.js';
import { bootstrapBand, bootstrapIntervals } from '../../src/statistics/bootstrap.js';
import { quantile } from '../../src/statistics/quantile.js';
import { scoreOf } from '../../src/statistics/score.js';

/** On a grid, so that no product is lost below the smallest double. */
const score = fc.integer({ min: -1e7, max: 1e7 }).map((value) => value / 1000);
/** Few values, so that ties are common. */
const coarse = fc.integer({ min: -3, max: 3 });
const runs = <T>(of: fc.Arbitrary<T>) => fc.array(of, { minLength: 1, maxLength: 12 });
const iqm = ([scores = []]: readonly Scores[]) => [interquartileMean(scores)];

describe('interquartile mean', () => {
  it('does not depend on the order of runs and tasks', () => {
    const scores = fc.array(runs(score), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(scores, fc.nat(), (tasks, by) => {
        const turn = <T>(list: readonly T[]) => {
          const at = by % list.length;
          return [...list.slice(at), ...list.slice(0, at)].reverse();
        };
        const shuffled = turn(tasks.map(turn));
        expect(interquartileMean(shuffled)).toBe(interquartileMean(tasks));
      }),
    );
  });

  it('moves and stretches as its scores do', () => {
    const factor = fc.integer({ min: -1000, max: 1000 }).map((value) => value / 10);
    fc.assert(
      fc.property(runs(score), factor, score, (values, a, b) => {
        const moved = trimmedMean(values.map((value) => a * value + b));
        const size = Math.max(...values.map(Math.abs)) * Math.abs(a) + Math.abs(b);
        expect(Math.abs(moved - (a * trimmedMean(values) + b))).toBeLessThanOrEqual(1e-13 * size);
      }),
    );
  });

  it('is the mean below four values, and blind to one outlier from four on', () => {
    expect(trimmedMean([1, 2, 9])).toBe(4);
    expect(trimmedMean([1, 2, 3, 1e9])).toBe(2.5);
    expect(median([3, 1, 2, 10])).toBe(2.5);
    expect(trimmedMean([])).toBeNaN();
  });
});

describe('probability of improvement', () => {
  it('P(X > Y) + P(Y > X) = 1, ties too', () => {
    fc.assert(
      fc.property(runs(coarse), runs(coarse), (x, y) => {
        const sum = probabilityOfImprovement([x], [y]) + probabilityOfImprovement([y], [x]);
        expect(Math.abs(sum - 1)).toBeLessThan(1e-15);
      }),
    );
  });

  it('is 1/2 of equal runs, 1 where every run is better, NaN where a task has no run', () => {
    expect(probabilityOfImprovement([[3, 1]], [[1, 3]])).toBe(0.5);
    expect(probabilityOfImprovement([[3, 4]], [[1, 2]])).toBe(1);
    expect(probabilityOfImprovement([[3, 4], [1]], [[1, 2], []])).toBeNaN();
  });

  it('weights tasks alike, however many runs they have', () => {
    const x = [[1, 1, 1, 1], [0]];
    expect(probabilityOfImprovement(x, [[0], [1]])).toBe(0.5);
  });
});

describe('optimality gap and profile', () => {
  it('do not reward what exceeds the target', () => {
    expect(optimalityGap([[0.5, 1]])).toBe(0.25);
    expect(optimalityGap([[0.5, 100]])).toBe(0.25);
    expect(performanceProfile([[1, 2], [3]], [0, 1, 2.5, 3])).toEqual([1, 2 / 3, 1 / 3, 0]);
  });
});

describe('quantile', () => {
  it("is between neighbours, as numpy's", () => {
    expect(quantile([1, 2, 4], 0.25)).toBe(1.5);
    expect(quantile([1, 2, 4], 1)).toBe(4);
    expect(quantile([7], 0.3)).toBe(7);
    expect(quantile([Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY, 1], 0.25)).toBe(-Infinity);
  });
});

describe('score of a run', () => {
  it('is the mean of the last tenth of the steps, its end included, its beginning not', () => {
    const measured = [80, 90, 95, 100, 110].map((step) => ({ step, value: step }));
    expect(scoreOf(measured, 100)).toBe(97.5);
    expect(scoreOf(measured, 60)).toBeUndefined();
  });
});

describe('bootstrap', () => {
  const options = (seed: number, replicates = 200) => ({
    replicates,
    uniform: uniformStream(seed, 'bootstrap'),
  });

  it('gives the same interval for the same seed, another one for another', () => {
    const scores: Scores = [
      [1, 2, 3, 4, 5.5],
      [2, 8, 1],
    ];
    const [first, again, other] = [0, 0, 1].map((seed) =>
      bootstrapIntervals([scores], iqm, options(seed)),
    );
    expect(first).toEqual(again);
    expect(first).not.toEqual(other);
  });

  it('draws runs within their task alone', () => {
    const tasks = ([scores = []]: readonly Scores[]) => scores.map((task) => Math.max(...task));
    const intervals = bootstrapIntervals(
      [
        [
          [1, 2],
          [10, 20],
        ],
      ],
      tasks,
      options(0),
    );
    expect(intervals).toEqual([
      [1, 2],
      [10, 20],
    ]);
  });

  it('leaves the scores as they are', () => {
    const scores = [[3, 1, 2]];
    bootstrapIntervals([scores], iqm, options(0));
    expect(scores).toEqual([[3, 1, 2]]);
  });

  it('draws whole curves: a band of curves that differ by a constant is as wide everywhere', () => {
    const shape = [0, 5, -3, 8];
    const curves = [0, 1, 2, 4].map((shift) => shape.map((y) => y + shift));
    const widths = bootstrapBand(curves, trimmedMean, options(0)).map(([low, high]) => high - low);
    expect(widths[0]).toBeGreaterThan(0);
    for (const width of widths) expect(width).toBeCloseTo(widths[0] as number, 12);
  });

  it('holds the true value of 95 ± 2 % of samples of 100 runs', () => {
    // 600 samples: the share itself is exact to 0.9 %. A small generator and the mean, for speed
    const [samples, size, replicates] = [600, 100, 200];
    const uniform = weyl(1);
    const statistic = ([[drawn = []] = []]: readonly Scores[]) => [mean(drawn)];
    let held = 0;
    for (let sample = 0; sample < samples; sample += 1) {
      // logistic: symmetric about 0, with long tails
      const scores = Array.from({ length: size }, () => log(1 / uniform() - 1));
      const [[low, high]] = bootstrapIntervals([[scores]], statistic, { replicates, uniform }) as [
        [number, number],
      ];
      if (low <= 0 && high >= 0) held += 1;
    }
    expect(held / samples).toBeGreaterThan(0.93);
    expect(held / samples).toBeLessThan(0.97);
  });
});

/** Uniform draws by mixing a counter (splitmix32); a global is slow to look up in a test. */
const { imul, log } = Math;
function weyl(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = state ^ (state >>> 16);
    mixed = imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = imul(mixed, 0x735a2d97);
    mixed ^= mixed >>> 15;
    return ((mixed >>> 0) + 0.5) / 2 ** 32;
  };
}
