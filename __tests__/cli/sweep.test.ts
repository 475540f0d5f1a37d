/** `virel-native sweep` as processes: runs that fail beside others, that are killed and go on, plans, states, locks. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { stringify } from 'yaml';
import { listCheckpoints } from '../../src/training/checkpoint.js';
import { left } from '../training/left.js';
import { events, isAlive, json, until } from '../training/supervised.js';
import { compile, start, virel } from './command.js';

const MINUTE = 60_000;
const folder = mkdtempSync(join(tmpdir(), 'virel-sweep-'));
beforeAll(compile, 2 * MINUTE);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Small networks, and everything due every few hundred steps. */
const SMALL = {
  env: 'InvertedPendulum-v5',
  steps: 600,
  network: { hidden: [16, 16] },
  replay: { batchSize: 32 },
  residual: { batch: 128 },
  collect: { startUpdates: 100 },
  evaluation: { every: 170, episodes: 2 },
  checkpoint: { every: 60, keep: 2 },
  logging: { every: 110 },
};
const GRID = { seeds: '0-1', grid: { algorithm: ['virel', 'beta'] } };
const RUNS = ['virel/seed-0', 'beta/seed-0', 'virel/seed-1', 'beta/seed-1'].map(
  (run) => `InvertedPendulum-v5/${run}`,
);
/** No native part, and no way to one. */
const none = { VIREL_HOME: join(folder, 'home'), VIREL_SETUP: 'never', VIREL_NATIVE_ADDON: '' };

/** Writes a sweep; its file's name. */
function sweep(name: string, more: object): string {
  writeFileSync(join(folder, `${name}.yaml`), stringify({ ...SMALL, ...more }));
  return `${name}.yaml`;
}

const DRAWN = { discount: { uniform: [0.9, 0.99] } };
const draw = (distribution: object, key = 'discount') => ({
  random: { samples: 4, [key]: distribution },
});
const SEVENTEEN = Object.fromEntries(
  Array.from({ length: 17 }, (_, index) => [`env.option${index}`, { integer: [0, 9] }]),
);

const status = async (file: string, ...words: string[]) =>
  JSON.parse((await virel(['sweep', file, '--status', '--json', ...words], folder, none)).stdout);

describe('a sweep of two algorithms and two seeds', () => {
  const foreign = join(folder, 'runs/grid', RUNS[1] as string, 'notes.txt');

  it(
    'trains the others on where one fails, and exits 1',
    async () => {
      const file = sweep('grid', GRID);
      mkdirSync(join(foreign, '..'), { recursive: true });
      writeFileSync(foreign, 'not ours');
      const { code, stdout, stderr } = await virel(['sweep', file, '--json'], folder);
      expect(code).toBe(1);
      const all = events(stdout);
      const failed = all.filter(({ event }) => event === 'error');
      expect(failed).toMatchObject([{ code: 'RUN_LOCKED', folder: RUNS[1] }]);
      expect(stderr).toContain('is not empty: it already holds notes.txt');
      expect(all.at(-1)).toMatchObject({ event: 'summary', counts: { done: 3, missing: 1 } });
      expect(all.at(-1).runs.map((run: { folder: string }) => run.folder)).toEqual(RUNS);
      expect(readFileSync(foreign, 'utf8')).toBe('not ours');
    },
    2 * MINUTE,
  );

  it(
    'goes on with what is missing, and leaves what is done as it is',
    async () => {
      rmSync(foreign);
      const done = join(folder, 'runs/grid', RUNS[0] as string, 'run.json');
      const before = json(done).id;
      const { code, stdout } = await virel(['sweep', 'grid.yaml', '--quiet', '--json'], folder);
      expect(code).toBe(0);
      const runs = events(stdout).filter(({ event }) => event === 'run');
      expect(runs).toMatchObject([{ index: 1, folder: RUNS[1], state: 'finished', steps: 600 }]);
      expect(json(done).id).toBe(before);
      expect((await status('grid.yaml')).counts).toMatchObject({ done: 4, missing: 0 });
      const again = await virel(['sweep', 'grid.yaml', '--quiet'], folder);
      expect([again.code, again.stdout]).toEqual([0, '']);
    },
    2 * MINUTE,
  );

  it(
    'refuses another sweep in its folder, and takes more seeds',
    async () => {
      const other = sweep('longer', { ...GRID, steps: 700 });
      const words = ['--sweep-dir', 'runs/grid'];
      const refused = await virel(['sweep', other, ...words], folder, none);
      expect(refused.code).toBe(2);
      expect(refused.stderr).toMatch(/^error CONFIG_CONFLICT: .* with steps 600 and 700\n/);
      const more = sweep('more', { ...GRID, seeds: '0-2' });
      expect((await status(more, ...words)).counts).toMatchObject({ done: 4, missing: 2 });
    },
    MINUTE,
  );
});

