/**
 * `virel-native sweep --executor slurm` on a real Slurm of one node, which `npm run test:slurm` starts: partitions `low`, whose
 * jobs those of `high` put back into the queue, and arrays of three places.
 */
import { execFileSync } from 'node:child_process';
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
import { stringify } from 'yaml';
import { listCheckpoints } from '../../src/training/checkpoint.js';
import { compile, start, virel } from '../cli/command.js';
import { commandsOf, sweepFiles, sweepPage } from '../docs/sweep-page.js';
import { left } from '../training/left.js';
import { events, json, until } from '../training/supervised.js';

const MINUTE = 60_000;
const folder = mkdtempSync(join(tmpdir(), 'virel-cluster-'));

/** Small networks, and everything due every few hundred steps. */
const SMALL = {
  env: 'InvertedPendulum-v5',
  network: { hidden: [16, 16] },
  replay: { batchSize: 32 },
  residual: { batch: 128 },
  collect: { startUpdates: 100 },
  evaluation: { every: 500, episodes: 2 },
  checkpoint: { every: 200, keep: 2 },
  logging: { every: 250 },
};
const GRID = { seeds: '0-1', grid: { algorithm: ['virel', 'beta'] } };
const RUNS = ['virel/seed-0', 'beta/seed-0', 'virel/seed-1', 'beta/seed-1'].map(
  (run) => `InvertedPendulum-v5/${run}`,
);

/** Writes a sweep; its file's name. */
function sweep(name: string, more: object): string {
  writeFileSync(join(folder, `${name}.yaml`), stringify({ ...SMALL, ...more }));
  return `${name}.yaml`;
}

const slurm = (program: string, ...args: string[]) =>
  execFileSync(program, args, { encoding: 'utf8' }).trim();
const inQueue = (job = '') =>
  slurm('squeue', '--noheader', '--array', '--format=%F_%K')
    .split('\n')
    .filter((line) => line !== '' && line.startsWith(job));
/** State and number of restarts of a task. */
function facts(task: string): { state: string | undefined; restarts: number } {
  const text = slurm('scontrol', 'show', 'job', task);
  return {
    state: /JobState=(\w+)/.exec(text)?.[1],
    restarts: Number(/Restarts=(\d+)/.exec(text)?.[1]),
  };
}
const submit = (file: string, ...words: string[]) =>
  virel(['sweep', file, '--executor', 'slurm', ...words], folder);
const status = async (file: string) =>
  JSON.parse((await virel(['sweep', file, '--status', '--json'], folder)).stdout);
const runDir = (name: string, run: string | undefined) => join(folder, 'runs', name, run as string);
const hasBegun = (name: string, run: string | undefined, checkpoints = 1) =>
  listCheckpoints(runDir(name, run)).length >= checkpoints;
const isDone = (dir: string) => {
  const summary = join(dir, 'summary.json');
  return existsSync(summary) && json(summary).state === 'finished';
};
/** Resolves when a process has a run, which is not to be done before that. */
async function training(dir: string): Promise<void> {
  await until(() => existsSync(join(dir, 'run.lock')) || isDone(dir));
  expect(isDone(dir)).toBe(false);
}
const jobs = (name: string): string[] =>
  json(join(folder, 'runs', name, 'slurm/jobs.json')).jobs.map(({ job }: { job: string }) => job);
/** What the logs of a sweep's tasks say. */
const logs = (name: string) => {
  const at = join(folder, 'runs', name, 'slurm');
  return readdirSync(at)
    .filter((file) => file.endsWith('.log'))
    .map((file) => readFileSync(join(at, file), 'utf8'))
    .join('\n');
};

beforeAll(async () => {
  expect(slurm('sinfo', '--noheader', '--format=%R')).toContain('low');
  compile();
  // comes to a time limit of a minute, the shortest there is, while the other tests go on
  const file = sweep('limited', { seeds: [0], steps: 100_000_000 });
  const { code, stderr } = await submit(file, '--partition', 'high', '--time', '1');
  expect([code, stderr]).toEqual([0, expect.stringContaining('submitted job')]);
}, 2 * MINUTE);

afterAll(async () => {
  // where its own test was not reached it still trains
  await virel(['sweep', 'limited.yaml', '--cancel'], folder);
  rmSync(folder, { recursive: true, force: true });
}, MINUTE);

