/** `learningCurves` and its picture: centres, bands, what a reader must know, the same bytes every time. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { compareRuns } from '../../src/comparison/compare.js';
import { curveData } from '../../src/comparison/curve-data.js';
import { type CurveOptions, learningCurves } from '../../src/comparison/curves.js';
import { commonGrid, extended, trailingMean, valueAt } from '../../src/comparison/resample.js';
import type { ConfigOptions } from '../../src/config/resolve.js';
import { SERIES } from '../../src/plots/colours.js';
import { drawComparison, plotRuns } from '../../src/plots/runs.js';
import { LINE_HEIGHT, placeLabels } from '../../src/plots/side-labels.js';
import { expectWellFormed, linesOf, misplacement, PIXELS, textsOf } from '../plots/svg.js';
import { type FakeRun, writeRun } from './run-folders.js';

/** The libraries that draw take seconds to load on a busy machine. */
let folder: string;
let runs: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'virel-curves-'));
  runs = [];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function add(returns: readonly number[], options: ConfigOptions = {}, fake: Partial<FakeRun> = {}) {
  const all = { seed: runs.length, ...options };
  runs.push(writeRun(folder, `run-${runs.length}`, { returns, options: all, ...fake }));
}
const curves = (options: CurveOptions = {}) => learningCurves(runs, { reps: 100, ...options });
const groupOf = (options: CurveOptions = {}) => {
  const [group] = curves(options).tasks[0]?.groups ?? [];
  if (group === undefined) throw new Error('no group');
  return group;
};
const ten = (of: (index: number) => number) => Array.from({ length: 10 }, (_, index) => of(index));

describe('learning curves', () => {
  it('are means of the seeds at the steps of their evaluations, in a band', () => {
    add(ten((i) => i));
    add(ten((i) => 2 * i));
    add(ten((i) => 6 * i));
    const { centre, runs: each, failed } = groupOf();
    expect(centre.map(({ x, y }) => [x, y])).toEqual(
      ten((i) => i).map((i) => [100 * (i + 1), 3 * i]),
    );
    // one resample in 27 has three times the lowest run, one the highest
    expect(groupOf({ reps: 2000 }).centre[5]).toMatchObject({ low: 5, high: 30 });
    expect([each.map(({ seed }) => seed), failed]).toEqual([[0, 1, 2], 0]);
    expect(groupOf({ seed: 1, reps: 101 }).centre).not.toEqual(groupOf({ reps: 101 }).centre);
  });

  it('have no band of one seed', () => {
    add([1, 2]);
    expect(groupOf().centre[0]).toEqual({ x: 100, y: 1, low: null, high: null });
  });

  it('are interquartile means where that is asked for', () => {
    for (const value of [0, 1, 2, 100]) add([value]);
    expect(groupOf({ centre: 'iqm' }).centre[0]?.y).toBe(1.5);
  });

  it('reach as far as the shortest run that goes on; failed ones go on with their last value', () => {
    add(ten(() => 4));
    add([2, 2, 2, 2, 2, 2], {}, { ended: 'none' });
    add([0, -4], {}, { ended: 'failed', code: 'DIVERGED' });
    const { centre, failed } = groupOf();
    expect([centre.at(-1)?.x, failed]).toEqual([600, 1]);
    expect(centre[0]?.y).toBe(2);
    expect(centre.at(-1)?.y).toBeCloseTo(2 / 3, 12);
  });

  it('are over time or gradient steps too', () => {
    add(ten((i) => i));
    expect(groupOf({ x: 'time' }).centre.map(({ x }) => x)).toEqual(ten((i) => i + 1));
    expect(groupOf({ x: 'updates' }).centre.at(-1)?.x).toBe(900);
  });

  it('are smoothed only where asked, and the data never', () => {
    add([0, 2, 4, 6], {}, { ended: 'none' });
    expect(groupOf({ window: 2 }).centre.map(({ y }) => y)).toEqual([0, 1, 3, 5]);
    const rows = curveData(curves({ window: 2, group: ['algorithm', 'seed'].slice(0, 1) }))
      .trimEnd()
      .split('\n');
    expect(rows[0]).toBe('task,group,seed,step,updates,wall,value,run');
    expect(rows.slice(1).map((row) => row.split(',').slice(0, 7).join())).toEqual(
      [0, 2, 4, 6].map(
        (value, i) => `Hopper-v5,virel,0,${100 * (i + 1)},${100 * i},${i + 1},${value}`,
      ),
    );
  });

  it('quotes names in the data', () => {
    add([1]);
    const data = curveData(curves({ group: ['algorithm', 'discount'] }));
    expect(data).toContain('\nHopper-v5,"virel, discount 0.99",0,');
  });

  it.each<[CurveOptions, string]>([
    [{ x: 'epochs' as 'steps' }, 'CONFIG_RANGE'],
    [{ centre: 'max' as 'mean' }, 'CONFIG_RANGE'],
    [{ window: 0 }, 'CONFIG_RANGE'],
    [{ metric: 'q/bias' }, 'RUN_INCOMPLETE'],
    [{ metric: '' }, 'METRIC_UNKNOWN'],
  ])('refuse %j as %s', (options, code) => {
    add([1]);
    expect(() => curves(options)).toThrow(expect.objectContaining({ code }));
  });
});

