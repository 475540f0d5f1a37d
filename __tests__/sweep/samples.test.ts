/** Settings that are drawn: Sobol's sequence, distributions, and the plans that come of both. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { planSweep } from '../../src/sweep/plan.js';
import { MOST_DIMENSIONS, sobolDimension } from '../../src/sweep/sobol.js';
import { readSweep } from '../../src/sweep/sweep-file.js';

const golden: { indices: number[]; points: number[][] } = JSON.parse(
  readFileSync(new URL('../fixtures/sweep/sobol.json', import.meta.url), 'utf8'),
);

/** What settings of a sweep ask for, in their order. */
const settingsOf = (content: object) =>
  readSweep(content, 'a.yaml').settings.map(({ values }) => values);
const valuesOf = (content: object, key: string) =>
  settingsOf(content).map((values) => values[key] as number);
const RATE = 'optim.policyLearningRate';
const rates = { [RATE]: { logUniform: [1e-4, 1e-2] } };

describe("Sobol's sequence", () => {
  it('equals that of scipy 1.17.1 in 16 dimensions, to the bit', () => {
    expect([golden.points[0]?.length, golden.indices.length]).toEqual([MOST_DIMENSIONS, 46]);
    for (let dimension = 0; dimension < MOST_DIMENSIONS; dimension += 1) {
      const at = sobolDimension(dimension);
      expect(golden.indices.map(at)).toEqual(golden.points.map((point) => point[dimension]));
    }
  });

  it.each([0, 0x9e3779b9])(
    'has one of 1024 points in each of 1024 intervals, shifted by %i',
    (shift) => {
      for (let dimension = 0; dimension < MOST_DIMENSIONS; dimension += 1) {
        const at = sobolDimension(dimension, shift);
        const cells = Array.from({ length: 1024 }, (_, index) => Math.floor(at(index) * 1024));
        expect(new Set(cells).size).toBe(1024);
      }
    },
  );
});

describe('random', () => {
  it('draws within the bounds, evenly by the logarithm of what is logUniform', () => {
    const drawn = valuesOf({ random: { samples: 4000, ...rates } }, RATE);
    expect(Math.min(...drawn)).toBeGreaterThanOrEqual(1e-4);
    expect(Math.max(...drawn)).toBeLessThanOrEqual(1e-2);
    // binomial with n = 4000, p = 1/2: standard deviation 31.6; five of them
    const lower = drawn.filter((rate) => rate < 1e-3).length;
    expect(Math.abs(lower - 2000)).toBeLessThan(158);
    for (const rate of drawn) expect(rate).toBe(Number(rate.toPrecision(6)));
  });

  it('draws uniform numbers evenly, and takes every whole number and every choice', () => {
    const keys = {
      discount: { uniform: [0.9, 0.99] },
      'replay.batchSize': { choice: [64, 128, 256] },
      'schedule.mSteps': { integer: [2, 5] },
    };
    const content = { random: { samples: 3000, ...keys } };
    const mean = valuesOf(content, 'discount').reduce((sum, value) => sum + value, 0) / 3000;
    // standard error 0.09 / √(12 · 3000) = 0.00047; five of them
    expect(Math.abs(mean - 0.945)).toBeLessThan(0.0024);
    for (const [key, all] of [
      ['replay.batchSize', [64, 128, 256]],
      ['schedule.mSteps', [2, 3, 4, 5]],
    ] as const) {
      const drawn = valuesOf(content, key);
      expect([...new Set(drawn)].sort((a, b) => a - b)).toEqual(all);
      const [n, p] = [3000, 1 / all.length];
      for (const value of all) {
        const count = drawn.filter((each) => each === value).length;
        expect(Math.abs(count - n * p)).toBeLessThan(5 * Math.sqrt(n * p * (1 - p)));
      }
    }
  });

  it('draws each key from a stream of its own', () => {
    const two = { ...rates, 'optim.actionValueLearningRate': { logUniform: [1e-4, 1e-2] } };
    const content = { random: { samples: 400, ...two } };
    const [a, b] = Object.keys(two).map((key) => valuesOf(content, key).map(Math.log)) as [
      number[],
      number[],
    ];
    const centred = (values: number[]) => {
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      return values.map((value) => value - mean);
    };
    const [x, y] = [centred(a), centred(b)];
    const dot = (u: number[], v: number[]) =>
      u.reduce((sum, value, index) => sum + value * (v[index] as number), 0);
    // standard error 1 / √400 = 0.05; five of them
    expect(Math.abs(dot(x, y) / Math.sqrt(dot(x, x) * dot(y, y)))).toBeLessThan(0.25);
  });
});

describe.each(['random', 'sobol'])('a plan with %s', (section) => {
  const drawn = (samples: number, more: object = {}) =>
    valuesOf({ [section]: { samples, ...rates, ...more } }, RATE);

  it('is the same each time, and another with another seed', () => {
    expect(drawn(20)).toEqual(drawn(20));
    expect(drawn(20, { seed: 0 })).toEqual(drawn(20));
    expect(drawn(20).some((rate) => drawn(20, { seed: 1 }).includes(rate))).toBe(false);
  });

  it('is extended by more samples, and no value of a key is changed by another key', () => {
    expect(drawn(50).slice(0, 20)).toEqual(drawn(20));
    expect(drawn(20, { discount: { uniform: [0.9, 0.99] } })).toEqual(drawn(20));
  });

  it('has every draw with the whole grid, list and all seeds, draw by draw', async () => {
    const content = {
      env: 'Hopper-v5',
      seeds: '0-1',
      grid: { algorithm: ['virel', 'beta'] },
      list: [{ 'replay.batchSize': 64 }, { 'replay.batchSize': 128 }],
      [section]: { samples: 3, ...rates },
    };
    const { plan } = await planSweep(readSweep(content, 'a.yaml'), 'a', 'a.yaml');
    expect(plan.rows).toHaveLength(3 * 2 * 2 * 2);
    const [first] = drawn(1);
    expect(plan.rows.slice(0, 4).map(({ folder }) => folder)).toEqual(
      [64, 128].flatMap((size) =>
        ['virel', 'beta'].map(
          (name) => `Hopper-v5/${name}/replay.batchSize=${size},${RATE}=${first}/seed-0`,
        ),
      ),
    );
  });

  it('has no setting twice, and takes all there are where so many are asked for', () => {
    const keys = {
      'schedule.mSteps': { integer: [1, 10] },
      algorithm: { choice: ['sac', 'ddpg'] },
    };
    const content = { [section]: { samples: 20, ...keys } };
    const texts = settingsOf(content).map((values) => JSON.stringify(values));
    expect(new Set(texts).size).toBe(20);
  });
});
