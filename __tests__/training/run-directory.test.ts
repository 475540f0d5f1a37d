/** A run's folder: whose it is, what refuses it, what is read of it. */
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, jest } from '@jest/globals';
import { findPolicy } from '../../src/training/checkpoint.js';

/** A user who owns nothing. */
const NOBODY = 65_534;

import { folder, json, of, run, runFolder } from './counted-runs.js';

describe('a run folder', () => {
  it('that is a file is one error before training', async () => {
    const runDir = join(folder, 'file');
    writeFileSync(runDir, 'mine');
    const { events, ended, session } = await run({ runDir });
    expect(ended).toMatchObject({ status: 'rejected', reason: { code: 'IO', where: runDir } });
    expect(of(events, 'error')).toHaveLength(1);
    expect(session.plans).toEqual([]);
    expect(readFileSync(runDir, 'utf8')).toBe('mine');
  });

  it('below a file is one error before training', async () => {
    writeFileSync(join(folder, 'file'), 'mine');
    const { ended } = await run({ runDir: join(folder, 'file', 'run') });
    expect(ended).toMatchObject({ status: 'rejected', reason: { code: 'IO' } });
  });

  it('without permission is PERMISSION', async () => {
    chmodSync(folder, 0o500);
    // root may write everywhere: the attempt is another user's then
    const isRoot = process.geteuid?.() === 0;
    if (isRoot) process.seteuid?.(NOBODY);
    try {
      const { ended } = await run({});
      expect(ended).toMatchObject({ status: 'rejected', reason: { code: 'PERMISSION' } });
    } finally {
      if (isRoot) process.seteuid?.(0);
      chmodSync(folder, 0o700);
    }
  });

  it('that the system refuses is PERMISSION or IO', async () => {
    const { ended } = await run({ runDir: '/proc/virel-run' });
    expect(ended).toMatchObject({
      status: 'rejected',
      reason: { code: expect.stringMatching(/^(PERMISSION|IO)$/) },
    });
  });

  it('that already holds a run is RUN_LOCKED and stays as it was', async () => {
    const runDir = join(folder, 'run');
    await run({ runDir });
    const before = readFileSync(join(runDir, 'metrics.jsonl'), 'utf8');
    const { ended } = await run({ runDir });
    expect(ended).toMatchObject({ status: 'rejected', reason: { code: 'RUN_LOCKED' } });
    expect(readFileSync(join(runDir, 'metrics.jsonl'), 'utf8')).toBe(before);
    expect(json(join(runDir, 'summary.json'))).toMatchObject({ state: 'finished' });
  });

  it('that holds anything else is RUN_LOCKED, and nothing in it changes', async () => {
    const runDir = join(folder, 'mine');
    mkdirSync(runDir);
    writeFileSync(join(runDir, 'config.yaml'), 'env: Hopper-v5 # mine\n');
    const { ended, session } = await run({ runDir });
    expect(ended).toMatchObject({
      status: 'rejected',
      reason: { code: 'RUN_LOCKED', message: expect.stringContaining('config.yaml') },
    });
    expect(session.plans).toEqual([]);
    expect(readdirSync(runDir)).toEqual(['config.yaml']);
    expect(readFileSync(join(runDir, 'config.yaml'), 'utf8')).toBe('env: Hopper-v5 # mine\n');
  });

  it('that is there and empty is used', async () => {
    const runDir = join(folder, 'empty');
    mkdirSync(runDir);
    expect((await run({ runDir })).ended.status).toBe('fulfilled');
  });

  it('of a dead process whose id another process has now is free', async () => {
    const runDir = join(folder, 'run');
    mkdirSync(runDir);
    const holder = { pid: process.ppid, host: hostname(), processStart: '1' };
    writeFileSync(join(runDir, 'run.lock'), JSON.stringify(holder));
    expect((await run({ runDir })).ended.status).toBe('fulfilled');
  });

  it('in use by a living process is RUN_LOCKED; by a dead one it is free', async () => {
    const runDir = join(folder, 'run');
    const holder = { pid: process.ppid, host: hostname() };
    mkdirSync(runDir);
    writeFileSync(join(runDir, 'run.lock'), JSON.stringify(holder));
    expect((await run({ runDir })).ended).toMatchObject({ reason: { code: 'RUN_LOCKED' } });
    // above the largest pid of Linux
    writeFileSync(join(runDir, 'run.lock'), JSON.stringify({ ...holder, pid: 2 ** 22 + 1 }));
    expect((await run({ runDir })).ended.status).toBe('fulfilled');
  });

  it('of two runs started at once gets a name of its own', async () => {
    await Promise.all([run({}), run({})]);
    expect(readdirSync(join(folder, 'Hopper-v5', 'virel'))).toHaveLength(2);
  });
});

