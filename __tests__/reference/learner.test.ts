import { describe, expect, it } from '@jest/globals';
import type { Batch } from '../../src/engine.js';
import { createLearner } from '../../src/reference/index.js';
import { drawOf, drawStep } from '../support/cases.js';
import { configOf, PAPER } from '../support/variants.js';

const task = { observationSize: 3, actionSize: 2 };
const config = {
  ...PAPER,
  network: { ...PAPER.network, hidden: [4, 5], policyHidden: [4, 5] },
};
const rows = 3;
const { batch, noise } = drawStep({ task, config, rows }, drawOf(1));
const code = (expected: string, where: string) =>
  expect.objectContaining({ code: expected, where });

describe('parameters of the reference', () => {
  it('have the names and shapes of safetensors files', () => {
    const shapes = Object.entries(createLearner(task, config).parameters()).map(
      ([name, { shape, data }]) => {
        expect(data).toHaveLength(shape.reduce((product, extent) => product * extent, 1));
        return `${name} ${shape.join('x')}`;
      },
    );
    expect(shapes).toEqual([
      'policy.trunk.0.weight 4x3',
      'policy.trunk.0.bias 4',
      'policy.trunk.1.weight 5x4',
      'policy.trunk.1.bias 5',
      'policy.mean.weight 2x5',
      'policy.mean.bias 2',
      'policy.logStd.weight 2x5',
      'policy.logStd.bias 2',
      'actionValue.0.trunk.0.weight 4x5',
      'actionValue.0.trunk.0.bias 4',
      'actionValue.0.trunk.1.weight 5x4',
      'actionValue.0.trunk.1.bias 5',
      'actionValue.0.value.weight 1x5',
      'actionValue.0.value.bias 1',
      'stateValue.trunk.0.weight 4x3',
      'stateValue.trunk.0.bias 4',
      'stateValue.trunk.1.weight 5x4',
      'stateValue.trunk.1.bias 5',
      'stateValue.value.weight 1x5',
      'stateValue.value.bias 1',
      'target.stateValue.trunk.0.weight 4x3',
      'target.stateValue.trunk.0.bias 4',
      'target.stateValue.trunk.1.weight 5x4',
      'target.stateValue.trunk.1.bias 5',
      'target.stateValue.value.weight 1x5',
      'target.stateValue.value.bias 1',
    ]);
  });

  it('are copies', () => {
    const learner = createLearner(task, config);
    learner.parameters()['policy.mean.bias']?.data.fill(9);
    expect(learner.parameters()['policy.mean.bias']?.data).not.toContain(9);
  });

  it('are set by name, the others stay', () => {
    const learner = createLearner(task, config);
    const before = learner.parameters();
    learner.setParameters({ 'policy.mean.bias': { shape: [2], data: Float32Array.of(1, 2) } });
    const after = learner.parameters();
    expect(after['policy.mean.bias']?.data).toEqual(Float64Array.of(1, 2));
    expect(after['policy.logStd.bias']).toEqual(before['policy.logStd.bias']);
  });

  it.each([
    ['an unknown name', 'policy.nothing', [2], 2, 'PARAMETER_SHAPE'],
    ['another shape', 'policy.trunk.0.weight', [3, 4], 12, 'PARAMETER_SHAPE'],
    ['too few values', 'policy.trunk.0.weight', [4, 3], 11, 'PARAMETER_SHAPE'],
    ['no shape', 'policy.mean.bias', undefined, 2, 'PARAMETER_SHAPE'],
  ])('with %s are refused, before any is set', (_, name, shape, length, expected) => {
    const learner = createLearner(task, config);
    const before = learner.parameters();
    const good = { shape: [5], data: new Float64Array(5).fill(7) };
    const bad = { shape: shape as number[], data: new Float64Array(length) };
    expect(() => learner.setParameters({ 'policy.trunk.1.bias': good, [name]: bad })).toThrow(
      code(expected, name),
    );
    expect(learner.parameters()).toEqual(before);
  });

  it('with NaN are refused', () => {
    const learner = createLearner(task, config);
    const data = Float64Array.of(0, Number.NaN);
    expect(() => learner.setParameters({ 'policy.mean.bias': { shape: [2], data } })).toThrow(
      code('NOT_FINITE', 'policy.mean.bias[1]'),
    );
  });
});

describe('inputs of the reference', () => {
  const learner = createLearner(task, config);

  it.each(['observations', 'actions', 'nextObservations', 'terminated'] as const)(
    'name %s when its length is wrong',
    (name) => {
      for (const wrong of [batch[name].subarray(1), Float32Array.of(...batch[name], 0)]) {
        const given: Batch = { ...batch, [name]: wrong };
        expect(() => learner.gradients(given, noise)).toThrow(code('LENGTH_MISMATCH', name));
      }
    },
  );

  it('need at least one row', () => {
    const empty = new Float32Array(0);
    const given: Batch = {
      observations: empty,
      actions: empty,
      rewards: empty,
      nextObservations: empty,
      terminated: empty,
    };
    expect(() => learner.update(given, empty)).toThrow(code('LENGTH_MISMATCH', 'rewards'));
  });

  it('need one noise value per row and action dimension', () => {
    expect(() => learner.gradients(batch, noise.subarray(1))).toThrow(
      code('LENGTH_MISMATCH', 'noise'),
    );
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    'refuse %d and say where it is',
    (value) => {
      const rewards = Float32Array.from(batch.rewards);
      rewards[2] = value;
      expect(() => learner.gradients({ ...batch, rewards }, noise)).toThrow(
        code('NOT_FINITE', 'rewards[2]'),
      );
    },
  );

  it.each([[[1, 2, 3]], [undefined], [new Int32Array(3)]])(
    'refuse what is no float array',
    (given) => {
      const rewards = given as unknown as Float32Array;
      expect(() => learner.gradients({ ...batch, rewards }, noise)).toThrow(
        code('ARGUMENT_TYPE', 'rewards'),
      );
    },
  );
});

describe('actions of the reference', () => {
  const learner = createLearner(task, config);
  const observations = batch.observations;

  it('are tanh of the mean without noise, and of mean plus deviation times noise with it', () => {
    const still = learner.act(observations);
    expect(still).toEqual(learner.act(observations, new Float64Array(rows * 2)));
    const moved = learner.act(observations, noise);
    expect(moved).toHaveLength(rows * 2);
    // a fresh policy has log σ near 0: u moves by about the noise itself
    moved.forEach((action, i) => {
      const u = Math.atanh(action) - Math.atanh(still[i] as number);
      expect(Math.abs(u - (noise[i] as number))).toBeLessThan(0.02 * Math.abs(noise[i] as number));
    });
  });

  it('of a deterministic policy take no noise', () => {
    const widths = { hidden: [4, 5] };
    const deterministic = createLearner(task, configOf('ddpg', widths));
    const still = deterministic.act(observations);
    expect(deterministic.act(observations, new Float64Array(0))).toEqual(still);
    expect(() => deterministic.act(observations, noise)).toThrow(code('LENGTH_MISMATCH', 'noise'));
  });

  it('need whole observations', () => {
    expect(() => learner.act(observations.subarray(1))).toThrow(
      code('LENGTH_MISMATCH', 'observations'),
    );
    expect(() => learner.act(new Float64Array(0))).toThrow(code('LENGTH_MISMATCH', 'observations'));
  });
});
