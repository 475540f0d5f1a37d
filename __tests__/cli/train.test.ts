import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { METRICS } from '../../src/logging/metrics.js';
import { compile, start, virel } from './command.js';

const PATIENCE = 120_000;
let folder: string;
beforeAll(() => {
  compile();
  folder = mkdtempSync(join(tmpdir(), 'virel-cli-'));
}, PATIENCE);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Small networks: these tests are about the command, not about learning. */
const SMALL = ['--threads', '1', '--set', 'network.hidden=[16,16]', '--set', 'replay.batchSize=8'];
const PENDULUM = ['--env', 'InvertedPendulum-v5', ...SMALL];
const FOREVER = ['--steps', '1000000000', '--set', 'evaluation.every=1000000000'];

const events = (stdout: string) =>
  stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
const json = (path: string) => JSON.parse(readFileSync(path, 'utf8'));
/** A run's numbers without those of the clock. */
const untimed = (runDir: string) =>
  events(readFileSync(join(runDir, 'metrics.jsonl'), 'utf8')).map(({ step, updates, m }) => {
    for (const { name, wallClock } of METRICS) if (wallClock) delete m[name];
    return { step, updates, m };
  });

describe('train', () => {
  it(
    'prints events with --json, the summary last, and leaves standard error to people',
    async () => {
      const words = ['train', ...PENDULUM, '--steps', '2000', '--json', '--run-dir', 'json'];
      const { code, stdout, stderr } = await virel(words, folder);
      expect(code).toBe(0);
      const all = events(stdout);
      expect(all[0]).toMatchObject({ event: 'start', steps: 2000, mujoco: '3.17.0' });
      expect(new Set(all.map(({ event }) => event))).toEqual(
        new Set(['start', 'episode', 'evaluation', 'metrics', 'checkpoint', 'summary']),
      );
      expect(all.at(-1)).toMatchObject({
        event: 'summary',
        state: 'finished',
        steps: 2000,
        updates: 1001,
      });
      expect(all.at(-1)).toEqual(json(join(folder, 'json/summary.json')));
      expect(stderr).toContain('eval step=1000 return=');
      expect(json(join(folder, 'json/run.json')).model.sha256).toMatch(/^80910a9af85c/);
    },
    PATIENCE,
  );

  it(
    'prints only evaluations and the end without --json',
    async () => {
      const words = ['train', ...PENDULUM, '--steps', '2000'];
      const { code, stdout, stderr } = await virel([...words, '--run-dir', 'text'], folder);
      expect(code).toBe(0);
      expect(stdout).toMatch(/^eval step=1000 .*\neval step=2000 .*\ndone 2,000 steps in .*\n$/);
      expect(stderr).toMatch(/^virel on InvertedPendulum-v5, seed 0, .*\nrun text \| .*\n/);
    },
    PATIENCE,
  );

  it('logs only names that metrics.ts defines', () => {
    const known = new Set(METRICS.map(({ name }) => name));
    const logged = untimed(join(folder, 'json')).flatMap(({ m }) => Object.keys(m));
    expect(logged.filter((name) => !known.has(name))).toEqual([]);
  });

  it(
    'gives equal metrics and equal parameter files for equal seeds, and others for others',
    async () => {
      for (const [name, seed] of [
        ['same-a', '3'],
        ['same-b', '3'],
        ['other', '4'],
      ] as const) {
        const words = [
          'train',
          ...PENDULUM,
          '--steps',
          '1500',
          '--quiet',
          '--seed',
          seed,
          '--run-dir',
          name,
        ];
        expect(await virel(words, folder)).toEqual({ code: 0, stdout: '', stderr: '' });
      }
      const parameters = (name: string) =>
        readFileSync(
          join(folder, name, 'checkpoints/000000001500/pretrained_model/model.safetensors'),
        );
      expect(untimed(join(folder, 'same-a'))).toEqual(untimed(join(folder, 'same-b')));
      expect(parameters('same-a').equals(parameters('same-b'))).toBe(true);
      expect(untimed(join(folder, 'same-a'))).not.toEqual(untimed(join(folder, 'other')));
    },
    PATIENCE,
  );

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)(
    'saves on %s and exits %d',
    async (signal, exit) => {
      const running = start(
        ['train', ...PENDULUM, ...FOREVER, '--json', '--run-dir', signal],
        folder,
      );
      await running.says('"event":"metrics"');
      running.child.kill(signal);
      const { code, stdout, stderr } = await running.ended;
      expect(code).toBe(exit);
      expect(stderr).toContain('stopping: saving at the next step boundary');
      const summary = events(stdout).at(-1);
      expect(summary).toMatchObject({ event: 'summary', state: 'stopped' });
      expect(summary).toEqual(json(join(folder, signal, 'summary.json')));
      expect(json(join(folder, signal, 'status.json'))).toMatchObject({ state: 'saved' });
      const evaluated = await virel(['eval', signal, '--json', '--episodes', '2'], folder);
      expect(JSON.parse(evaluated.stdout)).toMatchObject({ episodes: 2 });
    },
    PATIENCE,
  );

  it(
    'trains on when the reader of its output goes away',
    async () => {
      const running = start(
        ['train', ...PENDULUM, '--steps', '1200', '--json', '--run-dir', 'pipe'],
        folder,
      );
      await running.says('"event":"start"');
      running.child.stdout?.destroy();
      expect((await running.ended).code).toBe(0);
      expect(json(join(folder, 'pipe/summary.json'))).toMatchObject({
        state: 'finished',
        steps: 1200,
      });
    },
    PATIENCE,
  );

  it(
    'exits 3 where the folder of models is empty',
    async () => {
      mkdirSync(join(folder, 'empty'));
      const setting = ['--set', 'env.modelDir=empty', '--run-dir', 'no-models'];
      const { code, stderr } = await virel(['train', ...PENDULUM, ...setting], folder);
      expect(code).toBe(3);
      expect(stderr).toMatch(/^error MODEL_MISSING: .*\n {2}where: .*inverted_pendulum\.xml$/m);
    },
    PATIENCE,
  );

  it(
    'refuses a folder that holds a run, or that cannot be made, before training',
    async () => {
      writeFileSync(join(folder, 'file'), '');
      for (const [name, code] of [
        ['json', 'RUN_LOCKED'],
        ['file', 'IO'],
        ['file/run', 'IO'],
      ] as const) {
        const ended = await virel(['train', ...PENDULUM, '--json', '--run-dir', name], folder);
        expect(ended.code).toBe(1);
        expect(events(ended.stdout)).toMatchObject([
          { event: 'error', code, exit: 1 },
          { event: 'summary', state: 'failed', steps: 0 },
        ]);
      }
      expect(json(join(folder, 'json/summary.json'))).toMatchObject({ state: 'finished' });
    },
    PATIENCE,
  );
});