describe('a sweep of two algorithms and two seeds on a cluster', () => {
  it(
    'is split into arrays that the cluster takes, and gives the bits of one on this machine',
    async () => {
      const file = sweep('grid', { ...GRID, steps: 1000 });
      const [far, near] = await Promise.all([
        submit(file, '--wait', '--json', '--max-parallel', '2', '--sbatch', 'comment=a note'),
        virel(['sweep', file, '--quiet', '--jobs', '1', '--sweep-dir', 'runs/near'], folder),
      ]);
      expect([far.code, near.code]).toEqual([0, 0]);
      const all = events(far.stdout);
      const submitted = all.filter(({ event }) => event === 'submitted');
      expect(submitted.map(({ runs, base }) => [runs, base])).toEqual([
        [3, 0],
        [1, 3],
      ]);
      const ended = all.filter(({ event, state }) => event === 'run' && state === 'finished');
      expect(ended.map(({ folder: run }) => run).sort()).toEqual([...RUNS].sort());
      expect(all.at(-1)).toMatchObject({ event: 'summary', counts: { done: 4 } });
      for (const run of RUNS) expect(left(runDir('grid', run))).toEqual(left(runDir('near', run)));
      expect(slurm('scontrol', 'show', 'job', jobs('grid')[0] as string)).toContain(
        'Comment=a note',
      );
      const again = await submit(file);
      expect([again.code, again.stderr]).toEqual([0, expect.not.stringContaining('submitted')]);
    },
    3 * MINUTE,
  );
});

describe('a sweep whose tasks are put back, signalled and killed', () => {
  const steps = 20_000;
  const dir = (run: string | undefined) => runDir('hard', run);
  let job = '';

  it(
    'goes on after a pre-emption by itself',
    async () => {
      // two cores each: beside the other job there is room for neither, whether or not the long run has a core just then
      const file = sweep('hard', { ...GRID, seeds: [0], steps, runtime: { threads: 2 } });
      const { code, stdout } = await submit(file, '--partition', 'low', '--json');
      expect(code).toBe(0);
      job = events(stdout).find(({ event }) => event === 'submitted').job;
      const [first, second] = RUNS;
      await until(() => hasBegun('hard', first) && hasBegun('hard', second));
      const other = [
        '--partition=high',
        '--cpus-per-task=4',
        '--output=/dev/null',
        '--wrap=sleep 1',
      ];
      slurm('sbatch', ...other);
      await until(() => [0, 1].every((place) => facts(`${job}_${place}`).restarts === 1));
      // saved, by TERM
      await until(() => [first, second].every((run) => !existsSync(join(dir(run), 'run.lock'))));
      for (const run of [first, second])
        expect(json(join(dir(run), 'status.json')).state).toBe('saved');
      await until(() => [0, 1].every((place) => facts(`${job}_${place}`).state === 'RUNNING'));
    },
    3 * MINUTE,
  );

  it(
    'is saved and requeued by the signal of the time limit',
    async () => {
      // both at once: neither is done yet
      await Promise.all(RUNS.slice(0, 2).map((run) => training(dir(run))));
      slurm('scancel', '--signal=KILL', '--full', `${job}_1`);
      slurm('scancel', '--signal=USR1', '--batch', `${job}_0`);
      await until(() => facts(`${job}_0`).restarts === 2);
      await until(() => !existsSync(join(dir(RUNS[0]), 'run.lock')));
      expect((await status('hard.yaml')).counts).toMatchObject({ requeued: 1 });
    },
    2 * MINUTE,
  );

  it(
    'is done by the same command where a task was killed, to the bits of runs that nothing happened to',
    async () => {
      await until(() => !inQueue(`${job}_1`).includes(`${job}_1`));
      expect(isDone(dir(RUNS[1]))).toBe(false);
      const { code, stdout, stderr } = await submit('hard.yaml', '--wait', '--json');
      expect(code).toBe(0);
      // the other is in the queue, or done by now: one alone is submitted
      const submitted = events(stdout).filter(({ event }) => event === 'submitted');
      expect(submitted).toMatchObject([{ runs: 1 }]);
      expect(stderr).toContain('done 2');
      const whole = ['sweep', 'hard.yaml', '--quiet', '--sweep-dir', 'runs/whole'];
      expect((await virel(whole, folder)).code).toBe(0);
      for (const run of RUNS.slice(0, 2))
        expect(left(dir(run))).toEqual(left(runDir('whole', run)));
    },
    4 * MINUTE,
  );
});

