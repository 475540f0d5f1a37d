/** Taking up a run: on a session that counts, so that every file can be compared. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { ConfigOptions } from '../../src/config/resolve.js';
import type { TrainEvent } from '../../src/logging/events.js';
import { readMetrics } from '../../src/logging/metrics-line.js';
import { readRecords } from '../../src/logging/tensorboard/tfrecord.js';
import { findPolicy, listCheckpoints } from '../../src/training/checkpoint.js';
import type { ResumeControl } from '../../src/training/handle.js';
import { loadRun } from '../../src/training/load-run.js';
import { resume, train } from '../../src/training/train.js';
import { untimedMetrics, untimedRows } from '../support/untimed.js';
import { type Behaviour, MemorySession } from './memory-session.js';

let folder: string;
let runDir: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'virel-resume-'));
  runDir = join(folder, 'run');
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const SHORT: ConfigOptions = {
  env: 'Hopper-v5',
  steps: 1000,
  evaluation: { every: 200, episodes: 2 },
  logging: { every: 100 },
  collect: { startUpdates: 10 },
  checkpoint: { every: 150, keep: 3 },
};

async function collect(run: AsyncIterable<TrainEvent>): Promise<TrainEvent[]> {
  const events: TrainEvent[] = [];
  for await (const event of run) events.push(event);
  return events;
}

/** Trains; `stopAt` stops the run at the first call at or behind this step. */
async function begin(path: string, stopAt = Infinity, options: ConfigOptions = {}) {
  const stop = new AbortController();
  const behaviour: Behaviour = {
    onAdvance: (step) => {
      if (step >= stopAt) stop.abort();
    },
  };
  const run = train(
    { ...SHORT, ...options, runDir: path },
    {
      createSession: () => new MemorySession(behaviour),
      nativeFacts: () => undefined,
      signal: stop.signal,
    },
  );
  const events = await collect(run);
  return { events, summary: await run.finished };
}

/** Goes on. */
async function goOn(path: string, control: ResumeControl = {}) {
  const session = new MemorySession();
  const run = await resume(path, {
    createSession: () => session,
    nativeFacts: () => undefined,
    ...control,
  });
  const events = await collect(run);
  return { from: run.from, events, session, summary: await run.finished };
}

const text = (...parts: string[]) => readFileSync(join(...parts), 'utf8');
/** What a run left, without what a clock says. */
const left = (path: string) => ({
  metrics: untimedMetrics(join(path, 'metrics.jsonl')),
  evaluations: untimedRows(join(path, 'eval.csv')),
  episodes: untimedRows(join(path, 'episodes.csv')),
  steps: listCheckpoints(path).at(-1),
  best: text(path, 'checkpoints', 'best'),
});

describe('a run that was stopped', () => {
  it.each([1, 130, 200, 399, 640, 900])(
    'at step %i goes on to what one leaves that was not',
    async (stopAt) => {
      await begin(join(folder, 'whole'));
      const { summary } = await begin(runDir, stopAt);
      expect(summary.state).toBe('stopped');
      const { events, from } = await goOn(runDir);
      expect(from).toMatchObject({ step: summary.steps, rows: summary.steps, inexact: [] });
      expect(events.at(-1)).toMatchObject({ event: 'summary', state: 'finished', steps: 1000 });
      expect(left(runDir)).toEqual(left(join(folder, 'whole')));
    },
  );

  it('may be stopped again and again', async () => {
    await begin(join(folder, 'whole'));
    await begin(runDir, 90);
    // before it goes on, too
    const early = await goOn(runDir, { signal: AbortSignal.abort() });
    expect(early.summary).toMatchObject({ state: 'stopped', steps: early.from.step });
    expect(existsSync(join(runDir, 'run.lock'))).toBe(false);
    for (const stopAt of [91, 300, 301, 777]) {
      const stop = new AbortController();
      const session = new MemorySession({
        onAdvance: (step) => {
          if (step >= stopAt) stop.abort();
        },
      });
      await goOn(runDir, { createSession: () => session, signal: stop.signal });
    }
    await goOn(runDir);
    expect(left(runDir)).toEqual(left(join(folder, 'whole')));
    const { history } = JSON.parse(text(runDir, 'run.json'));
    expect(history).toHaveLength(6);
    expect(history[0]).toMatchObject({ inexact: [] });
  });

  it('takes up all rows of its replay buffer, and those alone that its ring holds', async () => {
    const ring = { replay: { capacity: 200 } };
    await begin(runDir, 640, ring);
    const { session, from } = await goOn(runDir);
    expect(session.loadedRows.reduce((sum, rows) => sum + rows)).toBeGreaterThanOrEqual(200);
    const kept = readdirSync(join(runDir, 'replay')).length;
    // files of rows that no checkpoint needs are gone
    expect(kept).toBeLessThan(10);
    expect(from.rows).toBeGreaterThanOrEqual(200);
  });
});