describe('train with several seeds', () => {
  it.each(['1', '2'])(
    '%s at a time ends with one summary of all',
    async (jobs) => {
      const runDir = `seeds-${jobs}`;
      const words = [
        'train',
        ...PENDULUM,
        '--steps',
        '1200',
        '--seeds',
        '0-2',
        '--jobs',
        jobs,
        '--json',
        '--quiet',
        '--run-dir',
        runDir,
      ];
      const { code, stdout } = await virel(words, folder);
      expect(code).toBe(0);
      const all = events(stdout);
      const summaries = all.filter(({ event }) => event === 'summary');
      expect(summaries).toHaveLength(1);
      expect(all.at(-1)).toBe(summaries[0]);
      expect(summaries[0].runs).toMatchObject(
        [0, 1, 2].map((seed) => ({ seed, state: 'finished', steps: 1200 })),
      );
      expect(readdirSync(join(folder, runDir)).sort()).toEqual(['seed-0', 'seed-1', 'seed-2']);
    },
    PATIENCE,
  );

  it('gives each seed the same numbers, one at a time or two', () => {
    for (const seed of [0, 1, 2]) {
      expect(untimed(join(folder, `seeds-1/seed-${seed}`))).toEqual(
        untimed(join(folder, `seeds-2/seed-${seed}`)),
      );
    }
  });

  it(
    'saves every run on SIGTERM, those in processes of their own too',
    async () => {
      const words = [
        'train',
        ...PENDULUM,
        ...FOREVER,
        '--seeds',
        '0-3',
        '--jobs',
        '2',
        '--json',
        '--run-dir',
        'many',
      ];
      const running = start(words, folder);
      await running.says('"event":"metrics","seed":0');
      await running.says('"event":"metrics","seed":1');
      running.child.kill('SIGTERM');
      const { code, stdout } = await running.ended;
      expect(code).toBe(143);
      expect(events(stdout).at(-1).runs).toMatchObject([
        { seed: 0, state: 'stopped' },
        { seed: 1, state: 'stopped' },
      ]);
      expect(existsSync(join(folder, 'many/seed-0/checkpoints/latest'))).toBe(true);
      expect(readdirSync(join(folder, 'many')).sort()).toEqual(['seed-0', 'seed-1']);
    },
    PATIENCE,
  );
});