describe('a run whose trainer dies', () => {
  it(
    'is a failure of that run, tried again with --retry-failed only',
    async () => {
      const file = sweep('dying', { seeds: [0], steps: 4000 });
      const runDir = join(folder, 'runs/dying/InvertedPendulum-v5/virel/seed-0');
      const running = start(['sweep', file, '--json'], folder);
      await until(() => listCheckpoints(runDir).length > 0);
      process.kill(json(join(runDir, 'status.json')).pid, 'SIGKILL');
      const { code, stdout } = await running.ended;
      expect(code).toBe(1);
      expect(events(stdout).at(-1)).toMatchObject({ counts: { failed: 1 } });
      const left = await virel(['sweep', file], folder);
      expect([left.code, left.stdout]).toEqual([1, '']);
      expect(left.stderr).toContain('--retry-failed');
      const shown = await virel(['sweep', file, '--status'], folder, none);
      expect(shown.stdout).toContain('seed-0 TRAINER_DIED: ');
      expect((await virel(['sweep', file, '--retry-failed'], folder)).code).toBe(0);
    },
    3 * MINUTE,
  );
});

describe('a sweep that is killed', () => {
  it(
    'with all its processes goes on to the same results as one that was not',
    async () => {
      const file = sweep('killed', { ...GRID, steps: 1500 });
      const whole = ['sweep', file, '--quiet', '--sweep-dir', 'runs/whole'];
      expect((await virel(whole, folder)).code).toBe(0);
      let kills = 0;
      for (let done = false; !done; ) {
        const running = start(['sweep', file, '--quiet'], folder, {}, true);
        // three of four kills come when a run has something to go on from
        const at = join(folder, 'runs/killed', RUNS[kills % 4] as string);
        await Promise.race([running.ended, until(() => listCheckpoints(at).length > 0)]);
        if (kills < 3 && running.child.exitCode === null) {
          kills += 1;
          process.kill(-(running.child.pid as number), 'SIGKILL');
        }
        done = (await running.ended).code === 0;
      }
      expect(kills).toBeGreaterThan(0);
      for (const run of RUNS)
        expect(left(join(folder, 'runs/killed', run))).toEqual(
          left(join(folder, 'runs/whole', run)),
        );
    },
    5 * MINUTE,
  );

  it(
    'without its trainers leaves runs that save, and the same command goes on',
    async () => {
      const file = sweep('orphans', { seeds: '0-1', steps: 4000 });
      const dir = join(folder, 'runs/orphans/InvertedPendulum-v5/virel');
      const running = start(['sweep', file, '--jobs', '2', '--quiet'], folder);
      await until(() =>
        [0, 1].every((seed) => listCheckpoints(join(dir, `seed-${seed}`)).length > 0),
      );
      const trainers = [0, 1].map((seed) => json(join(dir, `seed-${seed}/status.json`)).pid);
      running.child.kill('SIGKILL');
      const again = await virel(['sweep', file, '--quiet'], folder);
      expect([again.code, trainers.some(isAlive)]).toEqual([0, false]);
      expect((await status(file)).counts).toMatchObject({ done: 2 });
    },
    3 * MINUTE,
  );
});

