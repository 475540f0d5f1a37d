import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { parse } from 'yaml';
import { type ConfigOptions, resolveConfig } from '../../src/config/resolve.js';
import type { TrainEvent } from '../../src/logging/events.js';
import { METRICS } from '../../src/logging/metrics.js';
import { readMetrics } from '../../src/logging/metrics-line.js';
import { findPolicy, listCheckpoints } from '../../src/training/checkpoint.js';
import { type TrainControl, train } from '../../src/training/train.js';
import { decodeEvent, unframe } from '../support/event-file.js';
import { type Behaviour, MemorySession } from './memory-session.js';

/** A user who owns nothing. */
const NOBODY = 65_534;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'virel-train-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Trains with a session that counts; events, summary or error, and the session. */
async function run(options: ConfigOptions, behaviour: Behaviour = {}, control: TrainControl = {}) {
  const session = new MemorySession(behaviour);
  const short = {
    steps: 1000,
    evaluation: { every: 200, episodes: 2 },
    logging: { every: 100 },
    collect: { startUpdates: behaviour.startUpdates ?? 10 },
  };
  const running = train(
    { runsDir: folder, env: 'Hopper-v5', ...short, ...options },
    { createSession: () => session, nativeFacts: () => undefined, ...control },
  );
  const events: TrainEvent[] = [];
  for await (const event of running) events.push(event);
  const [ended] = await Promise.allSettled([running.finished]);
  return { events, ended, session };
}

const of = <Name extends TrainEvent['event']>(events: TrainEvent[], name: Name) =>
  events.filter((event): event is Extract<TrainEvent, { event: Name }> => event.event === name);
const lines = (path: string) => readFileSync(path, 'utf8').trimEnd().split('\n');
const json = (path: string) => JSON.parse(readFileSync(path, 'utf8'));
const only = (path: string) => join(path, readdirSync(path)[0] as string);
const runFolder = () => only(join(folder, 'Hopper-v5', 'virel'));
/** Metrics without what measures time. */
const untimed = (path: string) =>
  lines(path).map((line) => {
    const { wall: _wall, crc: _crc, m, ...rest } = JSON.parse(line);
    const clocks = new Set(METRICS.filter(({ wallClock }) => wallClock).map(({ name }) => name));
    return {
      ...rest,
      m: Object.fromEntries(Object.entries(m).filter(([name]) => !clocks.has(name))),
    };
  });

