/** Runs that end early: stops, divergence, other failures. */
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, jest } from '@jest/globals';
import { findPolicy, listCheckpoints } from '../../src/training/checkpoint.js';
import { untimedMetrics } from '../support/untimed.js';
import { folder, json, of, only, run, runFolder } from './counted-runs.js';
import { MemorySession } from './memory-session.js';

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
    expect((await findPolicy(runFolder())).config.step).toBe(steps);
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
    expect(untimedMetrics(join(runFolder(), 'metrics.jsonl')).map(({ step }) => step)).toEqual([
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
    expect((await findPolicy(runFolder())).config.step).toBe(450);
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
