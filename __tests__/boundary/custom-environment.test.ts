/** Sessions on environments written in TypeScript, through the real addon. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import {
  type CustomEnvironment,
  type Dynamics,
  defineEnvironment,
  type EnvironmentDefinition,
  externalOf,
} from '../../src/environments/define.js';
import { Policy } from '../../src/native/policy.js';
import { Session } from '../../src/native/session.js';
import type { Phase, Plan } from '../../src/schedule/em-schedule.js';
import { facts, misbehaving, point, sharedPoint } from '../environments/support.js';

const ENGINES = ['kernel', 'tensor'] as const;
const folder = mkdtempSync(join(tmpdir(), 'virel-custom-'));
afterAll(() => rmSync(folder, { recursive: true }));

const open: Session[] = [];
afterEach(() => {
  for (const session of open.splice(0)) session.dispose();
});

function create(env: CustomEnvironment, options: object = {}): Session {
  const session = Session.create({
    env,
    threads: 1,
    seed: 7,
    network: { hidden: [16, 12] },
    replay: { batchSize: 16 },
    collect: { startUpdates: 30 },
    ...options,
  });
  open.push(session);
  return session;
}

const ITERATION: Phase[] = [{ collect: 1 }, { update: { mSteps: 1, eSteps: 1 } }];
const iterations = (repeat: number, phases: Phase[] = ITERATION): Plan => ({ repeat, phases });

/** Every parameter, as bytes. */
const bits = (session: Session) =>
  Object.entries(session.parameters())
    .map(([name, { data }]) => `${name} ${Buffer.from(data.buffer).toString('base64')}`)
    .join('\n');

const rejection = (promise: Promise<unknown>) =>
  promise.then(
    () => {
      throw new Error('it was accepted');
    },
    (error) => error as { code: string; message: string; cause?: unknown },
  );

describe.each(ENGINES)('an environment in TypeScript on %s', (engine) => {
  it('leaves the same state however the work is cut, and whatever looks on, bit for bit', async () => {
    const [whole, pieces] = [create(point, { engine }), create(point, { engine })];
    const all = await whole.advance(iterations(120));
    const episodes = [];
    for (let i = 0; i < 120; i += 1) {
      const done = await pieces.advance(iterations(1));
      episodes.push(...done.episodes);
      if (i % 50 === 0) pieces.metrics();
      if (i % 50 === 1) await pieces.evaluate({ episodes: 1 });
      expect(done).toMatchObject({ iterations: 1, steps: i + 1 });
    }
    expect(all).toMatchObject({ iterations: 120, steps: 120, updates: 91, unstableResets: 0 });
    expect(all.episodes).toEqual(episodes);
    expect(episodes[0]).toMatchObject({ step: 20, length: 20 });
    expect(bits(pieces)).toBe(bits(whole));
    await whole.evaluate({ episodes: 1, seed: 3 });
    await pieces.evaluate({ episodes: 1, seed: 3 });
    expect(pieces.metrics()).toEqual(whole.metrics());
    expect(await whole.measure()).toEqual(whole.metrics());
  });

  it('repeats itself from the same seed and differs from another', async () => {
    const sessions = [
      create(point, { engine }),
      create(point, { engine }),
      create(point, { engine, seed: 8 }),
    ];
    for (const session of sessions) await session.advance(iterations(60));
    const [one, again, other] = sessions.map(bits);
    expect(again).toBe(one);
    expect(other).not.toBe(one);
    const [a, b] = [await sessions[0]?.evaluate(), await sessions[1]?.evaluate()];
    expect(a).toEqual(b);
    expect(a?.lengths).toEqual(Array(10).fill(20));
  });

  it.each(['virel', 'beta', 'sac', 'sac-twin', 'ddpg', 'mpo'])(
    'trains %s, and its saved policy acts without the environment as the session did',
    async (algorithm) => {
      const session = create(point, {
        engine,
        algorithm,
        network: { hidden: [16, 12], policyHidden: null },
        eStep: { samples: 4 },
        collect: { startUpdates: 30, uniformSteps: 10 },
      });
      const { updates } = await session.advance(iterations(50));
      expect(updates).toBe(21);
      const file = join(folder, `${engine}-${algorithm}.safetensors`);
      await session.saveParameters(file);
      const policy = Policy.load(file, 'point', { external: externalOf(point) });
      try {
        const options = { episodes: 3, seed: 5 };
        const own = await session.evaluate(options);
        const saved = { ...options, maxEpisodeSteps: 20, environment: point };
        const again = await policy.evaluate(saved);
        expect(again.lengths).toEqual(own.lengths);
        if (engine === 'kernel') expect(again.returns).toEqual(own.returns);
        again.returns.forEach((value, i) => {
          // libtorch sums in another order: float32 rounding over 20 steps of size 1
          expect(Math.abs(value - (own.returns[i] as number))).toBeLessThan(1e-4);
        });
        const [action] = policy.act([0.5, 0.25]);
        expect(Math.abs(action as number)).toBeLessThanOrEqual(1);
      } finally {
        policy.dispose();
      }
    },
  );
});