describe('a run to its end', () => {
  it('reports start, then evaluation before metrics at each point, checkpoint, summary', async () => {
    const { events, ended } = await run({});
    expect(events[0]).toMatchObject({ event: 'start', steps: 1000, env: 'Hopper-v5' });
    expect(of(events, 'evaluation').map(({ step }) => step)).toEqual([200, 400, 600, 800, 1000]);
    expect(of(events, 'metrics').map(({ step }) => step)).toEqual([
      100, 200, 300, 400, 500, 600, 700, 800, 900, 1000,
    ]);
    const at200 = events.filter(
      (event) => 'step' in event && event.step === 200 && event.event !== 'progress',
    );
    expect(at200.map(({ event }) => event)).toEqual([
      'episode',
      'evaluation',
      'metrics',
      'checkpoint',
    ]);
    expect(events.slice(-2).map(({ event }) => event)).toEqual(['checkpoint', 'summary']);
    expect(ended).toEqual({ status: 'fulfilled', value: events.at(-1) });
    expect(events.at(-1)).toMatchObject({
      state: 'finished',
      steps: 1000,
      updates: 991,
      // only the evaluation at 1000 lies in the last tenth
      finalScore: 1000.5,
      evaluation: { step: 1000, episodes: 2, returns: [1000, 1001] },
    });
  });

  it('lays its folder out as documented, with nothing left over', async () => {
    const { events } = await run({});
    const path = runFolder();
    expect(readdirSync(path).sort()).toEqual([
      'checkpoints',
      'config.origin.json',
      'config.yaml',
      'episodes.csv',
      'eval.csv',
      expect.stringMatching(/^events\.out\.tfevents\.\d{10}\..+\.\d+\.0$/),
      'log.jsonl',
      'metrics.jsonl',
      'replay',
      'run.json',
      'status.json',
      'summary.json',
    ]);
    expect(readdirSync(join(path, 'checkpoints')).sort()).toEqual([
      '000000000600',
      '000000000800',
      '000000001000',
      'best',
      'latest',
    ]);
    const checkpoint = join(path, 'checkpoints', '000000001000');
    expect(readdirSync(checkpoint).sort()).toEqual([
      'MANIFEST.json',
      'pretrained_model',
      'training_state',
    ]);
    expect(readFileSync(join(path, 'checkpoints', 'latest'), 'utf8')).toBe('000000001000\n');
    const model = join(path, 'checkpoints', '000000001000', 'pretrained_model');
    expect(readdirSync(model).sort()).toEqual([
      'config.json',
      'model.safetensors',
      'train_config.json',
    ]);
    expect(json(join(path, 'summary.json'))).toEqual(events.at(-1));
    expect(json(join(path, 'status.json'))).toMatchObject({ state: 'finished', step: 1000 });
    const config = parse(readFileSync(join(path, 'config.yaml'), 'utf8'));
    expect(resolveConfig(config)).toEqual(config);
    expect(json(join(model, 'train_config.json'))).toEqual(config);
    expect(json(join(path, 'run.json'))).toMatchObject({
      env: 'Hopper-v5',
      machine: { threads: config.runtime.threads },
    });
    expect(json(join(path, 'config.origin.json'))).toMatchObject({ steps: 'options' });
    expect(findPolicy(path).config).toMatchObject({ env: 'Hopper-v5', actionSize: 3, step: 1000 });
  });

  it('writes each record of the metrics once to metrics.jsonl and once for TensorBoard', async () => {
    const { events } = await run({});
    const metrics = of(events, 'metrics').map(({ event: _, seed: __, ...record }) => record);
    const path = runFolder();
    const text = readFileSync(join(path, 'metrics.jsonl'), 'utf8');
    expect(readMetrics(text)).toEqual({ records: metrics, damaged: [] });
    const name = readdirSync(path).find((each) => each.startsWith('events.')) as string;
    const decoded = unframe(readFileSync(join(path, name))).map(decodeEvent);
    const { created } = json(join(path, 'run.json'));
    expect(decoded.slice(2)).toEqual(
      metrics.map(({ step, wall, m }) => ({
        wallTime: new Date(created).getTime() / 1000 + wall,
        step,
        fileVersion: undefined,
        scalars: Object.fromEntries(
          Object.entries(m).map(([tag, value]) => [tag, Math.fround(value)]),
        ),
        others: [],
      })),
    );
  });

  it('has no file for what logging switches off', async () => {
    await run({ logging: { every: 100, tensorboard: false, episodes: false } });
    expect(readdirSync(runFolder()).filter((name) => /^(events\.|episodes)/.test(name))).toEqual(
      [],
    );
  });

  it('writes summary.json last, and then says that the run has ended', async () => {
    const running = train(
      { runsDir: folder, env: 'Hopper-v5', steps: 20, evaluation: { episodes: 1 } },
      { createSession: () => new MemorySession({}), nativeFacts: () => undefined },
    );
    for await (const event of running) {
      if (event.event !== 'summary') continue;
      const path = runFolder();
      expect(json(join(path, 'summary.json'))).toEqual(event);
      const written = (name: string) => statSync(join(path, name), { bigint: true }).mtimeNs;
      const last = written('summary.json');
      const others = readdirSync(path).filter((name) => !/^(summary.json|run.lock)$/.test(name));
      expect(others.filter((name) => written(name) > last)).toEqual([]);
      expect(lines(join(path, 'log.jsonl')).map((line) => JSON.parse(line).event)).toEqual([
        'start',
        'evaluation',
        'checkpoint',
        'summary',
      ]);
    }
  });

  it('writes evaluations and episodes as tables', async () => {
    await run({});
    expect(lines(join(runFolder(), 'eval.csv')).slice(0, 2)).toEqual([
      'step,episodes,return_mean,return_std,return_min,return_max,length_mean,wall',
      expect.stringMatching(/^200,2,200\.5,0\.5,200,201,100,[\d.]+$/),
    ]);
    const episodes = lines(join(runFolder(), 'episodes.csv'));
    expect(JSON.parse((episodes[0] as string).slice(1))).toMatchObject({ env_id: 'Hopper-v5' });
    expect(episodes.slice(1, 3)).toEqual(['r,l,t', expect.stringMatching(/^50,50,[\d.]+$/)]);
    expect(episodes).toHaveLength(2 + 20);
  });

  it('logs no name that metrics.ts does not define', async () => {
    const { events } = await run({});
    const known = new Set(METRICS.map(({ name }) => name));
    const logged = new Set(of(events, 'metrics').flatMap(({ m }) => Object.keys(m)));
    expect([...logged].filter((name) => !known.has(name))).toEqual([]);
    expect(logged.size).toBeGreaterThan(15);
  });

  it('evaluates and records at the last step also where nothing else is due', async () => {
    const { events } = await run({ steps: 130 });
    expect(of(events, 'evaluation').map(({ step }) => step)).toEqual([130]);
    expect(of(events, 'metrics').map(({ step }) => step)).toEqual([100, 130]);
  });

  it('means over the last hundred training episodes', async () => {
    const { events } = await run({ steps: 1000 }, { episodeLength: 5 });
    // episodes end at 505, 510, ..., 1000
    expect(of(events, 'metrics').at(-1)?.m).toMatchObject({
      'charts/episodic_return': 1000,
      'rollout/ep_rew_mean': 752.5,
      'rollout/ep_len_mean': 5,
    });
  });

  it('disposes of its session, once', async () => {
    expect((await run({})).session.disposed).toBe(1);
  });
});