describe('Ctrl-C', () => {
  it(
    'saves every run and exits 130; a second sweep in its folder is refused meanwhile',
    async () => {
      const file = sweep('stopped', { seeds: '0-2', steps: 100_000_000 });
      const dir = join(folder, 'runs/stopped');
      const running = start(['sweep', file, '--jobs', '2', '--json'], folder);
      const runs = [0, 1].map((seed) => join(dir, `InvertedPendulum-v5/virel/seed-${seed}`));
      await until(() => runs.every((run) => listCheckpoints(run).length > 0));
      const second = await virel(['sweep', file], folder);
      expect(second.code).toBe(1);
      expect(second.stderr).toMatch(/error SWEEP_LOCKED: .* is carried out by pid \d+ on /);
      expect(second.stderr).not.toContain('    at ');
      expect((await status(file)).counts).toMatchObject({ running: 2, missing: 1 });
      running.child.kill('SIGINT');
      const { code, stdout, stderr } = await running.ended;
      expect(code).toBe(130);
      expect(events(stdout).at(-1)).toMatchObject({ counts: { stopped: 2, missing: 1 } });
      expect(stderr).toContain('the same command again goes on');
      for (const run of runs) expect(json(join(run, 'status.json')).state).toBe('saved');
      expect(existsSync(join(dir, 'sweep.lock'))).toBe(false);
    },
    2 * MINUTE,
  );
});