describe('points that curves share', () => {
  const line = (xs: readonly number[]) => xs.map((x) => ({ x, y: 10 * x }));
  it('are those of the coarsest curve where all have values', () => {
    const [fine, coarse] = [line([1, 2, 3, 4]), line([1.5, 3.5, 9])];
    expect(commonGrid([fine, coarse], [fine, coarse])).toEqual([1.5, 3.5]);
    expect(commonGrid([fine, coarse], [fine])).toEqual([2, 3, 4]);
    expect(valueAt(line([1, 2, 4]), 3)).toBe(30);
    expect(valueAt(line([1, 2, 4]), 4)).toBe(40);
  });
  it('end where the longest ends for those that failed', () => {
    const long = line([1, 5]);
    expect(extended([line([1, 2]), long], [false, true])).toEqual([
      [...line([1, 2]), { x: 5, y: 20 }],
      long,
    ]);
    expect(trailingMean(line([1, 2, 3]), 2).map(({ y }) => y)).toEqual([10, 15, 25]);
  });
});

describe('names of lines', () => {
  it('stay a line apart, in the order of the lines, and within the frame', () => {
    const labels = [50, 52, 300, 51, 0].map((at) => ({ text: `${at}`, colour: '', at }));
    const placed = placeLabels(labels, 0, 300);
    expect(placed.map(({ text }) => text)).toEqual(['0', '50', '51', '52', '300']);
    expect(placed.map(({ y }) => y)).toEqual([8, 35, 51, 67, 292]);
    expect(LINE_HEIGHT).toBe(16);
  });
});

describe('the picture of learning curves', () => {
  beforeEach(() => {
    add(
      ten((i) => i * i),
      { algorithm: 'beta' },
    );
    add(
      ten((i) => i * i + 9),
      { algorithm: 'beta' },
    );
    add([5, 6, 7], { algorithm: 'sac' }, { ended: 'failed', code: 'DIVERGED' });
    add(
      ten((i) => 5 + i),
      { algorithm: 'sac' },
    );
    add([0.5, -3], { algorithm: 'sac', env: 'Walker2d-v5' });
  });
  const draw = (options = {}) => plotRuns(runs, { reps: 100, ...options });

  it('says what a reader must know', async () => {
    const { svg } = await draw();
    expectWellFormed(svg);
    const texts = textsOf(svg);
    for (const text of [
      'Hopper-v5',
      'Walker2d-v5',
      'beta (2 seeds)',
      'sac (2 seeds, 1 failed)',
      'sac (1 seed)',
      'return of the deterministic policy: whole episodes of at most 999 steps until more than 1,000',
      'environment steps',
      'Line: mean of the seeds; band: 95 % bootstrap interval of it (100 replicates), none of a single seed',
      'No smoothing',
      'Failed runs go on in the centre with their last value.',
    ]) {
      expect(texts).toContain(text);
    }
    const { svg: other } = await draw({ window: 5, centre: 'iqm', x: 'time', showSeeds: true });
    expect(textsOf(other)).toContain(
      'Every run smoothed: mean of its last 5 points; faint: every seed',
    );
    expect(textsOf(other)).toContain('hours since the start');
  });

  it('shows the numbers: a line for every group, one for every seed if asked', async () => {
    const { svg, curves: drawn } = await draw();
    const lines = linesOf(svg);
    expect(lines.map(({ title }) => title)).toEqual([
      'beta (2 seeds)',
      'sac (2 seeds, 1 failed)',
      'sac (1 seed)',
    ]);
    const [beta] = drawn.tasks[0]?.groups ?? [];
    const values = beta?.centre.map(({ y }) => y) ?? [];
    expect(misplacement(lines[0]?.y ?? [], values)).toBeLessThan(PIXELS);
    const { svg: all } = await draw({ showSeeds: true });
    expect(linesOf(all).filter(({ title }) => title.startsWith('beta, seed'))).toHaveLength(2);
    // beta has the first colour, sac the second, in both panels
    expect([...svg.matchAll(new RegExp(`stroke="${SERIES[1]}"`, 'g'))]).toHaveLength(2);
  });

  it('has the same bytes every time', async () => {
    const { svg } = await draw();
    expect((await draw()).svg).toBe(svg);
    expect(svg).toMatchSnapshot();
  });
});

describe('the picture of a comparison', () => {
  it('has a row for every group, a circle for every run, and who beats the baseline', async () => {
    for (const score of [1, 2, 3])
      add(
        ten(() => score),
        { algorithm: 'beta' },
      );
    for (const score of [1, 2])
      add(
        ten(() => score),
        { algorithm: 'sac' },
      );
    const comparison = compareRuns(runs, { reps: 100, baseline: 'sac' });
    const svg = await drawComparison(comparison);
    expectWellFormed(svg);
    const texts = textsOf(svg);
    expect(texts).toContain('Hopper-v5 at 1,000 steps');
    expect(texts).toContain('beta 3 seeds, sac 2 seeds');
    expect(texts).toContain('Probability that a run scores above one of sac, on Hopper-v5');
    // five runs, two interquartile means, one probability
    expect(svg.match(/<circle /g)).toHaveLength(8);
    expect(await drawComparison(comparison)).toBe(svg);
  });
});