describe('the size of a call', () => {
  it('never changes what is logged', async () => {
    const cell = new Int32Array(new SharedArrayBuffer(4));
    // calls so slow that each runs one iteration
    const slow: Behaviour = { onAdvance: () => void Atomics.wait(cell, 0, 0, 45) };
    const short = { steps: 40, logging: { every: 10 }, evaluation: { every: 20 } };
    const first = await run({ ...short, runDir: join(folder, 'a') }, { episodeLength: 7 });
    const second = await run(
      { ...short, runDir: join(folder, 'b') },
      { episodeLength: 7, ...slow },
    );
    expect(second.session.plans.length).toBeGreaterThan(first.session.plans.length);
    const [a, b] = ['a', 'b'].map((name) => untimed(join(folder, name, 'metrics.jsonl')));
    expect(a).toHaveLength(4);
    expect(b).toEqual(a);
  });

  it('starts anew where updates begin', async () => {
    const { session } = await run({ collect: { startUpdates: 400 } }, { startUpdates: 400 });
    const sizes = session.plans.map(({ repeat }) => repeat);
    const sums = sizes.map((_, index) =>
      sizes.slice(0, index).reduce((sum, size) => sum + size, 0),
    );
    expect(sizes[sums.indexOf(400)]).toBeLessThanOrEqual(4);
  });
});

describe('checkpoints', () => {
  it('are written every so many steps, and the newest are kept', async () => {
    const evaluation = { every: 1000, episodes: 2 };
    const { events } = await run({ checkpoint: { every: 300, keep: 2 }, evaluation });
    expect(of(events, 'checkpoint').map(({ step }) => step)).toEqual([300, 600, 900, 1000]);
    expect(listCheckpoints(runFolder())).toEqual(['000000000900', '000000001000']);
    expect(readdirSync(join(runFolder(), 'checkpoints')).sort()).toEqual([
      '000000000900',
      '000000001000',
      'best',
      'latest',
    ]);
    expect(findPolicy(runFolder(), 900).file).toContain('000000000900');
    expect(() => findPolicy(runFolder(), 300)).toThrow(
      expect.objectContaining({ code: 'CHECKPOINT_NONE' }),
    );
  });

  it('that fail on the way are a warning, and training goes on', async () => {
    let broken = true;
    class Failing extends MemorySession {
      override async saveParameters(path: string, metadata: Record<string, string>): Promise<void> {
        if (!broken) return super.saveParameters(path, metadata);
        broken = false;
        throw Object.assign(new Error('ENOSPC: no space left on device, write'), {
          code: 'ENOSPC',
          syscall: 'write',
        });
      }
    }
    const { events, ended } = await run(
      { checkpoint: { every: 300 }, evaluation: { every: 1000, episodes: 2 } },
      {},
      { createSession: () => new Failing() },
    );
    expect(of(events, 'warning')).toMatchObject([
      { code: 'DISK_FULL', message: expect.stringContaining('step 300') },
    ]);
    expect(of(events, 'checkpoint').map(({ step }) => step)).toEqual([600, 900, 1000]);
    expect(ended.status).toBe('fulfilled');
    expect(
      readdirSync(join(runFolder(), 'checkpoints')).filter((name) => name.includes('tmp')),
    ).toEqual([]);
  });
});