describe('without the native part', () => {
  it(
    '--plan-only prints the plan and its cost, and writes it; the plan is a sweep',
    async () => {
      const file = sweep('planned', { ...GRID, seeds: '0-4' });
      const words = ['sweep', file, '--plan-only', '-o', 'plan.jsonl'];
      const { code, stdout } = await virel(words, folder, none);
      expect(code).toBe(0);
      expect(stdout).toMatch(/setting +seeds +steps +time of a run/);
      expect(stdout).toMatch(/InvertedPendulum-v5\/beta +0-4 +600 /);
      expect(stdout).toMatch(/^10 runs \| \d+ at a time, \d+\.\d GB of memory$/m);
      expect(existsSync(join(folder, 'runs/planned'))).toBe(false);
      const of = await status('plan.jsonl');
      expect([of.sweep, of.runs.length]).toEqual(['runs/planned', 10]);
      const lines = readFileSync(join(folder, 'plan.jsonl'), 'utf8').split('\n');
      writeFileSync(join(folder, 'cut.jsonl'), `${lines.slice(0, 4).join('\n')}\n`);
      const cut = await virel(['sweep', 'cut.jsonl', '--status'], folder, none);
      expect([cut.code, cut.stdout]).toEqual([2, '']);
      expect(cut.stderr).toMatch(/^error PLAN_HASH: cut.jsonl is cut short: 3 of 10 rows\n/);
    },
    MINUTE,
  );

  it.each([
    [{ grid: {} }, 'CONFIG_RANGE', 'grid is empty'],
    [{ grid: { algorithm: [] } }, 'CONFIG_RANGE', 'grid.algorithm is empty'],
    [{ list: [] }, 'CONFIG_RANGE', 'list is empty'],
    [{ gird: { algorithm: ['beta'] } }, 'CONFIG_UNKNOWN_KEY', 'did you mean grid?'],
    [
      { grid: { 'optim.policyLearningRat': [1] } },
      'CONFIG_UNKNOWN_KEY',
      'did you mean optim.policyLearningRate?',
    ],
    [{ grid: { algorithm: ['bta'] } }, 'ALGORITHM_UNKNOWN', 'did you mean beta?'],
    [{ seeds: '5-1' }, 'CONFIG_RANGE', '1 is before 5'],
    [{ grid: { algorithm: ['beta', 'beta'] } }, 'CONFIG_RANGE', 'twice'],
    [{ list: [{ algorithm: 'beta' }, { algorithm: 'beta' }] }, 'CONFIG_CONFLICT', 'are the same'],
    [{ random: { samples: 0, ...DRAWN } }, 'CONFIG_RANGE', 'at least 1, got 0'],
    [{ random: { ...DRAWN } }, 'CONFIG_TYPE', 'random.samples is missing'],
    [{ random: { samples: 4 } }, 'CONFIG_RANGE', 'has no key to vary'],
    [{ random: null }, 'CONFIG_TYPE', 'expected samples, and keys with distributions'],
    [{ random: { samples: '4', ...DRAWN } }, 'CONFIG_TYPE', 'got "4"'],
    [{ random: { samples: 4, seed: -1, ...DRAWN } }, 'CONFIG_RANGE', 'random.seed: '],
    [draw({ uniform: [0.99, 0.9] }), 'CONFIG_RANGE', 'discount: {uniform: [0.9, 0.99]}'],
    [draw({ uniform: [0.9, 1.5] }), 'CONFIG_RANGE', 'discount cannot be 1.5'],
    [draw({ uniform: [0.9] }), 'CONFIG_TYPE', 'expected [least, most], two numbers'],
    [draw({ integer: [0.5, 1] }), 'CONFIG_TYPE', 'two whole numbers'],
    [draw({ logUniform: [0, 1] }), 'CONFIG_RANGE', '0 has no logarithm'],
    [draw({ log_uniform_values: [0.9, 1] }), 'CONFIG_TYPE', 'fix: discount: {logUniform: '],
    [draw({ min: 0.9, max: 1 }), 'CONFIG_TYPE', 'expected one distribution, got 2 keys'],
    [draw({ choice: [] }), 'CONFIG_RANGE', 'choice is empty'],
    [draw({ choice: [0.9, 0.9] }), 'CONFIG_RANGE', 'twice'],
    [draw({ choice: [0.9, 0.99] }), 'CONFIG_RANGE', '4 samples, but only 2 different settings'],
    [draw({ uniform: [0.9, 0.900_000_1] }), 'CONFIG_RANGE', 'only 1 different setting'],
    [draw({ uniform: [16, 64] }, 'replay.batchSize'), 'CONFIG_TYPE', 'takes whole numbers'],
    [draw({ discount: { uniform: [0.9, 1] } }, 'optim'), 'CONFIG_TYPE', 'optim is a section'],
    [draw({ uniform: [0.9, 1] }, 'discuont'), 'CONFIG_UNKNOWN_KEY', 'did you mean discount?'],
    [draw({ integer: [0, 9] }, 'seeds'), 'CONFIG_CONFLICT', 'seeds are no setting'],
    [{ ...draw({ uniform: [0.9, 1] }), grid: { discount: [0.9] } }, 'CONFIG_CONFLICT', 'in one'],
    [{ ...draw({ uniform: [0.9, 1] }), sobol: {} }, 'CONFIG_CONFLICT', 'keep one of the two'],
    [{ sobol: { samples: 4, ...SEVENTEEN } }, 'CONFIG_RANGE', '17 keys, at most 16'],
    [{ random: { samples: 100_001, ...DRAWN } }, 'CONFIG_RANGE', '100001 runs'],
  ])(
    '%j is %s',
    async (more, code, text) => {
      const ended = await virel(['sweep', sweep('bad', more)], folder, none);
      expect([ended.code, ended.stdout]).toEqual([2, '']);
      expect(ended.stderr).toMatch(new RegExp(`^error ${code}: `));
      expect(ended.stderr).toContain(text);
      expect(ended.stderr).toMatch(/\n {2}fix: \S/);
      expect(ended.stderr).not.toContain('    at ');
      expect(existsSync(join(folder, 'runs/bad'))).toBe(false);
    },
    MINUTE,
  );
});
