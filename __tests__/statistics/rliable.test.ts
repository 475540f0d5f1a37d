/** The statistics of runs against golden numbers: rliable 1.2.0, and those of the paper's page on statistics. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { uniformStream } from '../../src/random/stream.js';
import {
  interquartileMean,
  meanOfTasks,
  medianOfTasks,
  optimalityGap,
  performanceProfile,
  probabilityOfImprovement,
  type Scores,
  trimmedMean,
} from '../../src/statistics/aggregates.js';
import { bootstrapIntervals } from '../../src/statistics/bootstrap.js';

const fixture = (name: string) =>
  JSON.parse(readFileSync(fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url)), 'utf8'));
const golden = fixture('statistics/rliable.json');
const { statistics: page } = fixture('theory/tabular.json');

/** Sums in another order: 30 scores around 1. */
const ROUNDING = 1e-12;

const AGGREGATES = {
  iqm: interquartileMean,
  mean: meanOfTasks,
  median: medianOfTasks,
  optimalityGap,
};
type Name = keyof typeof AGGREGATES;
const names: Name[] = golden.aggregates.names;

/** Ends of an interval as rliable drew them, over repeated bootstraps. */
interface Drawn {
  replicates: number;
  repeats: number;
  /** [2][values] */
  mean: number[][];
  sd: number[][];
}

/**
 * The end of a bootstrap of R replicates has a standard error, which the repeats of rliable show. Ours has the same, the mean of
 * the repeats that of one over √repeats: the difference lies within five standard errors of it, once in a million not.
 * A spread over ten repeats may itself be half of the true one; an end on an atom of the distribution, or between two of
 * them, moves by less than 0.004.
 */
const within = ({ sd, repeats }: Drawn, end: number, index: number) =>
  5 * Math.max(0.0008, 2 * (sd[end]?.[index] as number)) * Math.sqrt(1 + 1 / repeats);

function expectEnds(drawn: Drawn, intervals: readonly (readonly [number, number])[]) {
  intervals.forEach((interval, index) => {
    for (const end of [0, 1] as const) {
      const expected = drawn.mean[end]?.[index] as number;
      expect(Math.abs(interval[end] - expected)).toBeLessThan(within(drawn, end, index));
    }
  });
}

const draw = (replicates: number) => ({ replicates, uniform: uniformStream(0, 'bootstrap') });

describe('rliable 1.2.0', () => {
  it.each(names)('has the same %s', (name) => {
    const value = AGGREGATES[name](golden.x);
    expect(Math.abs(value - golden.aggregates.points[name])).toBeLessThan(ROUNDING);
  });

  it('has the same probability of improvement, ties counting half', () => {
    const { point, tied } = golden.improvement;
    expect(Math.abs(probabilityOfImprovement(golden.x, golden.y) - point)).toBeLessThan(ROUNDING);
    const ofTied = probabilityOfImprovement(golden.tiedX, golden.tiedY);
    expect(Math.abs(ofTied - tied)).toBeLessThan(ROUNDING);
    expect(ofTied).not.toBeCloseTo(point, 4);
  });

  it('has the same performance profile', () => {
    const profile = performanceProfile(golden.x, golden.taus);
    profile.forEach((share, index) => {
      expect(Math.abs(share - golden.profile.points[index])).toBeLessThan(ROUNDING);
    });
  });

  it('has the ends of its intervals where ours are, within their own standard error', () => {
    const { interval } = golden.aggregates;
    const all = ([scores = []]: readonly Scores[]) => names.map((name) => AGGREGATES[name](scores));
    const intervals = bootstrapIntervals([golden.x], all, draw(interval.replicates));
    expectEnds(interval, intervals);
    // the tolerance tells the statistics from one another
    const [iqm, mean] = intervals as [[number, number], [number, number]];
    expect(Math.abs(iqm[0] - mean[0])).toBeGreaterThan(within(interval, 0, 0));
  });

  it('has the interval of the probability of improvement there too', () => {
    const { interval } = golden.improvement;
    const improvement = ([x = [], y = []]: readonly Scores[]) => [probabilityOfImprovement(x, y)];
    expectEnds(
      interval,
      bootstrapIntervals([golden.x, golden.y], improvement, draw(interval.replicates)),
    );
  });

  it('has the band of the performance profile there too', () => {
    const { interval } = golden.profile;
    const profile = ([x = []]: readonly Scores[]) => performanceProfile(x, golden.taus);
    expectEnds(interval, bootstrapIntervals([golden.x], profile, draw(interval.replicates)));
  });
});

describe('known values', () => {
  const numbers = (count: number, of: (index: number) => number) =>
    Array.from({ length: count }, (_, index) => of(index));

  it('IQM(1..10) is 5.5, IQM(0²..29²) is 231.5', () => {
    expect(interquartileMean([numbers(10, (i) => i + 1)])).toBe(page.iqm_1_to_10);
    expect(interquartileMean([numbers(30, (i) => i * i)])).toBe(page.iqm_squares_0_to_29);
  });

  it('two algorithms on two tasks', () => {
    const { A, B } = page;
    const close = (value: number, expected: number) =>
      expect(Math.abs(value - expected)).toBeLessThan(ROUNDING);
    [A, B].forEach((scores, index) => {
      close(interquartileMean(scores), page.iqm[index]);
      close(meanOfTasks(scores), page.mean_of_task_means[index]);
      close(medianOfTasks(scores), page.median_of_task_means[index]);
      close(optimalityGap(scores), page.optimality_gap_1[index]);
    });
    expect(performanceProfile(A, page.profile_tau)).toEqual(page.profile_A);
    close(probabilityOfImprovement(A, B), page.prob_improvement_A_over_B);
    page.prob_improvement_per_task.forEach((expected: number, task: number) => {
      close(probabilityOfImprovement([A[task]], [B[task]]), expected);
    });
  });

  it('all 256 resamples of four runs', () => {
    const { runs, iqm, ...expected } = page.exhaustive_bootstrap;
    expect(trimmedMean(runs)).toBe(iqm);
    // digits of a counter instead of draws: every resample once
    let draws = 0;
    const uniform = () => {
      const [resample, digit] = [Math.floor(draws / 4), draws % 4];
      draws += 1;
      return (Math.floor(resample / 4 ** digit) % 4) / 4;
    };
    let sum = 0;
    const statistic = ([[drawn = []] = []]: readonly Scores[]) => {
      sum += draws > 0 ? trimmedMean(drawn) : 0;
      return [trimmedMean(drawn)];
    };
    const options = { replicates: expected.resamples, uniform };
    const [interval] = bootstrapIntervals([[runs]], statistic, options);
    const [low, , high] = expected['percentile_2.5_50_97.5_linear'];
    expect(interval).toEqual([low, high]);
    expect(sum / expected.resamples).toBe(expected.mean_of_bootstrap_iqm);
    expect(draws).toBe(4 * expected.resamples);
  });
});