describe('a run that was killed', () => {
  /** The folder as it was when a checkpoint had just been written, with a part of what came later. */
  async function killed(): Promise<void> {
    await begin(join(folder, 'later'), 640);
    cpSync(join(folder, 'later'), runDir, { recursive: true });
    rmSync(join(runDir, 'summary.json'));
  }

  it('goes on from its newest whole checkpoint, and what was logged since is cut', async () => {
    await begin(join(folder, 'whole'));
    await killed();
    const newest = listCheckpoints(runDir).at(-1) as string;
    // torn off in the middle of its parameters
    truncateSync(join(runDir, 'checkpoints', newest, 'pretrained_model', 'model.safetensors'), 7);
    writeFileSync(join(runDir, 'checkpoints', '000000000700.tmp-1'), 'half');
    writeFileSync(join(runDir, 'metrics.jsonl'), `${text(runDir, 'metrics.jsonl')}{"v":1,"st`);
    const { events, from } = await goOn(runDir);
    expect(from.step).toBeLessThan(Number(newest));
    expect(events.find(({ event }) => event === 'warning')).toMatchObject({
      code: 'CHECKPOINT_FALLBACK',
      message: expect.stringContaining('has 7 bytes'),
    });
    expect(left(runDir)).toEqual(left(join(folder, 'whole')));
    expect(readdirSync(join(runDir, 'checkpoints')).join()).not.toContain('tmp');
  });

  it('after a loss of power keeps the whole records of files that are shorter than they were', async () => {
    await killed();
    const names = readdirSync(runDir).filter((name) =>
      /^(events|metrics|eval|episodes)/.test(name),
    );
    expect(names).toHaveLength(4);
    for (const name of names)
      truncateSync(join(runDir, name), Math.floor(0.6 * statSync(join(runDir, name)).size));
    const events = names.find((name) => name.startsWith('events.')) as string;
    await goOn(runDir);
    const [file, { damaged }] = [
      readFileSync(join(runDir, events)),
      readMetrics(text(runDir, 'metrics.jsonl')),
    ];
    expect(readRecords(file).end).toBe(file.length);
    expect(readRecords(file).records.length).toBeGreaterThan(1);
    expect(damaged).toEqual([]);
  });

  it('is refused where no checkpoint is whole, with the reason', async () => {
    await killed();
    for (const name of listCheckpoints(runDir)) {
      writeFileSync(
        join(runDir, 'checkpoints', name, 'training_state', 'training_step.json'),
        '{}',
      );
    }
    await expect(goOn(runDir)).rejects.toMatchObject({
      code: 'CHECKPOINT_NONE',
      message: expect.stringContaining('training_step.json'),
    });
    // nothing is locked, nothing is lost
    expect(existsSync(join(runDir, 'run.lock'))).toBe(false);
    expect(listCheckpoints(runDir).length).toBeGreaterThan(1);
  });

  it('is refused where rows of the replay buffer are missing or changed', async () => {
    await killed();
    for (const file of readdirSync(join(runDir, 'replay')))
      writeFileSync(join(runDir, 'replay', file), 'other');
    await expect(goOn(runDir)).rejects.toMatchObject({ code: 'CHECKPOINT_NONE' });
  });

  it('takes no file from outside its folder', async () => {
    await killed();
    for (const name of listCheckpoints(runDir)) {
      const path = join(runDir, 'checkpoints', name, 'MANIFEST.json');
      writeFileSync(path, readFileSync(path, 'utf8').replace('pretrained_model/', '../'));
    }
    await expect(goOn(runDir)).rejects.toMatchObject({ code: 'CHECKPOINT_NONE' });
  });
});

/** A user who owns nothing. */
const NOBODY = 65_534;

