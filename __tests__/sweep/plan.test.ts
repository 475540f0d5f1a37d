/** Sweeps as plans: which runs, in which folders, what they take, and how their folders are read. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { resolveConfig } from '../../src/config/resolve.js';
import { estimateAll, estimateRun } from '../../src/sweep/estimate.js';
import { openSweep } from '../../src/sweep/folder.js';
import { jobsFor, needsOf, oversubscribed } from '../../src/sweep/needs.js';
import { planSweep } from '../../src/sweep/plan.js';
import { readPlan, writePlan } from '../../src/sweep/plan-file.js';
import { isDue, tasksOf } from '../../src/sweep/run.js';
import { countStates, standing } from '../../src/sweep/state.js';
import { readSweep } from '../../src/sweep/sweep-file.js';

const folder = mkdtempSync(join(tmpdir(), 'virel-plan-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const plan = async (content: object) =>
  (await planSweep(readSweep(content, 'a.yaml'), 'a', 'a.yaml')).plan;
const foldersOf = async (content: object) =>
  (await plan(content)).rows.map(({ folder: each }) => each);

describe('a plan', () => {
  it('has every combination of list, grid and seeds, seed by seed', async () => {
    const content = {
      env: 'Hopper-v5',
      seeds: [3, 1],
      list: [{ algorithm: 'virel' }, { algorithm: 'beta', 'temperature.temperatureScale': 0.01 }],
      grid: { 'optim.targetUpdateRate': [0.001, 0.005] },
    };
    const of = (seed: number) => [
      `Hopper-v5/virel/optim.targetUpdateRate=0.001/seed-${seed}`,
      `Hopper-v5/virel/optim.targetUpdateRate=0.005/seed-${seed}`,
      `Hopper-v5/beta/temperature.temperatureScale=0.01,optim.targetUpdateRate=0.001/seed-${seed}`,
      `Hopper-v5/beta/temperature.temperatureScale=0.01,optim.targetUpdateRate=0.005/seed-${seed}`,
    ];
    expect(await foldersOf(content)).toEqual([...of(3), ...of(1)]);
  });

  it('gives a run the same folder whatever else the sweep holds', async () => {
    const rates = (values: number[]) => ({ grid: { 'optim.targetUpdateRate': values } });
    const [one] = await foldersOf(rates([0.005]));
    expect(await foldersOf({ ...rates([0.001, 0.005]), seeds: '0-3' })).toContain(one);
  });

  it('tells values apart that cannot stand in a name', async () => {
    const folders = await foldersOf({
      grid: { 'network.hidden': [[64, 64], [64, 128], Array(12).fill(65_536)] },
    });
    expect(new Set(folders).size).toBe(3);
    for (const each of folders) expect(each).toMatch(/^[\w./=,+-]{1,200}$/);
  });

  it('is refused where it is larger than anyone means', () => {
    const hundred = Array.from({ length: 101 }, (_, index) => (index + 1) / 1000);
    const grid = { discount: hundred, 'optim.targetUpdateRate': hundred };
    expect(() => readSweep({ seeds: '0-9', grid }, 'a.yaml')).toThrow('102010 runs');
  });

  it('is read back as it was written, and no other', async () => {
    const path = join(folder, 'plan.jsonl');
    const made = await plan({ seeds: '0-2' });
    writePlan(path, made);
    expect(readPlan(path)).toEqual(made);
    const outside = { ...made, rows: [{ ...made.rows[0], index: 0, folder: '../x' }] };
    writePlan(path, outside as typeof made);
    expect(() => readPlan(path)).toThrow('has no row 0');
    writeFileSync(path, 'gibberish');
    expect(() => readPlan(path)).toThrow('is no plan');
  });

  it('that lies damaged in the folder of a sweep can be made again', async () => {
    const [made, dir] = [await plan({ seeds: '0-2' }), join(folder, 'damaged')];
    openSweep(dir, made)();
    const path = join(dir, 'plan.jsonl');
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, text.slice(0, -20));
    const fix = expect.stringContaining('remove it');
    expect(() => openSweep(dir, made)).toThrow(expect.objectContaining({ code: 'PLAN_HASH', fix }));
    rmSync(path);
    openSweep(dir, made)();
    expect(readFileSync(path, 'utf8')).toBe(text);
  });

  it('is extended by more seeds, and never changed', async () => {
    const dir = join(folder, 'extended');
    openSweep(dir, await plan({ seeds: '0-1' }))();
    openSweep(dir, await plan({ seeds: '1-3' }))();
    const { rows } = readPlan(join(dir, 'plan.jsonl'));
    expect(rows.map(({ index, values }) => [index, values['seed']])).toEqual([
      [0, 0],
      [1, 1],
      [2, 2],
      [3, 3],
    ]);
    const other = await plan({ seeds: '0-1', steps: 7 });
    expect(() => openSweep(dir, other)).toThrow(
      expect.objectContaining({ code: 'CONFIG_CONFLICT' }),
    );
    const release = openSweep(dir, await plan({ seeds: '0' }));
    expect(() => openSweep(dir, other)).toThrow(expect.objectContaining({ code: 'SWEEP_LOCKED' }));
    release();
  });

  it('of 10,000 runs is read, and its folder looked at, in seconds', async () => {
    const made = await plan({ seeds: '0-9999' });
    const dir = join(folder, 'many');
    openSweep(dir, made)();
    for (const { row, runDir } of tasksOf(made, dir).slice(0, 1000)) {
      mkdirSync(runDir, { recursive: true });
      const summary = { event: 'summary', state: row.index % 2 ? 'finished' : 'stopped', steps: 9 };
      writeFileSync(join(runDir, 'summary.json'), JSON.stringify(summary));
    }
    const standings = tasksOf(made, dir).map(({ runDir }) => standing(runDir));
    expect(countStates(standings)).toMatchObject({ done: 500, stopped: 500, missing: 9000 });
  });
});

describe('what is due', () => {
  it('is what is not done, has not diverged, and has not failed unless asked', () => {
    const due = (state: Parameters<typeof isDue>[0]['state'], retry = false) =>
      isDue({ state, step: 0 }, retry);
    expect(['done', 'diverged'].map((state) => due(state as 'done', true))).toEqual([false, false]);
    expect([due('failed'), due('failed', true)]).toEqual([false, true]);
    expect([due('missing'), due('stopped'), due('running')]).toEqual([true, true, true]);
  });
});

describe('the machine', () => {
  const pendulum = needsOf(resolveConfig({ env: 'InvertedPendulum-v5', steps: 1000, threads: 1 }));
  const humanoid = needsOf(resolveConfig({ env: 'Humanoid-v5', threads: 1 }));

  it('decides how many runs train at a time, by cores and by memory', () => {
    const of = [pendulum];
    expect(jobsFor(4, of, { cores: 2, memory: 16e9 })).toBe(2);
    expect(jobsFor(4, of, { cores: 64, memory: 16e9 })).toBe(4);
    expect(jobsFor(9, [humanoid, pendulum], { cores: 8, memory: 10e9 })).toBe(2);
    expect(jobsFor(4, of, { cores: 1, memory: 16e9 }, 3)).toBe(3);
    expect(oversubscribed(3, of, { cores: 1, memory: 16e9 })).toContain('3 threads on 1 core');
  });

  it('refuses what its memory cannot hold', () => {
    const resources = { cores: 8, memory: 10e9 };
    const asked = () => jobsFor(9, [humanoid, pendulum], resources, 8);
    expect(asked).toThrow(expect.objectContaining({ code: 'OUT_OF_MEMORY', fix: '--jobs 2' }));
    expect(() => jobsFor(1, [humanoid], { cores: 8, memory: 1e9 })).toThrow('1 run would take');
  });
});

describe('an estimate', () => {
  const config = (steps: number) => resolveConfig({ env: 'Hopper-v5', steps, threads: 1 });

  it('goes by runs of the kind, else by the processor, else is not there', () => {
    const known = { measured: [{ config: config(500), secondsPerStep: 0.01 }], flops: 1e11 };
    expect(estimateRun(config(1000), 1000, known)).toEqual({ seconds: 10, from: 'finished runs' });
    const other = resolveConfig({ env: 'Hopper-v5', algorithm: 'ddpg', threads: 1 });
    expect(estimateRun(other, 1000, known)?.from).toBe('finished runs');
    const bare = { measured: [], flops: 1e11 };
    expect(estimateRun(other, 1000, bare)?.from).toBe('the speed of this processor');
    expect(estimateRun(other, 1000, { measured: [], flops: undefined })).toBeUndefined();
  });

  it('of several runs is no shorter than the longest', () => {
    const of = (seconds: number) => ({ seconds, from: 'finished runs' as const });
    expect(estimateAll([of(10), of(2)], 4)?.seconds).toBe(10);
    expect(estimateAll([of(10), of(20)], 1)?.seconds).toBe(30);
    expect(estimateAll([of(10), undefined], 1)).toBeUndefined();
  });
});