describe('a stop', () => {
  it('during training saves where it stands and ends stopped', async () => {
    const stop = new AbortController();
    const { events, ended } = await run(
      { steps: 100_000, logging: { every: 100_000 }, evaluation: { every: 100_000 } },
      { onAdvance: (step) => step > 500 && stop.abort() },
      { signal: stop.signal },
    );
    expect(events.slice(-2).map(({ event }) => event)).toEqual(['checkpoint', 'summary']);
    expect(ended).toMatchObject({ status: 'fulfilled', value: { state: 'stopped' } });
    const { steps } = json(join(runFolder(), 'summary.json'));
    expect(steps).toBeGreaterThan(500);
    expect(steps).toBeLessThan(100_000);
    expect(findPolicy(runFolder()).config.step).toBe(steps);
    expect(json(join(runFolder(), 'status.json'))).toMatchObject({ state: 'saved', step: steps });
    expect(existsSync(join(runFolder(), 'run.lock'))).toBe(false);
  });

  it('is what status.json says while it saves, heartbeat or not', async () => {
    const stop = new AbortController();
    const states: string[] = [];
    class Slow extends MemorySession {
      override async saveParameters(path: string, metadata: Record<string, string>): Promise<void> {
        jest.advanceTimersByTime(25_000);
        states.push(json(join(runFolder(), 'status.json')).state);
        await super.saveParameters(path, metadata);
      }
    }
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'performance'] });
    try {
      const onAdvance = (step: number) => step > 500 && stop.abort();
      const createSession = () => new Slow({ onAdvance });
      const evaluation = { every: 100_000, episodes: 2 };
      await run({ steps: 100_000, evaluation }, {}, { signal: stop.signal, createSession });
    } finally {
      jest.useRealTimers();
    }
    expect(states).toEqual(['stopping']);
  });

  it('saves although its status cannot be written', async () => {
    const stop = new AbortController();
    const breaks = (step: number) => {
      if (step <= 500 || stop.signal.aborted) return;
      const status = join(runFolder(), 'status.json');
      rmSync(status);
      mkdirSync(status);
      stop.abort();
    };
    const { events, ended } = await run(
      { steps: 100_000, evaluation: { every: 100_000, episodes: 2 } },
      { onAdvance: breaks },
      { signal: stop.signal },
    );
    expect(ended).toMatchObject({ status: 'fulfilled', value: { state: 'stopped' } });
    expect(of(events, 'checkpoint')).toHaveLength(1);
    expect(of(events, 'warning')).toMatchObject([{ code: 'SINK_FAILED' }]);
  });

  it('during an evaluation abandons it', async () => {
    const stop = new AbortController();
    const { events, ended } = await run(
      {},
      { onEvaluate: (step) => step === 400 && stop.abort() },
      { signal: stop.signal },
    );
    expect(of(events, 'evaluation').map(({ step }) => step)).toEqual([200]);
    expect(ended).toMatchObject({
      value: { state: 'stopped', steps: 400, evaluation: { step: 200 } },
    });
  });

  it('before the start writes nothing', async () => {
    const { ended } = await run({}, {}, { signal: AbortSignal.abort() });
    expect(ended).toMatchObject({ status: 'rejected', reason: { code: 'ABORTED' } });
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('a session that diverges', () => {
  it('ends the run with error, then summary, and leaves whole files', async () => {
    const { events, ended, session } = await run(
      { checkpoint: { every: 300 } },
      { divergesAt: 450 },
    );
    expect(ended).toMatchObject({ status: 'rejected', reason: { code: 'DIVERGED' } });
    expect(events.slice(-2)).toMatchObject([
      {
        event: 'error',
        code: 'DIVERGED',
        message: expect.stringContaining('policy loss is NaN; the last finite parameters are in '),
        fix: 'less',
        exit: 1,
      },
      { event: 'summary', state: 'failed', code: 'DIVERGED', evaluation: { step: 400 } },
    ]);
    expect(json(join(runFolder(), 'summary.json'))).toEqual(events.at(-1));
    expect(json(join(runFolder(), 'status.json'))).toMatchObject({
      state: 'diverged',
      code: 'DIVERGED',
    });
    expect(listCheckpoints(runFolder())).toEqual(['000000000200', '000000000300', '000000000400']);
    // whole, and apart from the checkpoints, none of which it replaces
    const kept = only(join(runFolder(), 'diverged'));
    expect((of(events, 'error')[0] as { message: string }).message).toContain(kept);
    expect(readdirSync(join(kept, 'pretrained_model')).sort()).toEqual(
      readdirSync(join(runFolder(), 'checkpoints', '000000000300', 'pretrained_model')).sort(),
    );
    expect(untimed(join(runFolder(), 'metrics.jsonl')).map(({ step }) => step)).toEqual([
      100, 200, 300, 400,
    ]);
    expect(session.disposed).toBe(1);
  });

  it('is told of by the step at which it broke, inside a plan too', async () => {
    const { events } = await run({ evaluation: { every: 1000 } }, { divergesAt: 450 });
    expect(events.at(-1)).toMatchObject({ event: 'summary', state: 'failed', steps: 450 });
    // those of the last plan, too
    expect(of(events, 'episode').map(({ step }) => step)).toEqual(
      Array.from({ length: 8 }, (_, index) => 50 * (index + 1)),
    );
    expect(readdirSync(join(runFolder(), 'diverged'))).toEqual(['000000000450']);
  });

  it('does not touch another run in the process', async () => {
    const options = { steps: 5000 };
    const [good, bad] = await Promise.all([
      run({ ...options, runDir: join(folder, 'good') }),
      run({ ...options, runDir: join(folder, 'bad') }, { divergesAt: 100 }),
    ]);
    expect(bad.ended.status).toBe('rejected');
    expect(good.ended).toMatchObject({ value: { state: 'finished', steps: 5000 } });
  });

  it('whose construction fails leaves an error and a summary', async () => {
    const { events } = await run(
      {},
      {},
      {
        createSession: () => {
          throw Object.assign(new Error('no GPU'), {
            isVirelError: true,
            code: 'DEVICE_MISSING',
            exit: 3,
          });
        },
      },
    );
    expect(events.slice(-2)).toMatchObject([
      { event: 'error', code: 'DEVICE_MISSING', exit: 3 },
      { event: 'summary', state: 'failed', steps: 0 },
    ]);
  });
});

describe('a session that fails otherwise', () => {
  it('saves the parameters of the step at which it failed, and says where', async () => {
    const { events, ended } = await run({}, { failsAt: 450 });
    const path = join(runFolder(), 'checkpoints', '000000000450');
    expect(ended).toMatchObject({
      status: 'rejected',
      reason: {
        code: 'ENV_FAILED',
        message: `virel, Hopper-v5, environment point: step() threw; the parameters of step 450 are in ${path}`,
        fix: 'mend it',
      },
    });
    expect(events.slice(-3)).toMatchObject([
      { event: 'checkpoint', step: 450, path },
      { event: 'error', code: 'ENV_FAILED' },
      { event: 'summary', state: 'failed', steps: 450 },
    ]);
    expect(findPolicy(runFolder()).config.step).toBe(450);
  });

  it('says so where they cannot be saved', async () => {
    class Broken extends MemorySession {
      override async saveParameters(): Promise<void> {
        throw new Error('no space');
      }
    }
    const { ended } = await run({}, {}, { createSession: () => new Broken({ failsAt: 450 }) });
    expect(ended).toMatchObject({
      reason: {
        code: 'ENV_FAILED',
        message: expect.stringMatching(/they cannot be saved: no space$/),
      },
    });
  });
});

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
    expect(() => findPolicy(runFolder())).toThrow(
      expect.objectContaining({ code: 'CHECKPOINT_CORRUPT', where: path }),
    );
  });

  it('names the folder of the models it was trained on', async () => {
    await run({ env: { id: 'Hopper-v5', modelDir: folder } });
    expect(findPolicy(runFolder()).modelDir).toBe(folder);
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

describe('train', () => {
  it.each([
    ['runDir', 5, 'CONFIG_TYPE'],
    ['runDir', null, 'CONFIG_TYPE'],
    ['runsDir', ['a'], 'CONFIG_TYPE'],
    ['runDir', '', 'CONFIG_RANGE'],
    ['runsDir', 'a\0b', 'CONFIG_RANGE'],
  ])('refuses the folder %s: %j at once', (name, value, code) => {
    expect(() => train({ [name]: value } as ConfigOptions)).toThrow(
      expect.objectContaining({ code, where: `option ${name}` }),
    );
  });

  it('refuses a bad option at once', () => {
    expect(() => train({ runsDir: folder, steps: -1 })).toThrow(
      expect.objectContaining({ code: 'CONFIG_RANGE' }),
    );
    expect(readdirSync(folder)).toEqual([]);
  });

  it('does not wait for a reader that reads nothing', async () => {
    const running = train(
      {
        runsDir: folder,
        steps: 3000,
        logging: { every: 1 },
        evaluation: { every: 1000, episodes: 1 },
      },
      {
        createSession: () => new MemorySession({ startUpdates: 1000 }),
        nativeFacts: () => undefined,
      },
    );
    expect((await running.finished).steps).toBe(3000);
    const events: TrainEvent[] = [];
    for await (const event of running) events.push(event);
    // metrics were thinned out, everything else was kept
    expect(of(events, 'metrics').length).toBeLessThan(1025);
    expect(of(events, 'evaluation')).toHaveLength(3);
    expect(of(events, 'episode')).toHaveLength(60);
    expect(events.at(-1)?.event).toBe('summary');
  });
});
