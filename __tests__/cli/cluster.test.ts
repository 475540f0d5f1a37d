/** `virel-native sweep` as a cluster uses it, where there is no cluster: scripts, rows by their number, and what is refused. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { stringify } from 'yaml';
import { json, until } from '../training/supervised.js';
import { compile, start, virel } from './command.js';

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

describe('programs of Slurm that answer as they are told', () => {
  /** A folder of programs, each a line of the shell, and the PATH with it in front. */
  function programs(name: string, lines: Record<string, string>): NodeJS.ProcessEnv {
    const bin = join(folder, `bin-${name}`);
    mkdirSync(bin);
    for (const [program, line] of Object.entries(lines))
      writeFileSync(join(bin, program), `#!/bin/sh\n${line}\n`, { mode: 0o755 });
    return { PATH: `${bin}:${process.env['PATH']}` };
  }
  const config = 'echo "MaxArraySize            = 2"';

  it(
    'a run that the queue is putting back is waited for, and not submitted again',
    async () => {
      const file = sweep('completing');
      const dir = join(folder, 'runs/completing');
      mkdirSync(join(dir, 'slurm'), { recursive: true });
      const jobs = [{ job: '7', base: 0, runs: 2, submitted: new Date().toISOString() }];
      writeFileSync(join(dir, 'slurm/jobs.json'), JSON.stringify({ v: 1, jobs }));
      const asked = join(folder, 'asked');
      // saved and still going, and only then waiting again
      const state = `echo >> ${asked}; if [ $(wc -l < ${asked}) -gt 2 ]; then s=PENDING; else s=COMPLETING; fi`;
      const squeue = `${state}; echo "7|0|$s"; echo "7|1|$s"`;
      const sbatch = 'echo "submitted twice" >&2; exit 1';
      const env = programs('completing', { squeue, sbatch, scontrol: config });
      const words = ['sweep', file, '--executor', 'slurm', '--no-setup'];
      const { code, stderr } = await virel(words, folder, env);
      expect([code, stderr.includes('submitted')]).toEqual([0, false]);
      expect(stderr.match(/2 runs are ending in the queue: waited for/g)).toHaveLength(1);
      expect(stderr).toContain('2 runs are in the queue already');
      expect(stderr).toContain(`next: npx virel-native sweep ${file} --status, or --cancel`);
    },
    MINUTE,
  );

  const ROW = 'InvertedPendulum-v5/virel/seed-1';
  const put = (file: string, content: object) => {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, JSON.stringify(content));
  };

  it.each([
    ['its claim', join('claims', `${ROW}.lock`)],
    ['a trainer of a node that is silent', join(ROW, 'run.lock')],
  ])(
    'a requeued task that waits for %s at its time limit goes back into the queue',
    async (what, lock) => {
      const name = what.replaceAll(' ', '-');
      const dir = join(folder, 'runs', name);
      const mark = join(dir, 'slurm/requeued', `${ROW}.json`);
      put(join(dir, ROW, 'status.json'), { step: 9 });
      put(join(dir, ROW, 'summary.json'), { state: 'stopped', steps: 9 });
      put(join(dir, lock), { pid: 1, host: `not-${hostname()}` });
      put(mark, { v: 1, requeues: 1, idle: 0, waiting: true });
      const said = join(folder, `said-${name}`);
      const array = { SLURM_JOB_ID: '9', SLURM_ARRAY_JOB_ID: '7', SLURM_ARRAY_TASK_ID: '1' };
      const env = { ...programs(name, { scontrol: `echo "$@" >> ${said}` }), ...array };
      const words = ['sweep', sweep(name), '--task', '1', '--no-setup'];
      const { child, ended } = start(words, folder, env);
      // it has begun: what waits no more listens for signals, too
      const end = performance.now() + MINUTE / 2;
      await until(() => !json(mark).waiting || performance.now() > end);
      child.kill('SIGUSR1');
      const { code, stderr } = await ended;
      expect(existsSync(said) && readFileSync(said, 'utf8')).toBe('requeue 7_1\n');
      expect(json(mark)).toEqual({ v: 1, requeues: 2, idle: 1, waiting: true });
      expect([code, stderr.includes('error')]).toEqual([138, false]);
    },
    MINUTE,
  );

  it(
    'runs of more than one array are not printed as one script',
    async () => {
      const file = sweep('arrays', { grid: { algorithm: ['virel', 'beta'] } });
      const env = programs('arrays', { scontrol: config });
      const words = ['sweep', file, '--executor', 'slurm', '--print'];
      const { code, stdout, stderr } = await virel(words, folder, env);
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr).toMatch(
        /^error CLI_USAGE: --print: these runs take 2 arrays of at most 2 places/m,
      );
      expect(stderr).toContain('fix: the same without --print, or fewer runs');
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
