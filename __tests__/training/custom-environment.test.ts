/** Runs on environments written in TypeScript: config, run folder, policy, failures. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type ConfigOptions, resolveConfig, resolveLayers } from '../../src/config/resolve.js';
import { type CustomEnvironment, defineEnvironment } from '../../src/environments/define.js';
import { loadEnvironment } from '../../src/environments/load.js';
import type { TrainEvent } from '../../src/logging/events.js';
import { METRICS } from '../../src/logging/metrics.js';
import { Session } from '../../src/native/session.js';
import { listCheckpoints } from '../../src/training/checkpoint.js';
import type { TrainControl } from '../../src/training/handle.js';
import { loadPolicy } from '../../src/training/load-policy.js';
import { train } from '../../src/training/train.js';
import { misbehaving, point, sharedPoint } from '../environments/support.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'virel-custom-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const SMALL = {
  steps: 200,
  threads: 1,
  network: { hidden: [16, 12] },
  replay: { batchSize: 16 },
  collect: { startUpdates: 50 },
  evaluation: { every: 100, episodes: 2 },
  logging: { every: 50 },
};

async function run(
  env: CustomEnvironment,
  options: ConfigOptions = {},
  control: TrainControl = {},
) {
  const running = train({ env, runsDir: folder, ...SMALL, ...options }, control);
  const events: TrainEvent[] = [];
  for await (const event of running) events.push(event);
  const [ended] = await Promise.allSettled([running.finished]);
  return { events, ended };
}

const json = (path: string) => JSON.parse(readFileSync(path, 'utf8'));
const refusal = (call: () => unknown) => {
  try {
    call();
  } catch (error) {
    return error as Record<string, unknown>;
  }
  throw new Error('it was accepted');
};

describe('the config of an environment in TypeScript', () => {
  it('takes name, size and limit from the definition; presets say nothing of it', () => {
    const env = defineEnvironment({ ...point, id: 'Hopper', maxEpisodeSteps: 1200 });
    const config = resolveConfig({ env, algorithm: 'sac-twin' });
    expect(config.env).toMatchObject({ id: 'Hopper', maxEpisodeSteps: 1200, module: null });
    expect(config.temperature).toMatchObject({ kind: 'tuned', targetEntropy: -1 });
    // Hopper's reward scale in the preset is 5
    expect(resolveConfig({ env }).rewardScale).toBe(1);
    expect(resolveConfig({ env: 'Hopper-v5' }).rewardScale).toBe(5);
    expect(Object.isFrozen(config)).toBe(true);
  });

  it('takes a plain definition too, and refuses a wrong one at once', () => {
    const plain = { observationSize: 1, actionSize: 1, reset: () => [0], step: () => ({}) };
    expect(resolveConfig({ env: plain as never }).env.id).toBe('custom');
    for (const call of [resolveConfig, train, Session.create]) {
      const error = refusal(() => call({ env: { ...plain, actionSize: 0 } as never }));
      expect(error).toMatchObject({ code: 'ENV_INVALID', where: 'defineEnvironment: actionSize' });
    }
    expect(refusal(() => train({ env: (() => plain) as never }))['code']).toBe('ENV_INVALID');
  });

  it('refuses a module where a program could give the environment', () => {
    expect(refusal(() => resolveConfig({ env: { module: './x.mjs' } }))).toMatchObject({
      code: 'CONFIG_CONFLICT',
      fix: 'env: await loadEnvironment("./x.mjs")',
    });
  });

  it.each<[string, string, object]>([
    ['the id of a task', 'CONFIG_CONFLICT', { id: 'Hopper-v5' }],
    ['a folder of models', 'CONFIG_CONFLICT', { modelDir: '/models' }],
    ['a model', 'CONFIG_CONFLICT', { modelFile: 'hopper.xml' }],
    ['a task file', 'CONFIG_CONFLICT', { taskFile: 'hopper.json' }],
    ['an option of a task', 'CONFIG_UNKNOWN_KEY', { forwardRewardWeight: 2 }],
  ])('refuses %s beside it: %s', (_, code, env) => {
    const asked = [{ origin: '--set', values: { env } }];
    expect(refusal(() => resolveLayers(asked, undefined, point))).toMatchObject({
      code,
      where: '--set',
    });
  });

  it('takes its own id, and a module whose path becomes absolute', () => {
    const values = { env: { id: 'point', module: 'point.mjs' } };
    const { config } = resolveLayers([{ origin: 'file', values }], undefined, point);
    expect(config.env).toMatchObject({ id: 'point', module: resolve('point.mjs') });
  });
});

describe('a run on an environment in TypeScript', () => {
  it('writes a run folder without a model, whose policy needs no environment', async () => {
    const { events, ended } = await run(point, { runDir: join(folder, 'run') });
    expect(ended).toMatchObject({
      status: 'fulfilled',
      value: { state: 'finished', env: 'point' },
    });
    const runDir = join(folder, 'run');
    expect(existsSync(join(runDir, 'model.xml'))).toBe(false);
    expect(json(join(runDir, 'run.json'))).toMatchObject({
      env: 'point',
      model: null,
      module: null,
      versions: { mujoco: null },
    });
    const checkpoint = join(runDir, 'checkpoints', '000000000200', 'pretrained_model');
    expect(json(join(checkpoint, 'config.json'))).toMatchObject({
      env: 'point',
      observationSize: 2,
      actionLow: [-1],
      actionHigh: [1],
      maxEpisodeSteps: 20,
      simulator: 'typescript',
    });
    const metrics = events.flatMap((event) => (event.event === 'metrics' ? [event.m] : []));
    expect(metrics.at(-1)).toMatchObject({ 'env/unstable_resets': 0, 'replay/size': 200 });
    const known = new Set(METRICS.map(({ name }) => name));
    for (const name of Object.keys(metrics.at(-1) ?? {})) expect(known).toContain(name);
    const policy = await loadPolicy(runDir);
    expect(policy.act([0.1, 0.01])).toHaveLength(1);
    const options = { episodes: 2, seed: 0, maxEpisodeSteps: 20, environment: point };
    expect((await policy.evaluate(options)).lengths).toEqual([20, 20]);
    policy.dispose();
  });

  it.each(['kernel', 'tensor'] as const)(
    'repeats itself from the same seed, on %s',
    async (engine) => {
      const untimed = (events: TrainEvent[]) =>
        JSON.stringify(events, (key, value) =>
          ['wall', 'wallSeconds', 'runDir', 'path'].includes(key) ||
          METRICS.some(({ name, wallClock }) => wallClock && name === key)
            ? undefined
            : value,
        );
      const lasting = ({ events }: { events: TrainEvent[] }) =>
        untimed(events.filter(({ event }) => event !== 'progress'));
      const one = lasting(await run(point, { engine, algorithm: 'sac-twin' }));
      expect(lasting(await run(point, { engine, algorithm: 'sac-twin' }))).toBe(one);
      expect(lasting(await run(point, { engine, algorithm: 'sac-twin', seed: 1 }))).not.toBe(one);
    },
  );

  it.each<[string, () => unknown]>([
    ['ENV_FAILED', () => JSON.parse('{')],
    ['ENV_INVALID', () => ({ reward: NaN })],
  ])(
    'ends as a failed run with %s, and saves the step at which it failed',
    async (code, misbehave) => {
      const runDir = join(folder, 'run');
      const environment = misbehaving(120, misbehave);
      const { events, ended } = await run(environment, { runDir, checkpointEvery: 100 });
      expect(ended).toMatchObject({ status: 'rejected', reason: { code } });
      expect(events.at(-1)).toMatchObject({ event: 'summary', state: 'failed', code });
      expect(json(join(runDir, 'summary.json'))).toMatchObject({ state: 'failed', code });
      expect(json(join(runDir, 'status.json'))).toMatchObject({ state: 'failed', code });
      // the 120th step failed
      const path = join(runDir, 'checkpoints', '000000000119');
      expect(listCheckpoints(runDir)).toEqual(['000000000100', '000000000119']);
      expect(ended).toMatchObject({
        reason: { message: expect.stringMatching(`the parameters of step 119 are in ${path}$`) },
      });
    },
  );

  it('stops at a step boundary when it is aborted, and saves', async () => {
    const control = new AbortController();
    setTimeout(() => control.abort(), 200);
    const { ended } = await run(point, { steps: 1e7 }, { signal: control.signal });
    expect(ended).toMatchObject({ status: 'fulfilled', value: { state: 'stopped' } });
  });

  it('two at a time do not mix where each use has a state; one state for both is refused', async () => {
    const [alone] = [await run(point)];
    const both = await Promise.all([run(point), run(point, { seed: 1 })]);
    const final = ({ ended }: Awaited<ReturnType<typeof run>>) =>
      ended?.status === 'fulfilled' ? ended.value.evaluation?.returns : ended;
    expect(final(both[0] as never)).toEqual(final(alone as never));
    const shared = sharedPoint();
    const mixed = await Promise.all([run(shared), run(shared, { seed: 1 })]);
    const codes = mixed.map(({ ended }) => ended?.status === 'rejected' && ended.reason.code);
    expect(codes).toContain('ENV_SHARED');
  });
});

describe('loadEnvironment', () => {
  const module = (text: string) => {
    const path = join(folder, `${Math.random().toString(36).slice(2)}.mjs`);
    writeFileSync(path, text);
    return path;
  };

  it('imports a default export, checked', async () => {
    const text = `export default {
      id: 'loaded', observationSize: 1, actionSize: 1,
      reset: () => [0], step: () => ({ observation: [0], reward: 0, terminated: false }),
    };`;
    expect(await loadEnvironment(module(text))).toMatchObject({ id: 'loaded', actionLow: [-1] });
  });

  it.each<[string, string, string]>([
    ['export const pendulum = 1;', 'ENV_INVALID', 'no default export'],
    ['export default 3;', 'ENV_INVALID', 'defineEnvironment: definition'],
    ['export default { observationSize: 1 };', 'ENV_INVALID', 'defineEnvironment: actionSize'],
    ['throw new Error("no track");', 'ENV_FAILED', 'no track'],
  ])('refuses %p', async (text, code, words) => {
    const path = module(text);
    const [ended] = await Promise.allSettled([loadEnvironment(path)]);
    expect(ended).toMatchObject({ status: 'rejected', reason: { code, where: path } });
    expect((ended as PromiseRejectedResult).reason.message).toContain(words);
  });

  it.each([['missing.mjs'], ['.']])('refuses %s, which is no file', async (name) => {
    const [ended] = await Promise.allSettled([loadEnvironment(join(folder, name))]);
    expect(ended).toMatchObject({ status: 'rejected', reason: { code: 'ENV_MISSING', exit: 2 } });
  });
});
