/** `virel-native sweep` as a cluster uses it, where there is no cluster: scripts, rows by their number, and what is refused. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { stringify } from 'yaml';
import { json } from '../training/supervised.js';
import { compile, virel } from './command.js';

const MINUTE = 60_000;
const folder = mkdtempSync(join(tmpdir(), 'virel-no-cluster-'));
beforeAll(compile, 2 * MINUTE);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const SMALL = {
  env: 'InvertedPendulum-v5',
  steps: 300,
  network: { hidden: [16, 16] },
  replay: { batchSize: 32 },
  residual: { batch: 128 },
  collect: { startUpdates: 100 },
  seeds: '0-1',
};
/** No program at all, no native part, and no way to one. */
const none = {
  PATH: join(folder, 'nothing'),
  VIREL_HOME: join(folder, 'home'),
  VIREL_SETUP: 'never',
  VIREL_NATIVE_ADDON: '',
};

function sweep(name: string, more: object = {}): string {
  writeFileSync(join(folder, `${name}.yaml`), stringify({ ...SMALL, ...more }));
  return `${name}.yaml`;
}

describe('without Slurm', () => {
  it(
    'a sweep for it is one error with what to do',
    async () => {
      const words = ['sweep', sweep('missing'), '--executor', 'slurm', '--quiet'];
      const { code, stdout, stderr } = await virel(words, folder, none);
      expect([code, stdout]).toEqual([3, '']);
      expect(stderr).toMatch(/^error TOOL_MISSING: sbatch is not on the PATH/);
      expect(stderr).toContain('leave --executor out');
      expect(stderr).not.toContain('    at ');
      expect(existsSync(join(folder, 'runs/missing'))).toBe(false);
    },
    MINUTE,
  );

  it(
    'the script is printed, and the plan that it names is written',
    async () => {
      const file = sweep('printed', { grid: { algorithm: ['virel', 'beta'] } });
      const words = ['--executor', 'slurm', '--print', '--partition', 'cpu', '--time', '1:00:00'];
      const more = ['--max-parallel', '2', '--sbatch', 'account=me', '--sbatch', 'exclusive'];
      const { code, stdout } = await virel(['sweep', file, ...words, ...more], folder, none);
      expect(code).toBe(0);
      expect(stdout).toMatch(/^#!\/bin\/sh\n#SBATCH --job-name=virel-printed\n/);
      const lines = ['array=0-3%2', 'partition=cpu', 'time=1:00:00', 'account=me', 'exclusive'];
      for (const line of lines) expect(stdout).toContain(`\n#SBATCH --${line}\n`);
      // a node of its own has memory and cores as they are
      expect(stdout).not.toContain('--mem');
      expect(stdout).toMatch(/\nexec \S*node \S*bin\/virel-native\.js sweep \/\S*plan\.jsonl /);
      expect(existsSync(join(folder, 'runs/printed/plan.jsonl'))).toBe(true);
    },
    MINUTE,
  );

  it(
    'there is nothing to cancel',
    async () => {
      const { code, stderr } = await virel(['sweep', sweep('quiet'), '--cancel'], folder, none);
      expect([code, stderr]).toEqual([0, 'the queue has no run of this sweep\n']);
    },
    MINUTE,
  );
});

describe('a row by its number', () => {
  it(
    'is trained alone, and once, whoever else begins it at the same time',
    async () => {
      const file = sweep('rows');
      const row = ['sweep', file, '--task', '1', '--quiet'];
      const both = await Promise.all([virel(row, folder), virel(row, folder)]);
      expect(both.map(({ code, stderr }) => [code, stderr.includes('error')])).toEqual([
        [0, false],
        [0, false],
      ]);
      const dir = join(folder, 'runs/rows');
      const run = join(dir, 'InvertedPendulum-v5/virel/seed-1');
      expect(json(join(run, 'summary.json')).state).toBe('finished');
      expect(json(join(run, 'run.json')).history ?? []).toEqual([]);
      expect(existsSync(join(dir, 'InvertedPendulum-v5/virel/seed-0'))).toBe(false);
      expect(existsSync(join(dir, 'sweep.lock'))).toBe(false);
    },
    2 * MINUTE,
  );
});

describe('flags', () => {
  it.each([
    [['--partition', 'cpu'], 'CLI_USAGE', '--executor slurm'],
    [['--wait'], 'CLI_USAGE', '--executor slurm'],
    [['--executor', 'pbs'], 'CLI_USAGE', 'slurm'],
    [['--executor', 'slurm', '--jobs', '2'], 'CLI_USAGE', '--max-parallel 2'],
    [['--executor', 'slurm', '--time', '4h'], 'CLI_USAGE', '--time 4:00:00'],
    [['--executor', 'slurm', '--partition', 'a\nb'], 'CLI_USAGE', '--partition'],
    [['--executor', 'slurm', '--partition', ''], 'CLI_USAGE', '--partition'],
    [['--executor', 'slurm', '--max-parallel', '0'], 'CONFIG_RANGE', '--max-parallel 1'],
    [['--executor', 'slurm', '--sbatch', 'array=7'], 'CLI_USAGE', '--max-parallel'],
    [['--task', '2'], 'CONFIG_RANGE', '--task 1'],
    [['--task', '0', '--executor', 'slurm'], 'CLI_USAGE', '--task'],
    [['--task', '-1'], 'CONFIG_RANGE', '--task'],
    [['--task', 'x'], 'CONFIG_TYPE', '--task'],
    [['--task', '0', '--status'], 'CLI_USAGE', ''],
    [['--cancel', '--plan-only'], 'CLI_USAGE', ''],
  ])(
    '%j are %s',
    async (words, code, text) => {
      const ended = await virel(['sweep', sweep('flags'), ...words], folder, none);
      expect([ended.code, ended.stdout]).toEqual([2, '']);
      expect(ended.stderr).toMatch(new RegExp(`^error ${code}: `));
      expect(ended.stderr).toContain(text);
      expect(ended.stderr).toMatch(/\n {2}fix: \S/);
      expect(ended.stderr).not.toContain('    at ');
      expect(existsSync(join(folder, 'runs/flags'))).toBe(false);
    },
    MINUTE,
  );
});
