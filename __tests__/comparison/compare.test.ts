/** `compareRuns`: scores, groups, refusals, statements. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { compareRuns } from '../../src/comparison/compare.js';
import type { CompareOptions } from '../../src/comparison/comparison.js';
import { isSameInAllVersions } from '../../src/comparison/pool.js';
import type { ConfigOptions } from '../../src/config/resolve.js';
import { TASKS } from '../../src/environments/tasks.js';
import { type FakeRun, writeRun } from './run-folders.js';

let folder: string;
let runs: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'virel-compare-'));
  runs = [];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Adds a run whose last evaluation, its score, is `score`. */
function add(score: number, options: ConfigOptions = {}, fake: Partial<FakeRun> = {}) {
  const returns = [...Array.from({ length: 9 }, () => 1e6), score];
  const dir = writeRun(folder, `run-${runs.length}`, { returns, options, ...fake });
  runs.push(dir);
  return dir;
}
/** Adds a group: a run for every score, its place the seed. */
const addAll = (scores: readonly number[], options: ConfigOptions = {}) =>
  scores.forEach((score, seed) => {
    add(score, { seed, ...options });
  });
/** A task as all presets evaluate it; `sac-twin` has other values of its own. */
const on = (id: string): ConfigOptions => ({
  env: { id, maxEpisodeSteps: 999 },
  evaluation: { episodes: 5 },
});
const compare = (options: CompareOptions = {}) => compareRuns(runs, { reps: 200, ...options });
const refusal = (options: CompareOptions = {}) => {
  try {
    compare(options);
  } catch (error) {
    return error as { code: string; message: string; fix: string };
  }
  throw new Error('not refused');
};

describe('a comparison', () => {
  it('has mean, IQM, interval and probability of improvement of every group', () => {
    addAll([1, 2, 3, 4, 100], { algorithm: 'beta' });
    addAll([0, 1, 1, 2, 2], { algorithm: 'sac' });
    const { tasks, overall, at, warnings } = compare({ baseline: 'sac' });
    expect([at, overall, warnings]).toEqual([1000, null, []]);
    const [beta, sac] = tasks[0]?.groups ?? [];
    expect(tasks[0]?.task).toBe('Hopper-v5');
    expect([beta?.name, beta?.mean.value, beta?.iqm.value]).toEqual(['beta', 22, 3]);
    // 23 of 25 pairs, and the ties of 1 with 1, 1 and of 2 with 2, 2 half
    expect(beta?.improvement?.value).toBeCloseTo((1 + 1 + 3 + 1 + 5 + 5 + 5) / 25, 12);
    expect(sac?.improvement).toBeUndefined();
    const [low, high] = beta?.iqm.interval ?? [];
    expect(low).toBeGreaterThanOrEqual(1);
    expect(low).toBeLessThan(3);
    expect(high).toBeGreaterThan(3);
    expect(beta?.runs.map(({ seed, score }) => [seed, score])).toEqual(
      [1, 2, 3, 4, 100].map((score, seed) => [seed, score]),
    );
  });

  it('is the same for the same seed, whatever else is compared', () => {
    addAll([1, 2, 3.5], { algorithm: 'beta' });
    const alone = compare();
    expect(compare()).toEqual(alone);
    expect(compare({ seed: 1 }).tasks).not.toEqual(alone.tasks);
    addAll([1, 2, 3], { algorithm: 'beta', env: 'Walker2d-v5' });
    expect(compare().tasks[0]).toEqual(alone.tasks[0]);
  });

  it('scores at a step the last tenth before it, not the best', () => {
    add(5, { steps: 1000 }, { returns: [10, 20, 30, 40, 50, 45, 1e6, 1e6, 1e6, 5] });
    expect(compare({ at: 600 }).tasks[0]?.groups[0]?.mean.value).toBe(45);
    expect(compare().tasks[0]?.groups[0]?.mean.value).toBe(5);
  });

  it('says of one run that it has no interval, and warns of few seeds', () => {
    addAll([1], { algorithm: 'beta' });
    addAll([1, 2, 3], { algorithm: 'sac' });
    const { tasks, warnings } = compare({ baseline: 'sac' });
    const [beta, sac] = tasks[0]?.groups ?? [];
    expect([beta?.iqm.interval, beta?.improvement?.interval]).toEqual([null, null]);
    expect(sac?.iqm.interval).not.toBeNull();
    expect(warnings).toEqual([
      {
        code: 'FEW_SEEDS',
        message: 'seeds on Hopper-v5: beta 1, sac 3; claims need 5, headlines 10',
      },
    ]);
  });

  it('counts diverged runs with their last evaluation', () => {
    addAll([10, 20]);
    const failed = { ended: 'failed', code: 'DIVERGED', returns: [7, -3] } as const;
    add(0, { seed: 2 }, failed);
    const [group] = compare().tasks[0]?.groups ?? [];
    expect([group?.mean.value, group?.failed]).toEqual([9, 1]);
    expect(group?.runs.at(-1)).toMatchObject({ score: -3, ended: 'diverged' });
  });

  it.each(['stopped', 'none'] as const)('refuses a run that is not there yet (%s)', (ended) => {
    addAll([1, 2]);
    add(0, { seed: 2 }, { ended, returns: [1, 2, 3] });
    expect(refusal()).toMatchObject({
      code: 'RUN_INCOMPLETE',
      message: expect.stringContaining('has done 300 of 1000 steps'),
      fix: expect.stringContaining('--at 300'),
    });
    expect(compare({ at: 300 }).tasks[0]?.groups[0]?.runs).toHaveLength(3);
  });

  it('refuses a failed run that measured nothing, rather than to leave it out', () => {
    addAll([1, 2]);
    add(0, { seed: 2 }, { ended: 'failed', returns: [] });
    expect(refusal().code).toBe('RUN_INCOMPLETE');
  });
});

