/** A run to its end. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { type ConfigOptions, resolveConfig } from '../../src/config/resolve.js';
import type { TrainEvent } from '../../src/logging/events.js';
import { METRICS } from '../../src/logging/metrics.js';
import { readMetrics } from '../../src/logging/metrics-line.js';
import { findPolicy, listCheckpoints } from '../../src/training/checkpoint.js';
import { train } from '../../src/training/train.js';
import { decodeEvent, unframe } from '../support/event-file.js';
import { lines, untimedMetrics } from '../support/untimed.js';
import { folder, json, of, run, runFolder } from './counted-runs.js';
import { type Behaviour, MemorySession } from './memory-session.js';

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
    expect((await findPolicy(path)).config).toMatchObject({
      env: 'Hopper-v5',
      actionSize: 3,
      step: 1000,
    });
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

  it('tells how often the simulator left its range, each time once, and writes it to the log', async () => {
    const { events } = await run({}, { unstableAt: [3, 4, 700] });
    const unstable = of(events, 'unstable');
    expect(unstable.map(({ states, total }) => [states, total])).toEqual([
      [2, 2],
      [1, 3],
    ]);
    expect(unstable[0]?.step).toBeLessThan(700);
    expect(unstable[1]?.step).toBeGreaterThanOrEqual(700);
    const log = readFileSync(join(runFolder(), 'log.jsonl'), 'utf8').trim().split('\n');
    const told = log.map((line) => JSON.parse(line)).filter(({ event }) => event === 'unstable');
    expect(told).toEqual(
      unstable.map((event) => expect.objectContaining({ level: 'warning', ...event })),
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
    const [a, b] = ['a', 'b'].map((name) => untimedMetrics(join(folder, name, 'metrics.jsonl')));
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
    expect((await findPolicy(runFolder(), 900)).file).toContain('000000000900');
    await expect(findPolicy(runFolder(), 300)).rejects.toEqual(
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