describe('actions', () => {
  it('lie within the bounds, in the units of the environment, and are its own to change', async () => {
    const seen: number[][] = [];
    const wide = defineEnvironment({
      ...facts,
      id: 'wide',
      actionSize: 2,
      actionLow: [10, -4],
      actionHigh: [20, -3],
      create: () => ({
        reset: () => [0, 0],
        step(action) {
          seen.push([...action]);
          action.fill(Number.NaN);
          return { observation: [0, 0], reward: 1, terminated: false };
        },
      }),
    });
    const session = create(wide, { collect: { startUpdates: 30, uniformSteps: 40 } });
    await session.advance(iterations(60));
    await session.evaluate({ episodes: 1 });
    expect(seen).toHaveLength(80);
    for (const [first = 0, second = 0] of seen) {
      expect(first >= 10 && first <= 20 && second >= -4 && second <= -3).toBe(true);
    }
    // ten steps would hardly lie in one half by chance
    expect(new Set(seen.slice(0, 40).map(([first = 0]) => first > 15)).size).toBe(2);
  });
});

describe('episodes', () => {
  it('that never end are truncated at their limit, in training and in evaluation', async () => {
    const endless = defineEnvironment({
      observationSize: 1,
      actionSize: 1,
      maxEpisodeSteps: 7,
      create: () => ({
        reset: () => [0],
        step: () => ({ observation: [0], reward: 1, terminated: false }),
      }),
    });
    const session = create(endless);
    const { episodes } = await session.advance(iterations(20));
    expect(episodes.map(({ step, length }) => [step, length])).toEqual([
      [7, 7],
      [14, 7],
    ]);
    // whole episodes until more than 14 steps
    expect(await session.evaluate({ minSteps: 14 })).toMatchObject({ lengths: [7, 7, 7] });
  });

  it('end where the task says so, and begin anew', async () => {
    let resets = 0;
    const short = defineEnvironment({
      observationSize: 1,
      actionSize: 1,
      create() {
        let left = 0;
        return {
          reset() {
            resets += 1;
            left = 3;
            return [left];
          },
          step() {
            left -= 1;
            return { observation: [left], reward: 2, terminated: left === 0 };
          },
        };
      },
    });
    const session = create(short);
    expect(resets).toBe(1);
    const { episodes } = await session.advance(iterations(7));
    expect(episodes.map((episode) => episode.return)).toEqual([6, 6]);
    expect(resets).toBe(3);
  });

  it("a config's limit stands over the definition's, the definition's over a preset's", async () => {
    const long = defineEnvironment({ ...point, maxEpisodeSteps: 1500 });
    expect(create(long).config.env).toMatchObject({ id: 'point', maxEpisodeSteps: 1500 });
    const asked = Session.open(
      { ...create(point).config, env: { ...create(point).config.env, maxEpisodeSteps: 5 } },
      point,
    );
    open.push(asked);
    expect((await asked.advance(iterations(5))).episodes).toMatchObject([{ length: 5 }]);
    expect((await asked.evaluate({ episodes: 1 })).lengths).toEqual([5]);
  });
});

describe('evaluation', () => {
  it('has a state of its own where the environment has create', async () => {
    const [watched, alone] = [create(point), create(point)];
    for (const [i, session] of [watched, alone].entries()) {
      await session.advance(iterations(10));
      if (i === 0) await session.evaluate({ episodes: 2 });
    }
    const [a, b] = [await watched.advance(iterations(50)), await alone.advance(iterations(50))];
    expect(a).toEqual(b);
  });

  it('begins a new training episode where one state serves all', async () => {
    const session = create(sharedPoint());
    await session.advance(iterations(10));
    await session.evaluate({ episodes: 1 });
    const { episodes, steps } = await session.advance(iterations(25));
    expect(steps).toBe(35);
    // 10 steps before the evaluation, then an episode of 20 from its start
    expect(episodes).toMatchObject([{ step: 30, length: 20 }]);
  });

  it('repeats itself with a seed, and follows from the steps without one', async () => {
    const session = create(point);
    const first = await session.evaluate({ episodes: 2, seed: 1 });
    const own = await session.evaluate({ episodes: 2 });
    await session.advance(iterations(3));
    expect(await session.evaluate({ episodes: 2, seed: 1 })).toEqual(first);
    expect((await session.evaluate({ episodes: 2 })).returns).not.toEqual(own.returns);
  });

  it('refuses wrong counts as the native one does', async () => {
    const session = create(point);
    for (const options of [{ episodes: 0 }, { episodes: 1, minSteps: 1 }]) {
      expect((await rejection(session.evaluate(options))).code).toBe('CONFIG_RANGE');
    }
  });
});

