/** What a cluster is told and what it answers, without one: scripts, options, times, places, answers, requeues, claims. */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { TrainEvent } from '../../src/logging/events.js';
import { shellWord } from '../../src/shell.js';
import { tryClaim } from '../../src/sweep/claim.js';
import { jobsFor, memoryToAskFor } from '../../src/sweep/needs.js';
import { carryOut, type SweepTask, standingOf } from '../../src/sweep/run.js';
import { followJobs } from '../../src/sweep/slurm/follow.js';
import { readJobs, writeJobs } from '../../src/sweep/slurm/jobs.js';
import { jobNumber, queuedTasks } from '../../src/sweep/slurm/queue.js';
import { requeueTask, slurmTask } from '../../src/sweep/slurm/requeue.js';
import { noLongerWaiting, readRequeues, writeRequeues } from '../../src/sweep/slurm/requeued.js';
import {
  arraysOf,
  logPattern,
  ranges,
  sbatchOptions,
  scriptOf,
  timeSeconds,
} from '../../src/sweep/slurm/script.js';
import { parameterFile } from '../../src/training/checkpoint.js';

const folder = mkdtempSync(join(tmpdir(), 'virel-slurm-parts-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const NONE = { partition: undefined, time: undefined, maxParallel: undefined, more: new Map() };
const NEEDS = { cores: 1, memory: 300 * 2 ** 20, gpus: 0 };
const JOB = {
  name: 'a sweep',
  base: 0,
  places: [0, 1, 2, 5],
  cwd: '/home/me/my work',
  command: ['/usr/bin/node', "/it's/cli.js", 'sweep', 'plan.jsonl'],
};

describe('a script', () => {
  it('has each option on a line of its own, and runs the program itself', () => {
    const options = { ...NONE, partition: 'cpu', time: '4:00:00', maxParallel: 32 };
    expect(
      scriptOf(JOB, NEEDS, { ...options, more: sbatchOptions(['account=it s', 'exclusive']) }),
    ).toBe(`#!/bin/sh
#SBATCH --job-name=virel-a-sweep
#SBATCH --array=0-2,5%32
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=%A_%a.log
#SBATCH --signal=B:USR1@120
#SBATCH --partition=cpu
#SBATCH --time=4:00:00
#SBATCH --account='it s'
#SBATCH --exclusive
cd '/home/me/my work' || exit 1
export OMP_NUM_THREADS="\${SLURM_CPUS_PER_TASK:-1}"
exec /usr/bin/node '/it'\\''s/cli.js' sweep plan.jsonl --task "$SLURM_ARRAY_TASK_ID"
`);
  });

  it('asks for cores, memory and a GPU, unless a person does', () => {
    const needs = { ...NEEDS, cores: 2, gpus: 1 };
    const lines = (words: string[]) =>
      scriptOf(JOB, needs, { ...NONE, more: sbatchOptions(words) }).match(
        /--(cpus|mem|gres|gpus)\S*/g,
      );
    expect(lines([])).toEqual(['--cpus-per-task=2', '--mem=300M', '--gres=gpu:1']);
    expect(lines(['mem-per-cpu=1G', 'gpus=a100:1'])).toEqual([
      '--cpus-per-task=2',
      '--mem-per-cpu=1G',
      '--gpus=a100:1',
    ]);
  });

  it('leaves a task of a short time limit a quarter of it to save', () => {
    const signal = (time: string) =>
      /USR1@(\d+)/.exec(scriptOf(JOB, NEEDS, { ...NONE, time }))?.[1];
    expect([signal('1'), signal('8'), signal('1-00')]).toEqual(['15', '120', '120']);
  });

  it('gives a row beyond the places of an array its number', () => {
    expect(scriptOf({ ...JOB, base: 1001 }, NEEDS, NONE)).toContain(
      '--task "$((SLURM_ARRAY_TASK_ID + 1001))"\n',
    );
  });

  it('is read by a shell as it was meant, whatever is in a path', () => {
    const dir = join(
      folder,
      'a \'b" $(touch hit) `touch hit`;touch hit\n#SBATCH --nope\ntouch hit',
    );
    mkdirSync(dir);
    const command = [process.execPath, '-p', 'process.cwd() + process.argv[1]', `\n$HOME ${dir}`];
    const text = scriptOf({ ...JOB, cwd: dir, command }, NEEDS, NONE).replace(
      / --task .*\n$/,
      '\n',
    );
    expect(execFileSync('sh', ['-c', text], { encoding: 'utf8' })).toBe(`${dir}\n$HOME ${dir}\n`);
    expect(existsSync(join(dir, 'hit')) || existsSync('hit')).toBe(false);
  });

  it('has no line of sbatch that a value could end', () => {
    for (const value of ['comment=a\nb', 'comment=a\u2028b', 'comment=a\\b', 'comment=\u0007'])
      expect(() => sbatchOptions([value])).toThrow(expect.objectContaining({ code: 'CLI_USAGE' }));
  });
});

describe('a word of a shell', () => {
  it('is read back as it was, for any text', () => {
    const text = fc
      .string({ unit: 'binary', maxLength: 40 })
      .filter((each) => !each.includes('\0'));
    fc.assert(
      fc.property(text, (word) => {
        const output = execFileSync('sh', ['-c', `printf %s ${shellWord(word)}x`]);
        // half a pair of surrogates is no text that a process can be given
        expect(output.toString()).toBe(`${Buffer.from(word).toString()}x`);
      }),
      { numRuns: 60 },
    );
  });
});

describe('options of sbatch', () => {
  it.each([
    ['array=1', '--max-parallel'],
    ['output=x', 'slurm'],
    ['partition=cpu', '--partition NAME'],
    ['signal=USR2', 'time limit'],
  ])('%s is ours, and says what to do instead', (word, fix) => {
    const error = { code: 'CLI_USAGE', fix: expect.stringContaining(fix) };
    expect(() => sbatchOptions([word])).toThrow(expect.objectContaining(error));
  });

  it.each([['--account=x'], ['account x'], ['=x'], ['account='], ['Account=x'], ['a;b=c'], ['']])(
    '%j is none',
    (word) => {
      expect(() => sbatchOptions([word])).toThrow(expect.objectContaining({ code: 'CLI_USAGE' }));
    },
  );

  it('are given once', () => {
    expect(() => sbatchOptions(['qos=a', 'qos=b'])).toThrow('qos is given twice');
    expect([...sbatchOptions(['qos=a=b', 'exclusive'])]).toEqual([
      ['qos', 'a=b'],
      ['exclusive', ''],
    ]);
  });
});

describe('a time limit', () => {
  it.each([
    ['90', 5400],
    ['90:30', 5430],
    ['4:00:00', 14_400],
    ['2-12', 216_000],
    ['1-01:30', 91_800],
    ['1-01:30:10', 91_810],
  ])('%s is %d s', (text, seconds) => expect(timeSeconds(text)).toBe(seconds));

  it.each(['', '0', '4h', '-1', '1:2:3:4', '1-', '1e3', '4:00:00\n', '4:00;x'])(
    '%j is none',
    (text) => {
      const error = { code: 'CLI_USAGE', fix: '--time 4:00:00' };
      expect(() => timeSeconds(text)).toThrow(expect.objectContaining(error));
    },
  );
});

describe('rows of a plan', () => {
  it('are ranges of an array', () => {
    expect(ranges([0, 1, 2, 3, 7, 9, 10])).toBe('0-3,7,9-10');
    expect(ranges([4])).toBe('4');
  });

  it('beyond the places of an array begin another', () => {
    expect(arraysOf([0, 2, 3, 7, 8], 3)).toEqual([
      { base: 0, places: [0, 2] },
      { base: 3, places: [0] },
      { base: 6, places: [1, 2] },
    ]);
  });

  it('ask for memory that no task is refused for on its node', () => {
    const needs = { cores: 1, memory: 2e9 };
    const granted = memoryToAskFor(needs);
    // what the supervisor takes is gone by then
    const resources = { cores: 1, memory: granted - 100e6 };
    expect(jobsFor(1, [needs], resources)).toBe(1);
    expect(granted).toBeLessThan(1.3 * needs.memory);
  });
});

describe('what Slurm answers', () => {
  it('is read among its warnings', () => {
    expect(jobNumber('sbatch: warning: can take a while\n4711\n')).toBe('4711');
    expect(jobNumber('4711;cluster2\n')).toBe('4711');
    expect(jobNumber('sbatch: error: no 12')).toBeUndefined();
  });

  it('is a task a line, and nothing else', () => {
    const output = '12|0|RUNNING\n12|3|PENDING\nslurm_load_jobs error: 12|x\n13|N/A|RUNNING\n';
    expect(queuedTasks(output)).toEqual([
      { job: '12', place: 0, state: 'RUNNING' },
      { job: '12', place: 3, state: 'PENDING' },
    ]);
  });

  it('names the place of a log whatever letters its folder has', () => {
    expect(logPattern('/runs/100%a')).toBe('/runs/100%%a/%A_%a.log');
    expect(() => logPattern('/runs/a\\b')).toThrow(expect.objectContaining({ code: 'CLI_USAGE' }));
  });

  it('leaves a job in the folder of the sweep', () => {
    const dir = join(folder, 'remembered');
    expect(readJobs(dir)).toEqual([]);
    const job = { job: '12', base: 0, runs: 3, submitted: new Date(0).toISOString() };
    mkdirSync(dir);
    writeJobs(dir, [job]);
    expect(readJobs(dir)).toEqual([job]);
    writeFileSync(join(dir, 'slurm/jobs.json'), '{"v": 1, "jobs": [{"job": "$(x)"}]}');
    expect(() => readJobs(dir)).toThrow(expect.objectContaining({ code: 'RUN_CORRUPT' }));
  });
});

/** A run of a sweep of its own, saved at these steps. */
function taskSaved(name: string, ...steps: number[]): SweepTask {
  const sweepDir = join(folder, name);
  const row = { index: 0, folder: 'Hopper-v5/virel/seed-0', values: { seed: 0 } };
  const runDir = join(sweepDir, row.folder);
  for (const step of steps) {
    const name = String(step).padStart(12, '0');
    mkdirSync(dirname(parameterFile(runDir, name)), { recursive: true });
    writeFileSync(parameterFile(runDir, name), '');
  }
  writeFileSync(join(runDir, 'summary.json'), JSON.stringify({ state: 'stopped', steps: 9 }));
  return { row, runDir, sweepDir };
}

const path = process.env['PATH'];
afterEach(() => {
  process.env['PATH'] = path;
});

/** Puts a program of the shell in front of all others. @returns Its folder. */
function program(name: string, called: string, lines: (bin: string) => string): string {
  const bin = join(folder, called);
  mkdirSync(bin);
  writeFileSync(join(bin, name), `#!/bin/sh\n${lines(bin)}\n`, { mode: 0o755 });
  process.env['PATH'] = `${bin}${delimiter}${path}`;
  return bin;
}

describe('a task at its time limit', () => {
  /** A `scontrol` that writes down what it is told and answers as it is told to. */
  function scontrol(name: string, exit = 0): string {
    const said = (bin: string) => join(bin, 'said');
    const lines = (bin: string) =>
      `echo "$@" >> ${shellWord(said(bin))}\necho "Job is final" >&2\nexit ${exit}`;
    return said(program('scontrol', name, lines));
  }

  it('is named by its array, or by its job', () => {
    const job = { SLURM_JOB_ID: '15' };
    expect(slurmTask({ ...job, SLURM_ARRAY_JOB_ID: '12', SLURM_ARRAY_TASK_ID: '3' })).toBe('12_3');
    expect([slurmTask(job), slurmTask({})]).toEqual(['15', undefined]);
  });

  it('is requeued, and shown so until it goes on', async () => {
    const said = scontrol('answers');
    const task = taskSaved('limit', 60, 120);
    expect(standingOf(task).state).toBe('stopped');
    await requeueTask(task, '12_3', 60);
    expect(readFileSync(said, 'utf8')).toBe('requeue 12_3\n');
    expect(standingOf(task)).toMatchObject({ state: 'requeued', step: 9 });
    noLongerWaiting(task);
    expect(standingOf(task).state).toBe('stopped');
    expect(readRequeues(task)).toEqual({ v: 1, requeues: 1, idle: 0, waiting: false });
  });

  it('is requeued three times for nothing, and no more', async () => {
    scontrol('patient');
    const task = taskSaved('idle', 60);
    for (let time = 0; time < 3; time += 1) await requeueTask(task, '12_3', 60);
    await expect(requeueTask(task, '12_3', 60)).rejects.toMatchObject({
      code: 'SLURM_NO_PROGRESS',
      fix: expect.stringContaining('--time'),
    });
    expect(standingOf(task).state).toBe('stopped');
  });

  it('that Slurm does not take back is an error in its words', async () => {
    scontrol('refuses', 1);
    const task = taskSaved('final', 60);
    await expect(requeueTask(task, '12_3', 0)).rejects.toMatchObject({
      code: 'SLURM_REFUSED',
      message: 'scontrol: Job is final',
    });
    expect(standingOf(task).state).toBe('stopped');
  });
});

describe('runs that wait in the queue', () => {
  it('are looked at in turn, and known to be done by another process', async () => {
    const rows = [0, 10, 11];
    const queue = rows.map((row) => `echo "12|${row}|PENDING"`).join('\n');
    program('squeue', 'asked', () => queue);
    const sweepDir = join(folder, 'waiting');
    const tasks = rows.map((index): SweepTask => {
      const row = { index, folder: `seed-${index}`, values: { seed: index } };
      return { row, runDir: join(sweepDir, row.folder), sweepDir };
    });
    const finish = ({ runDir }: SweepTask) => {
      mkdirSync(runDir, { recursive: true });
      const summary = { event: 'summary', state: 'finished', steps: 9, finalScore: null };
      writeFileSync(join(runDir, 'summary.json'), JSON.stringify(summary));
    };
    const [first, ...others] = tasks as [SweepTask, ...SweepTask[]];
    finish(first);
    const [told, stop]: [unknown[], AbortController] = [[], new AbortController()];
    const control = {
      signal: AbortSignal.any([stop.signal, AbortSignal.timeout(30_000)]),
      atOnce: stop.signal,
      emit: ({ row }: SweepTask, { event }: TrainEvent) => told.push([row.index, event]),
      say: () => told.push('say'),
      signalled: () => told.push('signalled'),
      refused: () => told.push('refused'),
      over: ({ row }: SweepTask) => {
        told.push([row.index, 'over']);
        if (row.index === 0) others.forEach(finish);
        else stop.abort();
      },
    };
    const followed = {
      tasks,
      jobs: [{ job: '12', base: 0, runs: 12, submitted: new Date(0).toISOString() }],
      indexes: new Map(tasks.map(({ row }) => [row.folder, row.index])),
      configOf: () => {
        throw new Error('no run trains');
      },
      say: () => told.push('said'),
    };
    // row 10 would be its turn at the third look
    expect(await followJobs(followed, control)).toEqual({ queued: 1 });
    const end = (row: number) => [
      [row, 'summary'],
      [row, 'over'],
    ];
    expect(told).toEqual([...end(0), ...end(11)]);
  });
});

describe('a claim', () => {
  const file = (name: string) => join(folder, 'claims', `${name}.lock`);

  it('is given to one at a time, and can be given back', () => {
    const first = tryClaim(file('a/b/seed-0'));
    expect(first).toHaveProperty('release');
    expect(tryClaim(file('a/b/seed-0'))).toMatchObject({ owner: { pid: process.pid } });
    (first as { release: () => void }).release();
    const second = tryClaim(file('a/b/seed-0'));
    expect(second).toHaveProperty('release');
    (second as { release: () => void }).release();
    expect(existsSync(file('a/b/seed-0'))).toBe(false);
  });

  it('of another machine is dead when it has missed five heartbeats', () => {
    const claim = file('far');
    mkdirSync(dirname(claim), { recursive: true });
    writeFileSync(claim, JSON.stringify({ pid: 1, host: `not-${hostname()}` }));
    const ago = (seconds: number) => new Date(Date.now() - 1000 * seconds);
    utimesSync(claim, ago(45), ago(45));
    expect(tryClaim(claim)).toMatchObject({ owner: { pid: 1 } });
    utimesSync(claim, ago(55), ago(55));
    const taken = tryClaim(claim);
    expect(taken).toHaveProperty('release');
    (taken as { release: () => void }).release();
  });

  it('of someone else keeps a run from being begun, and from being emptied', async () => {
    const task = taskSaved('claimed', 60);
    const claim = join(task.sweepDir, 'claims', `${task.row.folder}.lock`);
    mkdirSync(dirname(claim), { recursive: true });
    const owner = JSON.stringify({ pid: 1, host: `not-${hostname()}` });
    writeFileSync(claim, owner);
    writeRequeues(task, { v: 1, requeues: 1, idle: 0, waiting: true });
    const told: string[] = [];
    const control = {
      // as long as it is waited for, in a hurry
      signal: AbortSignal.timeout(500),
      atOnce: new AbortController().signal,
      emit: () => told.push('emit'),
      say: () => told.push('say'),
      signalled: () => told.push('signalled'),
      refused: () => told.push('refused'),
      over: () => told.push('over'),
    };
    const resolve = () => {
      throw new Error('nothing is begun');
    };
    await carryOut(task, { resolve, argv: [], allowInexact: false }, control);
    expect(told).toEqual(['over']);
    expect(readFileSync(claim, 'utf8')).toBe(owner);
    // a job that waits to go on with it is not this process
    expect(standingOf(task).state).toBe('requeued');
  });
});