describe('an array of eight runs', () => {
  it(
    'each requeued three times, gives the bits of runs that never were',
    async () => {
      const file = sweep('eight', { ...GRID, seeds: '0-3', steps: 8000 });
      expect((await submit(file, '--partition', 'low')).code).toBe(0);
      const arrays: { job: string; base: number; runs: number }[] = json(
        join(folder, 'runs/eight/slurm/jobs.json'),
      ).jobs;
      const rows: { index: number; folder: string }[] = (await status(file)).runs;
      const tasks = rows.map(({ index, folder: run }) => {
        const array = arrays.find(({ base, runs }) => index >= base && index < base + runs);
        return { name: `${array?.job}_${index - (array?.base ?? 0)}`, dir: runDir('eight', run) };
      });
      for (let open = tasks; open.length > 0; ) {
        open = open.filter(({ name }) => facts(name).restarts < 3);
        for (const { name, dir } of open)
          if (existsSync(join(dir, 'run.lock')) && facts(name).state === 'RUNNING')
            slurm('scontrol', 'requeue', name);
        // a run that is done can be requeued no more
        expect(open.filter(({ dir }) => isDone(dir))).toEqual([]);
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
      expect((await submit(file, '--wait', '--quiet')).code).toBe(0);
      expect(tasks.map(({ name }) => facts(name).restarts)).toEqual(Array(8).fill(3));
      const whole = ['sweep', file, '--quiet', '--sweep-dir', 'runs/never'];
      expect((await virel(whole, folder)).code).toBe(0);
      for (const { folder: run } of rows)
        expect(left(runDir('eight', run))).toEqual(left(runDir('never', run)));
    },
    4 * MINUTE,
  );
});

describe('a sweep that does not end', () => {
  it(
    'is followed and left by Ctrl-C, is not submitted twice, and is cancelled with every run saved',
    async () => {
      const file = sweep('endless', { seeds: '0-1', steps: 100_000_000 });
      const runs = [0, 1].map((seed) => `InvertedPendulum-v5/virel/seed-${seed}`);
      const following = start(['sweep', file, '--executor', 'slurm', '--wait'], folder);
      await until(() => runs.every((run) => hasBegun('endless', run)));
      following.child.kill('SIGINT');
      const ended = await following.ended;
      expect(ended.code).toBe(130);
      expect(ended.stderr).toContain('the jobs run on without this command');
      const twice = await submit(file);
      expect([twice.code, twice.stderr.includes('submitted')]).toEqual([0, false]);
      expect(twice.stderr).toContain('2 runs are in the queue already');
      const [job = ''] = jobs('endless');
      expect(inQueue(job)).toHaveLength(2);
      const looking = start(['sweep', file, '--executor', 'slurm', '--wait'], folder);
      await looking.notes('2 runs are in the queue already');
      const cancelled = await virel(['sweep', file, '--cancel'], folder);
      expect([cancelled.code, cancelled.stdout]).toEqual([0, 'done 0 | stopped 2\n']);
      expect(inQueue(job)).toEqual([]);
      for (const run of runs) {
        expect(json(join(runDir('endless', run), 'status.json')).state).toBe('saved');
        expect(existsSync(join(runDir('endless', run), 'run.lock'))).toBe(false);
      }
      // whoever followed them is told where the reason stands
      const { code, stderr } = await looking.ended;
      expect(code).toBe(1);
      expect(stderr).toContain(`error SLURM_JOB_ENDED: job ${job}_0 ended before its run was done`);
      const log = join(folder, 'runs/endless/slurm', `${job}_0.log`);
      expect(stderr).toContain(`where: ${log}`);
      expect(readFileSync(log, 'utf8')).toContain('CANCELLED');
      const again = await virel(['sweep', file, '--cancel'], folder);
      expect([again.code, again.stderr]).toEqual([0, 'the queue has no run of this sweep\n']);
    },
    3 * MINUTE,
  );
});

describe('what Slurm refuses', () => {
  it.each([
    ['a partition that is not there', ['--partition', 'nope'], 'invalid partition specified: nope'],
    [
      'more memory than a node has',
      ['--sbatch', 'mem=900G'],
      'Memory specification can not be satisfied',
    ],
    [
      'an option that it does not know',
      ['--sbatch', 'acount=x'],
      "unrecognized option '--acount=x'",
    ],
  ])(
    'is one error in its words: %s',
    async (_, words, said) => {
      const file = sweep('refused', { seeds: [0], steps: 1000 });
      const before = inQueue().length;
      const { code, stdout, stderr } = await submit(file, '--quiet', ...words);
      expect([code, stdout]).toEqual([1, '']);
      expect(stderr).toMatch(/^error SLURM_REFUSED: sbatch: /);
      expect(stderr).toContain(said);
      expect(stderr).toMatch(/\n {2}fix: \S/);
      expect(stderr).not.toContain('    at ');
      expect(inQueue().length).toBeLessThanOrEqual(before);
      expect(existsSync(join(folder, 'runs/refused/slurm/jobs.json'))).toBe(false);
    },
    MINUTE,
  );
});

describe('names that a shell could take for commands', () => {
  it(
    'run none, in the script, in the lines that sbatch reads and in the names of logs',
    async () => {
      const hit = join(folder, 'hit');
      const hostile = `a 'b" $(touch hit) \`touch hit\` %a;touch hit\n#SBATCH --nope\ntouch hit`;
      const cwd = join(folder, hostile);
      mkdirSync(cwd);
      const file = `we 'ird" $(touch hit);touch hit.yaml`;
      writeFileSync(join(cwd, file), stringify({ ...SMALL, seeds: [0], steps: 400 }));
      const words = ['sweep', file, '--executor', 'slurm', '--wait', '--sweep-dir', hostile];
      const note = ['--sbatch', `comment=it's $(touch hit) "x" # y`];
      const { code, stdout, stderr } = await virel([...words, ...note], cwd);
      expect([code, stderr.includes('error')]).toEqual([0, false]);
      expect(stdout).toContain('done InvertedPendulum-v5/virel/seed-0: 400 steps');
      expect(
        readdirSync(join(cwd, hostile, 'slurm')).filter((name) => name.endsWith('.log')),
      ).toHaveLength(1);
      const comment = slurm(
        'scontrol',
        'show',
        'job',
        json(join(cwd, hostile, 'slurm/jobs.json')).jobs[0].job,
      );
      expect(comment).toContain(`Comment=it's $(touch hit) "x" # y`);
      const below = readdirSync(cwd, { recursive: true, encoding: 'utf8' });
      const found = below.filter((name) => /(^|\/)hit$/.test(name));
      expect([found, existsSync(hit)]).toEqual([[], false]);
    },
    2 * MINUTE,
  );
});

describe('docs/guide/sweep.md', () => {
  it(
    'has commands that do what it says of them',
    async () => {
      for (const [name, text] of sweepFiles) writeFileSync(join(folder, name), text);
      const [, onCluster = ''] = sweepPage.split('## On a cluster');
      const told: string[] = [];
      // the last one prints a script of one array, which this cluster would not take
      for (const words of commandsOf(onCluster.replace('--partition cpu', '--partition low')).slice(
        0,
        -1,
      )) {
        const { code, stdout, stderr } = await virel(words, folder);
        expect([words, code, code === 0 ? '' : stderr]).toEqual([words, 0, '']);
        told.push(stdout + stderr);
      }
      const [submitted, , followed, cancelled] = told;
      expect(submitted).toContain(
        'the jobs run on without this command; next: npx virel-native sweep',
      );
      expect(followed).toMatch(/^done 12\b/m);
      expect(cancelled).toMatch(/^done 12$/m);
    },
    3 * MINUTE,
  );
});

describe('a run that is longer than its time limit', () => {
  it(
    'is saved before it, put back, and goes on from there',
    async () => {
      const [run, [job = '']] = ['InvertedPendulum-v5/virel/seed-0', jobs('limited')];
      await until(() => facts(`${job}_0`).restarts > 0);
      await until(() => facts(`${job}_0`).state === 'RUNNING');
      const requeued = join(folder, 'runs/limited/slurm/requeued', `${run}.json`);
      await until(() => json(requeued).waiting === false);
      const { requeues, idle } = json(requeued);
      expect([requeues > 0, idle]).toEqual([true, 0]);
      expect(logs('limited')).toContain('DUE TO JOB REQUEUE');
      expect(logs('limited')).not.toContain('DUE TO TIME LIMIT');
      const history = () => json(join(runDir('limited', run), 'run.json')).history;
      await until(() => history().length === requeues);
      expect(history()[0].step).toBeGreaterThan(0);
      const { code, stdout } = await virel(['sweep', 'limited.yaml', '--cancel'], folder);
      expect([code, stdout]).toEqual([0, 'done 0 | stopped 1\n']);
    },
    3 * MINUTE,
  );
});