describe('train with --jobs', () => {
  const words = (runDir: string) =>
    ['train', ...PENDULUM, ...FOREVER, '--seeds', '0-1', '--jobs', '2', '--json'].concat([
      '--run-dir',
      runDir,
    ]);
  /** The process that trains in a folder. */
  const trainer = (runDir: string): number => json(join(folder, runDir, 'status.json')).pid;
  const isHeld = (path: string) => existsSync(join(folder, path, 'run.lock'));

  it(
    'says in its folder how a run ended whose process was killed, and trains the others on',
    async () => {
      const running = start(words('killed'), folder);
      await running.says('"event":"metrics","seed":0');
      await running.says('"event":"metrics","seed":1');
      process.kill(trainer('killed/seed-1'), 'SIGKILL');
      await running.says('"code":"TRAINER_DIED"');
      const path = join(folder, 'killed/seed-1');
      const summary = json(join(path, 'summary.json'));
      expect(summary).toMatchObject({ state: 'failed', runDir: path, code: 'TRAINER_DIED' });
      expect(summary.message).toContain('SIGKILL');
      expect(summary.steps).toBeGreaterThanOrEqual(1000);
      expect(json(join(path, 'status.json'))).toMatchObject({
        state: 'failed',
        code: 'TRAINER_DIED',
        step: summary.steps,
      });
      expect(existsSync(join(path, 'run.lock'))).toBe(false);
      running.child.kill('SIGTERM');
      const { stdout } = await running.ended;
      expect(events(stdout).at(-1).runs).toMatchObject([{ state: 'stopped' }, summary]);
    },
    PATIENCE,
  );

  it(
    'saves every run when its own process is killed',
    async () => {
      // so many events that some are on their way when the channel breaks
      const running = start([...words('orphans'), '--set', 'logging.every=1'], folder);
      await running.says('"event":"metrics","seed":0');
      await running.says('"event":"metrics","seed":1');
      const paths = ['orphans/seed-0', 'orphans/seed-1'];
      running.child.kill('SIGKILL');
      while (paths.some(isHeld)) await new Promise((resolve) => setTimeout(resolve, 50));
      for (const path of paths) {
        expect(json(join(folder, path, 'summary.json'))).toMatchObject({ state: 'stopped' });
        expect(readdirSync(join(folder, path, 'checkpoints'))).toContain('latest');
      }
    },
    PATIENCE,
  );
});

describe('eval', () => {
  it(
    'finds a run by its folder, a part of its path, or as the latest',
    async () => {
      const words = ['train', ...PENDULUM, '--steps', '1001', '--quiet'];
      expect((await virel(words, folder)).code).toBe(0);
      for (const run of ['latest', 'InvertedPendulum-v5/virel', 'json']) {
        const { code, stdout } = await virel(['eval', run, '--episodes', '3', '--json'], folder);
        expect([run, code]).toEqual([run, 0]);
        const result = JSON.parse(stdout);
        expect(Object.keys(result)).toEqual([
          'episodes',
          'returnMean',
          'returnStd',
          'returns',
          'lengths',
        ]);
        expect(result.returns).toHaveLength(3);
      }
    },
    PATIENCE,
  );

  it(
    'gives equal returns for equal seeds',
    async () => {
      const returns = async (seed: string) =>
        JSON.parse((await virel(['eval', 'json', '--seed', seed, '--json'], folder)).stdout)
          .returns;
      expect(await returns('1')).toEqual(await returns('1'));
      expect(await returns('1')).not.toEqual(await returns('2'));
    },
    PATIENCE,
  );

  it(
    'names the checkpoints there are when asked for another',
    async () => {
      const { code, stderr } = await virel(['eval', 'json', '--step', '7'], folder);
      expect(code).toBe(1);
      expect(stderr).toMatch(
        /^error CHECKPOINT_NONE: .* no checkpoint of step 7\n.*\n {2}expected: one of (?:1000, )?2000\n/,
      );
    },
    PATIENCE,
  );
});