describe('a run folder that may not be written to', () => {
  it.each(['.', 'checkpoints'])(
    'is PERMISSION where it is %s, and can still be read',
    async (part) => {
      await begin(runDir, 640);
      const before = left(runDir);
      chmodSync(folder, 0o755);
      // root may write everywhere: the attempt is another user's then, whose all but this part is
      const isRoot = process.geteuid?.() === 0;
      if (isRoot) execFileSync('chown', ['-R', String(NOBODY), runDir]);
      if (isRoot) execFileSync('chown', ['0', join(runDir, part)]);
      chmodSync(join(runDir, part), 0o555);
      if (isRoot) process.seteuid?.(NOBODY);
      try {
        await expect(goOn(runDir)).rejects.toMatchObject({ code: 'PERMISSION' });
        expect(loadRun(runDir).metrics().length).toBeGreaterThan(0);
        expect((await findPolicy(runDir)).passedOver).toEqual([]);
      } finally {
        if (isRoot) process.seteuid?.(0);
        chmodSync(join(runDir, part), 0o755);
      }
      expect(left(runDir)).toEqual(before);
      expect(existsSync(join(runDir, 'summary.json'))).toBe(true);
      expect(readdirSync(runDir)).not.toContain('run.lock');
    },
  );
});

describe('what may change', () => {
  it('steps, evaluation, checkpoints and logging, for good', async () => {
    await begin(runDir);
    const layers = [{ origin: '--steps', values: { steps: 1500 } }];
    const { summary } = await goOn(runDir, { layers });
    expect(summary).toMatchObject({ state: 'finished', steps: 1500 });
    expect(text(runDir, 'config.yaml')).toContain('steps: 1500');
    const longer = { origin: '--steps', values: { steps: 1600 } };
    expect((await goOn(runDir, { layers: [longer] })).from.step).toBe(1500);
  });

  it('nothing else, unless asked for', async () => {
    await begin(runDir, 500);
    const layers = [{ origin: '--set', values: { discount: 0.9 } }];
    await expect(goOn(runDir, { layers })).rejects.toMatchObject({
      code: 'RESUME_INEXACT',
      message: expect.stringContaining('discount was changed'),
      exit: 2,
    });
    const { from } = await goOn(runDir, { layers, allowInexact: true });
    expect(from.inexact).toEqual(['discount was changed']);
    expect(JSON.parse(text(runDir, 'run.json')).history[0].inexact).toEqual(from.inexact);
  });

  it('not the libraries', async () => {
    await begin(runDir, 500);
    const facts = { torch: '9.9.9', mujoco: null, addon: 'f'.repeat(64), gemm: null };
    const nativeFacts = () => ({ ...facts, modelDirectory: undefined });
    await expect(goOn(runDir, { nativeFacts })).rejects.toMatchObject({
      code: 'RESUME_INEXACT',
      message: expect.stringContaining('torch 9.9.9'),
    });
  });

  it('a run without its replay buffer goes on inexactly', async () => {
    const checkpoint = { every: 150, keep: 3, replay: false };
    await begin(runDir, 500, { checkpoint });
    expect(existsSync(join(runDir, 'replay'))).toBe(false);
    await expect(goOn(runDir)).rejects.toMatchObject({ code: 'RESUME_INEXACT' });
    expect((await goOn(runDir, { allowInexact: true })).summary.state).toBe('finished');
  });
});

describe('which checkpoint', () => {
  it('an older one, if what came later may go', async () => {
    await begin(join(folder, 'whole'));
    await begin(runDir, 900);
    const older = Number(listCheckpoints(runDir)[0]);
    await expect(goOn(runDir, { step: older })).rejects.toMatchObject({
      code: 'CONFIG_CONFLICT',
      fix: expect.stringContaining('--discard-newer'),
    });
    const { from } = await goOn(runDir, { step: older, discardNewer: true });
    expect(from.step).toBe(older);
    expect(left(runDir)).toEqual(left(join(folder, 'whole')));
  });

  it('the best can be asked for by name', async () => {
    await begin(runDir, Infinity, { checkpoint: { every: null, keep: 1 } });
    expect((await findPolicy(runDir, 'best')).config.step).toBe(1000);
    expect(readdirSync(join(runDir, 'checkpoints')).sort()).toEqual([
      '000000001000',
      'best',
      'latest',
    ]);
  });

  it('a run that was killed just before its last words ends with them', async () => {
    const { summary } = await begin(runDir);
    rmSync(join(runDir, 'summary.json'));
    const again = await goOn(runDir);
    const { wallSeconds: _wall, ...rest } = summary;
    expect(again.summary).toMatchObject(rest);
    expect(existsSync(join(runDir, 'summary.json'))).toBe(true);
  });

  it('a run that is done has none to go on from', async () => {
    await begin(runDir);
    await expect(goOn(runDir)).rejects.toMatchObject({
      code: 'CONFIG_CONFLICT',
      message: expect.stringContaining('is finished'),
    });
  });
});