describe('an environment that fails while training', () => {
  const AT = 45;
  it.each<[string, string, string, () => unknown]>([
    ['throws', 'ENV_FAILED', 'step() threw', () => JSON.parse('{')],
    ['an observation of NaN', 'ENV_INVALID', 'observation[1]', () => ({ observation: [0, NaN] })],
    ['a reward of NaN', 'ENV_INVALID', 'reward', () => ({ reward: NaN })],
    ['a wrong length', 'ENV_INVALID', 'got 3 values', () => ({ observation: [0, 0, 0] })],
    ['a wrong type', 'ENV_INVALID', 'terminated', () => ({ terminated: 'no' })],
  ])('%s: %s', async (_, code, words, misbehave) => {
    const session = create(misbehaving(AT, misbehave));
    const error = await rejection(session.advance(iterations(100)));
    expect(error.code).toBe(code);
    expect(error.message).toContain(words);
    // episodes last 20 steps
    expect(error.message).toContain('at step 5 of episode 3 of training');
    // the episodes before it are told once, here or by the next call
    const { steps, episodes } = session.progress();
    expect([steps, episodes.map(({ step }) => step)]).toEqual([AT - 1, [20, 40]]);
    // what was stored before stays, nothing of the failed step is, and a script may go on
    const after = await session.advance(iterations(1));
    expect(after).toMatchObject({ steps: AT, episodes: [] });
  });

  it('in an evaluation is named so, and training goes on', async () => {
    const session = create(misbehaving(AT, () => ({ reward: '1' })));
    const error = await rejection(session.evaluate({ episodes: 10 }));
    expect(error.message).toContain('at step 5 of episode 3 of evaluation');
    expect((await session.advance(iterations(10))).steps).toBe(10);
  });

  it('a promise', async () => {
    const late = defineEnvironment({
      ...facts,
      create: () => ({ reset: () => [0, 0], step: (async () => ({})) as never }),
    });
    const error = await rejection(create(late).advance(iterations(1)));
    expect(error).toMatchObject({ code: 'ENV_INVALID', got: 'a promise' });
  });

  it('a first reset that fails creates no session', () => {
    const broken = defineEnvironment({
      ...facts,
      create: () => ({ reset: () => [0], step: () => ({}) as never }),
    });
    expect(() => create(broken)).toThrow(expect.objectContaining({ code: 'ENV_INVALID' }));
  });
});

/** What every call of a session answers; each is to refuse. */
function refusals(session: Session): Promise<{ code: string; message: string }[]> {
  const batch = {
    observations: new Float32Array(32),
    actions: new Float32Array(16),
    rewards: new Float32Array(16),
    nextObservations: new Float32Array(32),
    terminated: new Float32Array(16),
  };
  const noise = new Float32Array(16);
  const calls: (() => unknown)[] = [
    () => session.measure(),
    () => session.saveParameters(join(folder, 'never.safetensors')),
    () => session.advance(iterations(1)),
    () => session.evaluate({ episodes: 1 }),
    () => session.metrics(),
    () => session.progress(),
    () => session.parameters(),
    () => session.setParameters({}),
    () => session.gradients(batch, noise),
    () => session.update(batch, noise),
    () => session.actionValue(new Float32Array(2), new Float32Array(1)),
  ];
  return Promise.all(calls.map((call) => rejection((async () => call())())));
}

const busyWith = (call: string) =>
  expect.objectContaining({ code: 'HANDLE_BUSY', message: `session is busy with ${call}` });