describe('a checkpoint', () => {
  it.each([
    ['config.json', 'null'],
    ['config.json', '{}'],
    ['config.json', '{"format":'],
    ['train_config.json', '[]'],
  ])('whose %s is %s is CHECKPOINT_CORRUPT', async (name, text) => {
    await run({});
    const path = join(runFolder(), 'checkpoints/000000001000/pretrained_model', name);
    writeFileSync(path, text);
    const corrupt = {
      code: 'CHECKPOINT_CORRUPT',
      message: expect.stringContaining(path) as unknown as string,
    };
    await expect(findPolicy(runFolder(), 1000)).rejects.toEqual(expect.objectContaining(corrupt));
    expect(await findPolicy(runFolder())).toMatchObject({
      config: { step: 800 },
      passedOver: [expect.stringContaining(path)],
    });
    // of before there were manifests
    rmSync(join(runFolder(), 'checkpoints/000000001000/MANIFEST.json'));
    await expect(findPolicy(runFolder())).rejects.toEqual(expect.objectContaining(corrupt));
  });

  it('that is removed while it is read is no damaged one', async () => {
    await run({});
    const path = (step: number) =>
      join(runFolder(), `checkpoints/${String(step).padStart(12, '0')}`);
    // by now it knows the names and waits for the first file's bytes
    const next = findPolicy(runFolder());
    rmSync(path(1000), { recursive: true });
    expect(await next).toMatchObject({ config: { step: 800 }, passedOver: [] });
    const both = Promise.allSettled([findPolicy(runFolder(), 800), findPolicy(runFolder())]);
    // as a trainer that keeps one: nothing that was known is left
    for (const name of readdirSync(join(runFolder(), 'checkpoints'))) {
      if (Number(name) < 800) rmSync(join(runFolder(), 'checkpoints', name), { recursive: true });
    }
    renameSync(path(800), path(1200));
    const [asked, newest] = await both;
    expect(asked).toMatchObject({ reason: { code: 'CHECKPOINT_NONE' } });
    const file = expect.stringContaining('000000001200') as unknown as string;
    expect(newest).toMatchObject({ value: { file, passedOver: [] } });
  });

  it('names the folder of the models it was trained on', async () => {
    await run({ env: { id: 'Hopper-v5', modelDir: folder } });
    expect((await findPolicy(runFolder())).modelDir).toBe(folder);
  });
});

describe('a status that cannot be written', () => {
  it('is one warning however often it is tried', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'performance'] });
    try {
      const runDir = join(folder, 'run');
      const status = join(runDir, 'status.json');
      let broken = false;
      const breaks = (step: number) => {
        if (step > 300 && !broken) {
          broken = true;
          rmSync(status);
          mkdirSync(status);
          jest.advanceTimersByTime(60_000);
          rmSync(status, { recursive: true });
          writeFileSync(status, '');
        }
      };
      const { events } = await run({ runDir }, { onAdvance: breaks });
      expect(of(events, 'warning')).toMatchObject([
        { code: 'SINK_FAILED', message: expect.stringMatching(/status\.json: .*tried again/) },
      ]);
    } finally {
      jest.useRealTimers();
    }
  });
});