describe('several tasks', () => {
  beforeEach(() => {
    addAll([10, 20, 30], { algorithm: 'sac-twin', ...on('Hopper-v5') });
    addAll([1000, 3000, 2000], { algorithm: 'sac-twin', ...on('HalfCheetah-v5') });
    addAll([18, 42, 18], { algorithm: 'beta', ...on('Hopper-v5') });
    addAll([-295, 4295, 2000], { algorithm: 'beta', ...on('HalfCheetah-v5') });
  });

  it('have raw scores of their own; on one scale random actions are 0, the mean of sac-twin 1', () => {
    const { tasks, overall } = compare({ normalise: 'reference', baseline: 'sac-twin' });
    expect(tasks.map(({ task, scale }) => [task, scale])).toEqual([
      ['Hopper-v5', { random: 18, reference: 20 }],
      ['HalfCheetah-v5', { random: -295, reference: 2000 }],
    ]);
    expect(tasks[0]?.groups.find(({ name }) => name === 'beta')?.mean.value).toBe(26);
    const [twin, beta] = overall ?? [];
    expect([twin?.name, twin?.mean?.value]).toEqual(['sac-twin', 1]);
    // 0, 12, 0 and 0, 2, 1: the middle four are 0, 0, 1, 2
    expect(beta?.iqm?.value).toBeCloseTo(0.75, 12);
    expect(beta?.median?.value).toBeCloseTo((4 + 1) / 2, 12);
    expect(beta?.optimalityGap?.value).toBeCloseTo(1 - 3 / 6, 12);
  });

  it('have profiles on that scale alone: the share of runs above each threshold', () => {
    expect(compare().profile).toBeNull();
    const { profile } = compare({ normalise: 'reference' });
    // the scores of sac-twin on Hopper are -4, 1 and 6, the highest of beta 12
    expect([profile?.thresholds[0], profile?.thresholds.at(-1)]).toEqual([-4, 12]);
    const beta = profile?.groups.find(({ name }) => name === 'beta');
    expect([beta?.shares[0], beta?.shares.at(-1)]).toEqual([1, 0]);
    // thresholds are 0.16 apart: 1.12 is above all of 0, 12, 0, 0, 2, 1 but two
    expect(beta?.shares[32]).toBeCloseTo(2 / 6, 12);
    const [low, high] = beta?.band?.[32] ?? [1, 0];
    expect(low).toBeLessThan(2 / 6);
    expect(high).toBeGreaterThan(2 / 6);
  });

  it('without a scale have the probability of improvement alone', () => {
    const { overall } = compare({ baseline: 'sac-twin' });
    expect(Object.keys(overall?.[1] ?? {})).toEqual(['name', 'improvement']);
    // of nine pairs five, and four with a tie
    expect(overall?.[1]?.improvement?.value).toBeCloseTo((5 / 9 + 4.5 / 9) / 2, 12);
  });

  it('leave out a group that is not on all of them, and say so', () => {
    addAll([1, 2], { algorithm: 'ddpg', ...on('Hopper-v5') });
    const { overall, warnings } = compare({ baseline: 'beta' });
    expect(overall?.map(({ name }) => name)).toEqual(['sac-twin', 'beta']);
    expect(warnings.at(-1)?.code).toBe('TASK_MISSING');
  });

  it('refuse a scale without its reference', () => {
    runs = runs.slice(6);
    expect(refusal({ normalise: 'reference' })).toMatchObject({
      code: 'CONFIG_CONFLICT',
      message: 'normalise reference: no runs of sac-twin on Hopper-v5',
    });
  });
});

