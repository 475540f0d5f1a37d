import { describe, expect, it } from '@jest/globals';
import { parse, stringify } from 'yaml';
import { resolveConfig } from '../../src/config/resolve.js';
import { choicesOf, withOptions } from '../../src/environments/choices.js';
import { OPTION_KINDS, OPTIONS } from '../../src/environments/task-options.js';
import { TASKS } from '../../src/environments/tasks.js';
import { createLearner } from '../../src/reference.js';

const refusal = (env: object) => {
  try {
    resolveConfig({ env } as never);
  } catch (error) {
    return error as { code: string; message: string; expected: string; fix: string; where: string };
  }
  throw new Error('nothing was refused');
};

describe('options of a task in env', () => {
  it('are kept where they are given, and nowhere else', () => {
    const { env } = resolveConfig({ env: { id: 'Ant-v5', forwardRewardWeight: 2 } });
    expect(choicesOf(env)).toEqual({ forwardRewardWeight: 2 });
    expect(choicesOf(resolveConfig({ env: 'Ant-v5' }).env)).toEqual({});
    // null is as good as left out
    expect(
      choicesOf(resolveConfig({ env: { id: 'Ant-v5', frameSkip: null as never } }).env),
    ).toEqual({});
  });

  it('every default of every task is accepted', () => {
    for (const { id } of TASKS) {
      const defaults = OPTIONS[id]?.defaults ?? {};
      expect(choicesOf(resolveConfig({ env: { id, ...defaults } as never }).env)).toEqual(defaults);
    }
  });

  it('an open end of an interval may be infinite, and survives a file', () => {
    const config = resolveConfig({
      env: { id: 'Hopper-v5', healthyZRange: [0.9, Infinity], healthyAngleRange: [-Infinity, 0.1] },
    });
    expect(choicesOf(config.env)).toEqual({
      healthyZRange: [0.9, null],
      healthyAngleRange: [null, 0.1],
    });
    expect(resolveConfig(parse(stringify(config)))).toEqual(config);
    expect(resolveConfig(JSON.parse(JSON.stringify(config)))).toEqual(config);
  });

  it('one that the task lacks is answered with its own', () => {
    const error = refusal({ id: 'Swimmer-v5', healthyReward: 1 });
    expect(error.code).toBe('CONFIG_UNKNOWN_KEY');
    expect(error.message).toBe('Swimmer-v5 has no option env.healthyReward');
    expect(error.expected).toBe(Object.keys(OPTIONS['Swimmer-v5']?.defaults ?? {}).join(', '));
    expect(error.fix).toBe('npx virel-native envs Swimmer-v5');
    // a slip of the keyboard, too
    expect(refusal({ id: 'Swimmer-v5', frameSkipp: 1 }).fix).toBe('did you mean env.frameSkip?');
    expect(refusal({ id: 'Swimmer-v5', modelDirr: 'x' }).fix).toBe('did you mean env.modelDir?');
    // one that no task has
    expect(refusal({ id: 'Swimmer-v5', wings: 2 }).expected).toBe(error.expected);
    expect(refusal({ id: 'Reacher-v4', frameSkip: 2 }).expected).toBe('Reacher-v4 has no options');
  });

  it.each([
    ['a weight that is not finite', 'Ant-v5', 'ctrlCostWeight', NaN, 'CONFIG_RANGE'],
    ['an infinite weight', 'Ant-v5', 'ctrlCostWeight', Infinity, 'CONFIG_RANGE'],
    ['a weight in words', 'Ant-v5', 'ctrlCostWeight', 'much', 'CONFIG_TYPE'],
    ['negative noise', 'Ant-v5', 'resetNoiseScale', -0.1, 'CONFIG_RANGE'],
    ['noise beyond any start', 'Hopper-v5', 'resetNoiseScale', 1e39, 'CONFIG_RANGE'],
    ['half a physics step', 'Ant-v5', 'frameSkip', 1.5, 'CONFIG_RANGE'],
    ['no physics step', 'Ant-v5', 'frameSkip', 0, 'CONFIG_RANGE'],
    ['a flag that is a number', 'Ant-v4', 'useContactForces', 1, 'CONFIG_TYPE'],
    ['an empty interval', 'Ant-v5', 'healthyZRange', [1, 1], 'CONFIG_RANGE'],
    ['an interval of three', 'Ant-v5', 'healthyZRange', [0, 1, 2], 'CONFIG_RANGE'],
    ['an interval of words', 'Ant-v5', 'healthyZRange', ['low', 'high'], 'CONFIG_RANGE'],
    ['an interval that is a number', 'Ant-v5', 'healthyZRange', 1, 'CONFIG_TYPE'],
    ['a body without a name', 'Ant-v5', 'mainBody', '', 'CONFIG_RANGE'],
    ['a body by its number', 'Ant-v5', 'mainBody', 1, 'CONFIG_TYPE'],
  ])('refuses %s', (_, id, name, value, code) => {
    const error = refusal({ id, [name]: value });
    expect(error.code).toBe(code);
    expect(error.message).toContain(`env.${name}: expected `);
    expect(error.expected).toBe(OPTION_KINDS[name as keyof typeof OPTION_KINDS].expected);
    expect(error.fix).toMatch(new RegExp(`^--set env\\.${name}=`));
    expect(error.where).toBe('options');
  });

  it('their sizes are known without the native part', () => {
    const size = (id: string, options: object) => {
      const task = TASKS.find((each) => each.id === id);
      if (task === undefined) throw new Error(id);
      return withOptions(task, options).observationSize;
    };
    expect(size('Ant-v4', { useContactForces: true })).toBe(111);
    expect(size('Ant-v5', { includeCfrcExtInObservation: false })).toBe(27);
    expect(size('Humanoid-v5', { excludeCurrentPositionsFromObservation: false })).toBe(350);
    expect(size('Humanoid-v5', { excludeCurrentPositionsFromObservation: true })).toBe(348);
  });

  it('the reference learner has the sizes of the task with its options', () => {
    const learner = createLearner({ env: { id: 'Ant-v4', useContactForces: true } });
    const { shape } = learner.parameters()['policy.trunk.0.weight'] ?? {};
    expect(shape).toEqual([300, 111]);
    expect(() =>
      createLearner({
        env: {
          taskFile: 'examples/cart-pole.json',
          modelFile: 'examples/cart-pole.xml',
        },
      }),
    ).toThrow(expect.objectContaining({ code: 'CONFIG_CONFLICT' }));
  });

  it('a task file names its task, unless the id does', () => {
    const files = {
      taskFile: 'examples/cart-pole.json',
      modelFile: 'examples/cart-pole.xml',
    };
    expect(resolveConfig({ preset: 'modern', env: files }).env).toMatchObject({
      id: 'cart-pole',
      maxEpisodeSteps: 500,
    });
    expect(resolveConfig({ env: { id: 'mine', ...files } }).env.id).toBe('mine');
    expect(refusal({ taskFile: files.taskFile }).code).toBe('CONFIG_CONFLICT');
    // not even those of a built-in task of the same name
    expect(refusal({ id: 'Hopper-v5', ...files, frameSkip: 2 })).toMatchObject({
      code: 'CONFIG_UNKNOWN_KEY',
      expected: 'Hopper-v5 has no options',
    });
    expect(refusal({ ...files, taskFile: '/nowhere.json' })).toMatchObject({
      code: 'TASK_INVALID',
      message: '/nowhere.json:1: cannot be read',
    });
  });

  it('a file of the user is found from wherever the run is looked at', () => {
    const { env } = resolveConfig({ env: { id: 'Hopper-v5', modelFile: 'mine.xml' } });
    expect(env.modelFile).toBe(`${process.cwd()}/mine.xml`);
  });
});
