/** `VectorEnvironment` from JavaScript; what it computes is held to single environments in Rust, too. */
import { afterEach, describe, expect, it } from '@jest/globals';
import { Environment } from '../../src/native/environment.js';
import {
  VectorEnvironment,
  type VectorEnvironmentOptions,
} from '../../src/native/vector-environment.js';

const open: { dispose(): void }[] = [];
function create(size: number, options: VectorEnvironmentOptions = {}): VectorEnvironment {
  const environment = VectorEnvironment.create('HalfCheetah-v5', size, options);
  open.push(environment);
  return environment;
}
afterEach(() => {
  for (const environment of open.splice(0)) environment.dispose();
});

/** Row `e` of a batch of `count` rows. */
function row(batch: Float64Array, e: number, count: number): number[] {
  const width = batch.length / count;
  return [...batch.subarray(e * width, (e + 1) * width)];
}

describe('VectorEnvironment', () => {
  it('steps every environment as it steps alone, reset by the seed + its index', () => {
    const all = create(3, { threads: 2, forwardRewardWeight: 2 });
    const single = Environment.create('HalfCheetah-v5', { forwardRewardWeight: 2 });
    open.push(single);
    const { actionSize, observationSize } = all;
    expect([all.count, all.autoreset, observationSize, actionSize]).toEqual([
      3,
      'NEXT_STEP',
      17,
      6,
    ]);
    expect([...all.actionLow, ...all.actionHigh]).toEqual([
      ...single.actionLow,
      ...single.actionHigh,
    ]);
    const first = all.reset(5);
    const actions = Float32Array.from({ length: 3 * 6 }, (_, i) => Math.sin(i));
    const step = all.step(actions);
    for (let e = 0; e < 3; e += 1) {
      expect(row(first, e, 3)).toEqual([...single.reset(5 + e)]);
      const alone = single.step(actions.subarray(6 * e, 6 * e + 6));
      expect(row(step.observations, e, 3)).toEqual([...alone.observation]);
      expect(step.rewards[e]).toBe(alone.reward);
      const info = Object.entries(step.info).map(([name, values]) => [name, values[e]]);
      expect(Object.fromEntries(info)).toEqual(alone.info);
    }
    expect([...step.terminated, ...step.truncated, ...step.unstable]).toEqual(Array(9).fill(0));
    expect(step.finalObservations).toEqual(step.observations);
  });

  it('keeps the true final observation in every mode', () => {
    const actions = new Float64Array(12).fill(0.3);
    const ends = (autoreset: 'NEXT_STEP' | 'SAME_STEP' | 'DISABLED') => {
      const all = create(2, { autoreset, maxEpisodeSteps: 2 });
      const first = all.reset(1);
      all.step(actions);
      const last = all.step(actions);
      expect([...last.truncated]).toEqual([1, 1]);
      return { all, first, last };
    };
    const next = ends('NEXT_STEP');
    const same = ends('SAME_STEP');
    const disabled = ends('DISABLED');
    for (const { last } of [same, disabled])
      expect(last.finalObservations).toEqual(next.last.finalObservations);
    expect(next.last.observations).toEqual(next.last.finalObservations);
    expect(disabled.last.observations).toEqual(disabled.last.finalObservations);

    // the first observation of the next episodes, one step apart
    const after = next.all.step(actions);
    expect(same.last.observations).toEqual(after.observations);
    expect([...after.rewards, ...after.truncated]).toEqual([0, 0, 0, 0]);
    const parts = Object.values(after.info).flatMap((values) => [...values]);
    expect(parts.every((value) => value === 0)).toBe(true);

    expect(() => disabled.all.step(actions)).toThrow(
      expect.objectContaining({ code: 'RESET_NEEDED', fix: expect.stringContaining('reset') }),
    );
    const part = disabled.all.reset(undefined, [false, true]);
    expect(row(part, 0, 2)).toEqual(row(disabled.last.observations, 0, 2));
    expect(row(part, 1, 2)).toEqual(row(after.observations, 1, 2));
    expect(() => disabled.all.step(actions)).toThrow(
      expect.objectContaining({ message: expect.stringContaining('environment 0') }),
    );
  });

  it.each([
    ['no environment', () => create(0), 'CONFIG_RANGE'],
    ['half an environment', () => create(1.5), 'ARGUMENT_TYPE'],
    ['more than memory holds', () => create(2 ** 40), 'OUT_OF_MEMORY'],
    ['no thread', () => create(1, { threads: 0 }), 'CONFIG_RANGE'],
    ['an unknown mode', () => create(1, { autoreset: 'LATER' as never }), 'CONFIG_RANGE'],
    ['an option of another task', () => create(1, { healthyReward: 1 }), 'CONFIG_UNKNOWN_KEY'],
    ['a step before a reset', () => create(1).step(new Float64Array(6)), 'RESET_NEEDED'],
    ['a mask of another length', () => create(2).reset(0, [true]), 'LENGTH_MISMATCH'],
    ['a mask that is none', () => create(2).reset(0, 1 as never), 'ARGUMENT_TYPE'],
    ['half a yes', () => create(2).reset(0, [0.5, 1]), 'ARGUMENT_TYPE'],
    ['a yes in words', () => create(2).reset(0, ['true', 'false'] as never), 'ARGUMENT_TYPE'],
  ])('%s is refused', (_, work, code) => {
    expect(work).toThrow(expect.objectContaining({ code }));
  });

  it('is closed by dispose', () => {
    const all = create(1);
    all.dispose();
    all.dispose();
    expect(() => all.reset()).toThrow(expect.objectContaining({ code: 'HANDLE_CLOSED' }));
  });
});