describe('runs that cannot be pooled', () => {
  const both = (a: ConfigOptions, b: ConfigOptions) => {
    addAll([1, 2], a);
    addAll([3, 4], b);
  };

  it('v4 and v5 are different tasks', () => {
    both({ env: 'Hopper-v4' }, { env: 'Hopper-v5', algorithm: 'sac' });
    expect(refusal()).toMatchObject({
      code: 'RUNS_NOT_POOLABLE',
      message: 'Hopper-v4 and Hopper-v5 are different tasks, their returns are not comparable',
    });
  });

  it('but those of HalfCheetah and Swimmer, as the list of tasks says of them alone', () => {
    addAll([1, 2], { env: 'HalfCheetah-v4' });
    add(3, { env: 'HalfCheetah-v5', seed: 2 });
    const [task] = compare().tasks;
    expect([task?.task, task?.groups[0]?.runs.length]).toEqual(['HalfCheetah-v4, v5', 3]);
    const same = TASKS.filter(({ versions }) => versions === 'v4 and v5 are the same task');
    for (const { id } of TASKS) {
      expect([id, isSameInAllVersions(id)]).toEqual([id, same.some((task) => task.id === id)]);
    }
  });

  it.each<[string, ConfigOptions, ConfigOptions]>([
    ['evaluation.episodes: null and 5', {}, { evaluation: { episodes: 5 } }],
    ['evaluation.minSteps: 1000 and 2000', {}, { evaluation: { minSteps: 2000 } }],
    ['env.maxEpisodeSteps: 999 and 500', {}, { env: { id: 'Hopper-v5', maxEpisodeSteps: 500 } }],
    [
      'preset: "paper" and "modern"',
      { evaluation: { episodes: 5 } },
      {
        preset: 'modern',
        evaluation: { episodes: 5 },
        env: { id: 'Hopper-v5', maxEpisodeSteps: 999 },
      },
    ],
  ])('on one task: %s', (difference, a, b) => {
    both({ algorithm: 'virel', ...a }, { algorithm: 'sac', ...b });
    const { code, message } = refusal();
    expect(code).toBe('RUNS_NOT_POOLABLE');
    expect(message).toBe(`runs on Hopper-v5 differ in ${difference}`);
  });

  it('within a group: any setting but the seed, unless it is what is compared', () => {
    both({}, { seed: 7, optim: { targetUpdateRate: 0.005 } });
    runs.pop();
    expect(refusal()).toMatchObject({
      message: 'runs of virel on Hopper-v5 differ in optim.targetUpdateRate: 0.001 and 0.005',
      fix: expect.stringContaining('--group algorithm,optim.targetUpdateRate'),
    });
    const { tasks } = compare({ group: ['algorithm', 'optim.targetUpdateRate'] });
    expect(tasks[0]?.groups.map(({ name }) => name)).toEqual([
      'virel, targetUpdateRate 0.001',
      'virel, targetUpdateRate 0.005',
    ]);
  });

  it('one seed twice', () => {
    both({}, {});
    expect(refusal().message).toBe('virel: two runs of seed 0, which are not independent');
  });

  it('another model file', () => {
    add(1, {}, { manifest: { model: { file: 'hopper.xml', sha256: 'aa' } } });
    add(2, { seed: 1 }, { manifest: { model: { file: 'hopper.xml', sha256: 'bb' } } });
    expect(refusal().message).toContain('model (SHA-256): "aa" and "bb"');
  });
});

describe('bad input', () => {
  beforeEach(() => addAll([1, 2]));
  it.each<[CompareOptions, string, RegExp]>([
    [{ metric: 'eval/mean_rewrd' }, 'METRIC_UNKNOWN', /no metric eval\/mean_rewrd/],
    [{ metric: 'q/bias' }, 'RUN_INCOMPLETE', /no q\/bias/],
    [{ baseline: 'sac' }, 'CONFIG_RANGE', /baseline: expected one of virel, got sac/],
    [{ at: 0 }, 'CONFIG_RANGE', /at: /],
    [{ reps: 99 }, 'CONFIG_RANGE', /reps: expected a whole number from 100/],
    [{ seed: 0.5 }, 'CONFIG_RANGE', /seed: /],
    [{ normalise: 'max' as 'none' }, 'CONFIG_RANGE', /normalise: expected one of none; reference/],
    [{ group: ['optim.tau'] }, 'CONFIG_UNKNOWN_KEY', /optim\.tau/],
    [{ require: ['virel>0'] }, 'CLI_USAGE', /not a statement/],
    [{ require: ['P(virel>sac)>0.5'] }, 'CLI_USAGE', /no group sac/],
    [{ require: ['IQM(virel)>many'] }, 'CLI_USAGE', /many is no number/],
  ])('%j is %s', (options, code, message) => {
    const refused = refusal(options);
    expect(refused.code).toBe(code);
    expect(refused.message).toMatch(message);
    expect(refused.fix).toBeTruthy();
  });

  it('no runs', () => {
    runs = [];
    expect(refusal().code).toBe('RUN_NOT_FOUND');
  });
});

describe('statements', () => {
  it.each([
    ['P(beta>sac)>0.5', 0.75, true],
    ['P(beta > sac) >= 0.75', 0.75, true],
    ['P(sac>beta)>0.5', 0.25, false],
    ['IQM(beta)<2', 3, false],
    ['mean(sac)<=2', 2, true],
  ])('%s', (requirement, value, passed) => {
    addAll([2, 4], { algorithm: 'beta' });
    addAll([1, 3], { algorithm: 'sac' });
    expect(compare({ require: [requirement] }).requirements).toEqual([
      { requirement, value, passed },
    ]);
  });

  it('on averages need a common scale', () => {
    addAll([2, 4], { algorithm: 'beta' });
    addAll([2, 4], { algorithm: 'beta', env: 'Walker2d-v5' });
    expect(refusal({ require: ['IQM(beta)>1'] })).toMatchObject({ code: 'CLI_USAGE' });
  });
});