describe('two calls and stops', () => {
  it('a second call while one runs is refused, and the first goes on', async () => {
    const session = create(point);
    const running = session.advance(iterations(200));
    for (const refused of await refusals(session)) expect(refused).toEqual(busyWith('advance'));
    expect(await running).toMatchObject({ iterations: 200, steps: 200 });
    const undisturbed = create(point);
    await undisturbed.advance(iterations(200));
    expect(bits(session)).toBe(bits(undisturbed));

    const evaluating = session.evaluate({ episodes: 20 });
    for (const refused of await refusals(session)) expect(refused).toEqual(busyWith('evaluate'));
    expect((await evaluating).lengths).toHaveLength(20);
  });

  it('a call that is busy on the native side is not disturbed by one that would step', async () => {
    let resets = 0;
    const { reset, step } = sharedPoint() as unknown as Dynamics;
    const session = create(
      defineEnvironment({
        ...facts,
        reset(random) {
          resets += 1;
          return reset(random);
        },
        step,
      }),
    );
    await session.advance(iterations(40));
    const [begun, running] = [resets, session.measure()];
    expect(await rejection(session.evaluate())).toEqual(busyWith('measure'));
    expect(resets).toBe(begun);
    expect(await running).toEqual(session.metrics());
  });

  it('a call that the environment itself makes is refused', async () => {
    const session: Session = create(misbehaving(5, () => session.parameters()));
    const error = await rejection(session.advance(iterations(10)));
    expect(error).toMatchObject({ code: 'ENV_FAILED', cause: busyWith('advance') });
  });

  it('dispose ends a running call, and every other is refused as closed at once', async () => {
    const session = create(point);
    const ended = rejection(session.advance(iterations(1e6)));
    session.dispose();
    const closed = expect.objectContaining({ code: 'HANDLE_CLOSED' });
    for (const refused of await refusals(session)) expect(refused).toEqual(closed);
    expect(await ended).toEqual(closed);
  });

  it.each<[string, Plan]>([
    ['environment steps', iterations(1, [{ collect: 1e8 }])],
    ['iterations', iterations(1e8)],
    ['gradient steps', iterations(1, [{ collect: 40 }, { update: { mSteps: 1e8, eSteps: 1e8 } }])],
  ])('an abort ends %s within a step; the session goes on', async (_, plan) => {
    const session = create(point);
    const control = new AbortController();
    let ticks = 0;
    const clock = setInterval(() => {
      ticks += 1;
    }, 5);
    const running = session.advance(plan, { signal: control.signal });
    setTimeout(() => control.abort(), 150);
    const from = performance.now();
    const stopped = await running;
    clearInterval(clock);
    expect(performance.now() - from).toBeLessThan(1500);
    // the event loop was served meanwhile: a tick every 5 ms, some of them late
    expect(ticks).toBeGreaterThan(5);
    expect(stopped.steps).toBeGreaterThan(0);
    const next = await session.advance(iterations(1));
    expect(next.steps).toBe(stopped.steps + 1);
    expect((await rejection(session.advance(plan, { signal: control.signal }))).code).toBe(
      'ABORTED',
    );
  });

  it('an abort ends an evaluation', async () => {
    const session = create(point);
    const control = new AbortController();
    const running = session.evaluate({ episodes: 1e6, signal: control.signal });
    setTimeout(() => control.abort(), 50);
    expect((await rejection(running)).code).toBe('ABORTED');
  });

  it('a wrong plan is refused before anything is done', async () => {
    const session = create(point);
    const wrong = [{ collect: 1 }, { converge: { part: 'q', tolerance: 1, maxSteps: 1 } }];
    expect((await rejection(session.advance(iterations(1, wrong as never)))).code).toBe(
      'CONFIG_RANGE',
    );
    expect((await session.advance(iterations(1))).steps).toBe(1);
  });

  it('after dispose every call is refused', async () => {
    const session = create(point);
    session.dispose();
    expect((await rejection(session.advance(iterations(1)))).code).toBe('HANDLE_CLOSED');
  });
});

describe('a saved policy', () => {
  it('is evaluated on its environment only', async () => {
    const session = create(point);
    const file = join(folder, 'policy.safetensors');
    await session.saveParameters(file);
    const policy = Policy.load(file, 'point', { external: externalOf(point) });
    const options = { episodes: 1, seed: 0, maxEpisodeSteps: 20 };
    expect((await rejection(policy.evaluate(options))).code).toBe('ENV_MISSING');
    const other = defineEnvironment({
      ...(point as unknown as EnvironmentDefinition),
      actionHigh: 2,
    });
    expect((await rejection(policy.evaluate({ ...options, environment: other }))).code).toBe(
      'ENV_INVALID',
    );
    for (const name of ['episodes', 'maxEpisodeSteps']) {
      const none = { ...options, environment: point, [name]: 0 };
      expect(await rejection(policy.evaluate(none))).toMatchObject({
        code: 'CONFIG_RANGE',
        message: `${name}: expected a whole number, at least 1, got 0`,
      });
    }
    policy.dispose();
    const bigger = { ...externalOf(point), observationSize: 3 };
    expect(() => Policy.load(file, 'point', { external: bigger })).toThrow(
      expect.objectContaining({ code: 'PARAMETER_SHAPE' }),
    );
  });
});

describe('schedules', () => {
  it('complete and incremental EM run as on a task', async () => {
    const complete = create(point, { collect: { startUpdates: 20 } });
    const done = await complete.advance(
      iterations(2, [
        { collect: 30 },
        { converge: { part: 'm', tolerance: 1e-9, maxSteps: 5 } },
        { converge: { part: 'e', tolerance: 1e-9, maxSteps: 4 } },
      ]),
    );
    expect(done).toMatchObject({ iterations: 2, steps: 60, updates: 18 });
    const floored = create(point, { algorithm: 'beta', residual: { batch: 16 } });
    await floored.advance({ ...iterations(60), residualFloor: 0.5 });
    expect(floored.metrics()['schedule/residual_floor']).toBe(0.5);
  });
});
