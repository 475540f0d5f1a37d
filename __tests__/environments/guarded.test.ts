/** Every answer of an environment is checked before it reaches a learner. */
import { describe, expect, it } from '@jest/globals';
import { type Dynamics, defineEnvironment } from '../../src/environments/define.js';
import { GuardedEnvironment } from '../../src/environments/guarded.js';
import { environmentRandom } from '../../src/environments/random.js';
import { sharedPoint } from './support.js';

const random = environmentRandom(0, 'reset');
const good = { observation: [1, 2], reward: 3, terminated: false };

/** One reset, then one step of an environment that answers so. */
function play(dynamics: { reset?: () => unknown; step?: () => unknown }) {
  const { reset = () => [0, 0], step = () => good } = dynamics;
  const environment = new GuardedEnvironment(
    defineEnvironment({
      id: 'bad',
      observationSize: 2,
      actionSize: 1,
      reset: reset as Dynamics['reset'],
      step: step as Dynamics['step'],
    }),
    'training',
  );
  environment.reset(random);
  return environment.step(Float64Array.of(0), random);
}

function failure(run: () => unknown) {
  try {
    run();
  } catch (error) {
    return error as { code: string; message: string; got: string; where: string; cause: unknown };
  }
  throw new Error('it was accepted');
}

describe('an answer', () => {
  it('is copied, of any array of numbers', () => {
    const own = Float32Array.of(0.5, 2);
    const { observation, truncated } = play({ step: () => ({ ...good, observation: own }) });
    own[0] = 7;
    expect(observation).toEqual(Float64Array.of(0.5, 2));
    expect(truncated).toBe(false);
  });

  it.each<[string, unknown, string]>([
    ['nothing', undefined, 'the answer of step'],
    ['a number', 1, 'the answer of step'],
    ['no observation', { ...good, observation: undefined }, 'observation of step'],
    ['text', { ...good, observation: 'ab' }, 'observation of step'],
    ['too few values', { ...good, observation: [1] }, 'got 1 values'],
    ['too many values', { ...good, observation: [1, 2, 3] }, 'got 3 values'],
    ['NaN', { ...good, observation: [1, Number.NaN] }, 'observation[1] of step'],
    ['infinity', { ...good, observation: [Infinity, 0] }, 'observation[0] of step'],
    ['what float32 cannot hold', { ...good, observation: [0, 1e39] }, 'got 1e+39'],
    ['a text among numbers', { ...good, observation: ['1', 2] }, 'observation[0] of step'],
    ['holes', { ...good, observation: new Array(2) }, 'observation[0] of step'],
    ['big integers', { ...good, observation: BigInt64Array.of(1n, 2n) }, 'observation[0] of step'],
    ['a reward of NaN', { ...good, reward: Number.NaN }, 'reward of step'],
    ['no reward', { observation: [1, 2], terminated: false }, 'got undefined'],
    ['a text as reward', { ...good, reward: '1' }, 'reward of step'],
    ['no end', { observation: [1, 2], reward: 0 }, 'terminated of step'],
    ['an end as a number', { ...good, terminated: 1 }, 'terminated of step'],
    ['a cut as a number', { ...good, truncated: 1 }, 'truncated of step'],
  ])('is refused: %s', (_, answer, words) => {
    const error = failure(() => play({ step: () => answer }));
    expect(error.code).toBe('ENV_INVALID');
    expect(error.message).toContain(words);
    expect(error.message).toContain('at step 1 of episode 1 of training');
  });

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['a wrong length', [1]],
    ['NaN', [Number.NaN, 0]],
  ])('of reset is refused: %s', (_, answer) => {
    const error = failure(() => play({ reset: () => answer }));
    expect(error).toMatchObject({ code: 'ENV_INVALID', where: 'reset() of environment bad' });
    expect(error.message).toContain('at the start of episode 1 of training');
  });

  it('may not be a promise, whose rejection then ends nothing', async () => {
    const rejected = async () => {
      throw new Error('later');
    };
    for (const call of ['reset', 'step']) {
      const error = failure(() => play({ [call]: rejected }));
      expect(error).toMatchObject({ code: 'ENV_INVALID', got: 'a promise' });
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  });
});

describe('an environment that throws', () => {
  it('is named with call, step, episode and place; what it threw is the cause', () => {
    const thrown = new RangeError('out of track');
    const error = failure(() =>
      play({
        step: () => {
          throw thrown;
        },
      }),
    );
    expect(error).toMatchObject({ code: 'ENV_FAILED', got: 'out of track' });
    expect(error.message).toBe(
      'environment bad: step() threw at step 1 of episode 1 of training: out of track',
    );
    expect(error.where).toMatch(/^step\(\) of environment bad, .*guarded\.test.*:\d+:\d+$/);
    expect(error.cause).toBe(thrown);
  });

  it.each([[undefined], [null], ['text'], [{ code: 7 }]])('%p is reported too', (thrown) => {
    const error = failure(() =>
      play({
        reset: () => {
          throw thrown;
        },
      }),
    );
    expect(error.code).toBe('ENV_FAILED');
  });
});

describe('create', () => {
  const facts = { observationSize: 1, actionSize: 1 };
  const using = (create: () => unknown) => () =>
    new GuardedEnvironment(defineEnvironment({ ...facts, create: create as never }), 'evaluation');

  it('must return reset and step', () => {
    for (const made of [undefined, {}, { reset: () => [0] }, { reset: 1, step: 2 }])
      expect(failure(using(() => made))).toMatchObject({
        code: 'ENV_INVALID',
        where: 'create() of environment custom',
      });
  });

  it('is reported where it throws', () => {
    const error = failure(
      using(() => {
        throw new Error('no file');
      }),
    );
    expect(error.message).toBe('environment custom: create() threw for evaluation: no file');
  });
});

describe('an environment with one state for all its uses', () => {
  it('is not stepped from a state that another use has reset, whatever it is called there', () => {
    const shared = sharedPoint();
    const renamed = defineEnvironment({ ...shared, id: 'renamed' });
    const [one, other] = [
      new GuardedEnvironment(shared, 'training'),
      new GuardedEnvironment(renamed, 'training'),
    ];
    one.reset(random);
    one.step(Float64Array.of(0), random);
    other.reset(random);
    expect(failure(() => one.step(Float64Array.of(0), random)).code).toBe('ENV_SHARED');
    other.step(Float64Array.of(0), random);
    one.reset(random);
    one.step(Float64Array.of(0), random);
  });
});
