import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from '@jest/globals';
import { TASKS } from '../../src/environments/tasks.js';
import { loadAddon } from '../../src/native/addon.js';
import { Environment, type EnvironmentOptions } from '../../src/native/environment.js';
import { largestError, type Rollouts, TOLERANCE } from '../environments/rollout.js';

const fixture = JSON.parse(
  readFileSync(new URL('../fixtures/environments/rollouts.json', import.meta.url), 'utf8'),
) as Rollouts;

const open: Environment[] = [];
function create(id: string, options: EnvironmentOptions = {}): Environment {
  const environment = Environment.create(id, options);
  open.push(environment);
  return environment;
}
/** The small models of ours for the tasks without one. */
function ownModel(id: string): EnvironmentOptions {
  if (!id.endsWith('-rllab')) return {};
  return {
    modelFile: fileURLToPath(new URL(`../fixtures/environments/${id}.xml`, import.meta.url)),
  };
}
afterEach(() => {
  for (const environment of open.splice(0)) environment.dispose();
});

describe("Environment against Gymnasium's rollouts", () => {
  it.each(Object.entries(fixture.envs))('%s agrees on every step', (_, entry) => {
    expect(largestError(entry)).toBeLessThanOrEqual(TOLERANCE);
  });
});

describe('Environment', () => {
  it('has the sizes and bounds that the table of tasks states', () => {
    for (const task of TASKS) {
      const environment = create(task.id, ownModel(task.id));
      expect(environment.observationSize).toBe(task.observationSize);
      expect(environment.actionSize).toBe(task.actionSize);
      expect([...environment.actionLow]).toEqual([...task.actionLow]);
      expect([...environment.actionHigh]).toEqual([...task.actionHigh]);
    }
    expect(loadAddon().listEnvironments()).toEqual(
      TASKS.map(
        ({ modelFile, modelSha256, modelNeeded, summary, versions, randomReturn, ...spec }) =>
          expect.objectContaining({
            spec,
            modelFile,
            modelSha256,
            modelNeeded,
            summary,
            versions,
            randomReturn,
          }),
      ),
    );
  });

  it('draws its reset noise from the seed, and goes on without one', () => {
    const [one, two] = [create('Hopper-v5'), create('Hopper-v5')];
    expect([...one.reset(3)]).toEqual([...two.reset(3)]);
    const next = [...one.reset()];
    expect(next).toEqual([...two.reset()]);
    expect(next).not.toEqual([...one.reset(3)]);
  });

  it('truncates at the time limit, which counts from reset and from setState', () => {
    const environment = create('HalfCheetah-v5');
    environment.reset(0);
    const action = new Float32Array(6);
    for (let t = 1; t < 1000; t += 1) expect(environment.step(action).truncated).toBe(false);
    expect(environment.step(action)).toMatchObject({ truncated: true, terminated: false });
    environment.setState(environment.qpos, environment.qvel);
    expect(environment.step(action).truncated).toBe(false);
  });

  it('reports the parts of the reward in info', () => {
    const environment = create('HalfCheetah-v5');
    environment.reset(0);
    const { reward, info } = environment.step([1, -1, 0.5, 0, 0, 0]);
    const { reward_forward: forward = NaN, reward_ctrl: control = NaN } = info;
    expect(forward + control).toBeCloseTo(reward, 12);
    expect(control).toBeCloseTo(-0.1 * 2.25, 12);
  });

  it.each([
    ['an unknown id', () => Environment.create('Hoper-v5'), 'ENV_UNKNOWN'],
    ['a v2 id', () => Environment.create('Hopper-v2'), 'ENV_UNKNOWN'],
    [
      'no model folder',
      () => Environment.create('Hopper-v5', { modelDir: '/no' }),
      'MODEL_MISSING',
    ],
    [
      'a time limit of zero',
      () => Environment.create('Hopper-v5', { maxEpisodeSteps: 0 }),
      'CONFIG_RANGE',
    ],
    [
      'options that are null',
      () => Environment.create('Hopper-v5', null as never),
      'ARGUMENT_TYPE',
    ],
    [
      'a model folder that is no text',
      () => Environment.create('Hopper-v5', { modelDir: 5 as never }),
      'ARGUMENT_TYPE',
    ],
    [
      'an option of another task',
      () => Environment.create('Reacher-v5', { healthyReward: 1 }),
      'CONFIG_UNKNOWN_KEY',
    ],
    [
      'an option of another type',
      () => Environment.create('Ant-v4', { useContactForces: 1 as never }),
      'CONFIG_TYPE',
    ],
    [
      'a weight that is not finite',
      () => Environment.create('Ant-v4', { ctrlCostWeight: NaN }),
      'CONFIG_RANGE',
    ],
    [
      'an interval the wrong way round',
      () => Environment.create('Ant-v4', { healthyZRange: [1, 0.2] }),
      'CONFIG_RANGE',
    ],
    ['a frame skip of zero', () => Environment.create('Ant-v5', { frameSkip: 0 }), 'CONFIG_RANGE'],
    ['a task without its model', () => Environment.create('humanoid-rllab'), 'MODEL_MISSING'],
    [
      'a model file that is not there',
      () => Environment.create('Ant-v5', { modelFile: '/no.xml' }),
      'MODEL_MISSING',
    ],
    [
      'a task file without a model file',
      () => Environment.create('mine', { taskFile: 'x.json' }),
      'CONFIG_CONFLICT',
    ],
    ['a negative seed', () => create('Hopper-v5').reset(-1), 'ARGUMENT_TYPE'],
    ['a seed that is no number', () => create('Hopper-v5').reset('x' as never), 'ARGUMENT_TYPE'],
    ['a short action', () => create('Hopper-v5').step([0, 0]), 'LENGTH_MISMATCH'],
    ['a long action', () => create('Hopper-v5').step(new Float32Array(4)), 'LENGTH_MISMATCH'],
    ['an action with NaN', () => create('Hopper-v5').step([0, NaN, 0]), 'NOT_FINITE'],
    ['an action that is no array', () => create('Hopper-v5').step(null as never), 'ARGUMENT_TYPE'],
    ['an action of strings', () => create('Hopper-v5').step(['a'] as never), 'ARGUMENT_TYPE'],
    ['a short state', () => create('Hopper-v5').setState([0], [0]), 'LENGTH_MISMATCH'],
    [
      'a state with an infinity',
      () => create('Hopper-v5').setState([Infinity, 0, 0, 0, 0, 0], new Array(6).fill(0)),
      'NOT_FINITE',
    ],
  ])('refuses %s', (_, call, code) => {
    expect(call).toThrow(expect.objectContaining({ code }));
  });

  it('names the part of a reward that is not finite, and goes on', () => {
    const environment = create('HalfCheetah-v5', { ctrlCostWeight: 1e308 });
    environment.reset(0);
    expect(() => environment.step(new Array(6).fill(1))).toThrow(
      expect.objectContaining({
        code: 'REWARD_NOT_FINITE',
        message: "the reward's part reward_ctrl is -inf",
      }),
    );
    expect(environment.step(new Array(6).fill(0)).reward).toBeLessThan(10);
  });

  it('is whole after a refusal', () => {
    const [refusing, other] = [create('Hopper-v5'), create('Hopper-v5')];
    const start = [...refusing.reset(5)];
    expect(() => refusing.setState([NaN, 0, 0, 0, 0, 0], new Array(6).fill(0))).toThrow();
    expect([...refusing.qpos].slice(1)).toEqual(start.slice(0, 5));
    expect([...other.reset(5)]).toEqual(start);
  });

  it('names itself when used after dispose, which may be called twice', () => {
    const environment = create('Hopper-v5');
    environment.dispose();
    environment.dispose();
    expect(() => environment.step([0, 0, 0])).toThrow(
      expect.objectContaining({
        code: 'HANDLE_CLOSED',
        message: expect.stringContaining('Hopper-v5'),
      }),
    );
    expect(() => environment.observationSize).toThrow(
      expect.objectContaining({ code: 'HANDLE_CLOSED' }),
    );
  });

  it('reports an unstable simulator and goes on after a reset', () => {
    const environment = create('HalfCheetah-v5');
    environment.setState(new Array(9).fill(0), new Array(9).fill(1e9));
    expect(() => {
      for (let t = 0; t < 10; t += 1) environment.step(new Array(6).fill(1));
    }).toThrow(expect.objectContaining({ code: 'SIM_UNSTABLE' }));
    environment.reset(0);
    expect(Number.isFinite(environment.step(new Array(6).fill(0)).reward)).toBe(true);
  });
});
