import { describe, expect, it } from '@jest/globals';
import type { Parameters } from '../../src/engine.js';
import { createLearner, type ReferenceConfig } from '../../src/reference/index.js';
import { initialiseStream } from '../../src/reference/random.js';
import { configOf, VARIANTS, type Variant } from '../support/variants.js';

const task = { observationSize: 5, actionSize: 3 };
const widths = { hidden: [40, 90], policyHidden: [30] };

function fresh(variant: Variant, network: Partial<ReferenceConfig['network']> = {}) {
  const config = configOf(variant, widths);
  const learner = createLearner(task, {
    ...config,
    seed: 4,
    network: { ...config.network, ...network },
  });
  return learner.parameters();
}

/** What a layer's weight and bias must fill: a bound of uniform draws, or one constant. */
interface Range {
  weight: number;
  bias: { bound: number } | { constant: number };
}

const schemes: Record<ReferenceConfig['network']['initialise'], (layer: Layer) => Range> = {
  rlkit: ({ name, outputs }) => {
    if (name.includes('.trunk.')) {
      return { weight: 1 / Math.sqrt(outputs), bias: { constant: 0.1 } };
    }
    const bound = name.startsWith('policy.') ? 1e-3 : 3e-3;
    return { weight: bound, bias: { bound } };
  },
  glorot: ({ name, inputs, outputs }) => {
    const width = name.startsWith('policy.') && !name.includes('.trunk.') ? 2 * outputs : outputs;
    return { weight: Math.sqrt(6 / (inputs + width)), bias: { constant: 0 } };
  },
  fanIn: ({ inputs }) => {
    const bound = 1 / Math.sqrt(inputs);
    return { weight: bound, bias: { bound } };
  },
};

interface Layer {
  name: string;
  inputs: number;
  outputs: number;
}

/** That draws fill ±bound: all of n lie below 0.8 of it with probability 0.8^n, below 1e-7 from n = 80 on. */
function expectFilled(data: Float64Array, bound: number) {
  const largest = Math.max(...data.map(Math.abs));
  // 1 + 2^-24: bounds are rounded to float32
  expect(largest).toBeLessThanOrEqual(bound * (1 + 2 ** -24));
  if (data.length >= 80) expect(largest).toBeGreaterThan(0.8 * bound);
}

const drawnNames = (parameters: Parameters<Float64Array>) =>
  Object.keys(parameters).filter((name) => /^(policy|actionValue|stateValue)\./.test(name));

describe.each(Object.keys(schemes) as (keyof typeof schemes)[])('scheme %s', (initialise) => {
  const parameters = fresh('sac, two Q', { initialise });

  it('fills its ranges, layer by layer', () => {
    for (const name of drawnNames(parameters).filter((each) => each.endsWith('.weight'))) {
      const { shape, data } = parameters[name] as Parameters<Float64Array>[string];
      const [outputs, inputs] = shape as [number, number];
      const range = schemes[initialise]({ name, inputs, outputs });
      expectFilled(data, range.weight);
      const bias = parameters[name.replace(/weight$/, 'bias')]?.data as Float64Array;
      if ('bound' in range.bias) expectFilled(bias, range.bias.bound);
      else expect(new Set(bias)).toEqual(new Set([Math.fround(range.bias.constant)]));
    }
  });

  it('draws in file order, one value each: policy, Q_1, Q_2, V', () => {
    const uniform = initialiseStream(4);
    for (const name of drawnNames(parameters)) {
      const { shape, data } = parameters[name] as Parameters<Float64Array>[string];
      const layer = parameters[name.replace(/bias$/, 'weight')]?.shape as [number, number];
      const range = schemes[initialise]({ name, outputs: layer[0], inputs: layer[1] });
      if (shape.length === 1 && 'constant' in range.bias) continue;
      const bound = shape.length === 1 && 'bound' in range.bias ? range.bias.bound : range.weight;
      expect(data).toEqual(data.map(() => Math.fround(-bound + 2 * bound * uniform())));
    }
  });
});

describe('fresh parameters', () => {
  it('of rlkit’s deterministic policy fill ±3e-3 in its head', () => {
    const parameters = fresh('ddpg');
    expectFilled(parameters['policy.mean.weight']?.data as Float64Array, 3e-3);
    expect(parameters).not.toHaveProperty(['policy.logStd.weight']);
  });

  it.each(VARIANTS)('of %s have targets that are copies', (variant) => {
    const parameters = fresh(variant);
    const followed = (name: string) =>
      parameters[name.replace(/^target\./, '').replace(/^priorPolicy/, 'policy')];
    const targets = Object.keys(parameters).filter((name) => /^(target|priorPolicy)\./.test(name));
    expect(targets.length).toBeGreaterThan(0);
    for (const name of targets) expect(parameters[name]).toEqual(followed(name));
  });

  it('of ζ are 0 in the shapes of Q, those of a temperature as the config says', () => {
    const projected = fresh('virel, projected residual');
    for (const [name, { shape, data }] of Object.entries(projected)) {
      if (!name.startsWith('auxiliaryWeights.')) continue;
      expect(shape).toEqual(projected[name.replace('auxiliaryWeights', 'actionValue.0')]?.shape);
      expect(new Set(data)).toEqual(new Set([0]));
    }
    const dual = fresh('mpo');
    const duals = { dualTemperature: 0.8, meanMultiplier: 1.3, covarianceMultiplier: 0.7 };
    for (const [name, initial] of Object.entries(duals)) {
      const length = name === 'dualTemperature' ? 1 : task.actionSize;
      const data = new Float64Array(length).fill(Math.fround(Math.log(Math.expm1(initial))));
      expect(dual[name]).toEqual({ shape: [length], data });
    }
    const tuned = fresh('sac-twin')['logTemperature'];
    expect(tuned?.data).toEqual(Float64Array.of(Math.fround(Math.log(0.6))));
  });

  it.each<[Variant, string]>([
    ['virel', 'policy actionValue.0 stateValue target.stateValue'],
    [
      'virel, projected residual',
      'policy actionValue.0 stateValue auxiliaryWeights target.stateValue',
    ],
    ['sac, two Q', 'policy actionValue.0 actionValue.1 stateValue target.stateValue'],
    [
      'sac-twin',
      'policy actionValue.0 actionValue.1 logTemperature target.actionValue.0 target.actionValue.1',
    ],
    ['ddpg', 'policy actionValue.0 target.actionValue.0 target.policy'],
    [
      'mpo',
      'policy actionValue.0 dualTemperature meanMultiplier covarianceMultiplier target.actionValue.0 priorPolicy',
    ],
    ['mpo, prior divergence', 'policy actionValue.0 target.actionValue.0 priorPolicy'],
  ])('of %s are, in file order, %s', (variant, expected) => {
    const networks = Object.keys(fresh(variant)).map((name) =>
      name.replace(/\.(trunk\.\d+|mean|logStd|value)\.(weight|bias)$/, ''),
    );
    expect([...new Set(networks)].join(' ')).toBe(expected);
  });
});
