import { describe, expect, it } from '@jest/globals';
import {
  actionValueLoss,
  adamState,
  bellmanResidual,
  bellmanTarget,
  policyLoss,
  residualError,
  stateValueLoss,
  stateValueTarget,
  stepAdam,
  temperatureInUse,
  updateTarget,
} from '../../src/reference/index.js';
import { rlkit } from '../../src/reference/networks/initialise.js';
import { parameterSpecs, slice } from '../../src/reference/networks/layout.js';
import { chacha8, initialiseStream } from '../../src/reference/random.js';
import { tensorError, tolerance } from '../support/tolerance.js';

const vector = (...values: number[]) => Float64Array.from(values);
const close = (got: ArrayLike<number>, expected: ArrayLike<number>) =>
  expect(tensorError(got, expected)).toBeLessThan(tolerance.equation.value);

describe('Bellman target (J_Q)', () => {
  it('adds the discounted value where the task goes on, and nothing where it ended', () => {
    close(bellmanTarget(vector(1, -2), vector(0, 1), 0.9, vector(5, 7)), [5.5, -2]);
  });
});

describe('residual error (Alg. 2)', () => {
  it('is the mean square of target minus value, without a half', () => {
    const [values, targets] = [vector(1, 2, 3), vector(1.5, 0, 4)];
    close(bellmanResidual(values, targets), [0.5, -2, 1]);
    close([residualError(values, targets)], [5.25 / 3]);
  });

  it('vanishes at the target', () => {
    expect(residualError(vector(1, 2), vector(1, 2))).toBe(0);
  });
});

describe('M-step losses (E.2, F.3)', () => {
  it.each([
    ['J_Q', actionValueLoss],
    ['J_V', stateValueLoss],
  ])('%s is a mean square and its gradient 2(prediction − target)/B', (_, loss) => {
    const { loss: value, gradient } = loss(vector(1, 4), vector(3, 3));
    expect(value).toBe(2.5);
    expect([...gradient]).toEqual([-2, 1]);
  });

  it('regresses V on Q at the sampled action, with no entropy bonus', () => {
    expect([...stateValueTarget(vector(1, -3))]).toEqual([1, -3]);
  });
});

describe('E-step loss (25)', () => {
  const terms = {
    logDensity: vector(-1, 2),
    sampledActionValue: vector(3, 5),
    mean: vector(1, 0, 2, -1),
    logStd: vector(-2, 0, 1, 1),
  };

  it('is the mean of T log π − Q plus mean squares over batch and dimensions', () => {
    const { loss } = policyLoss(terms, 0.5, { mean: 0.1, logStd: 0.01 });
    close([loss], [(-0.5 - 3 + 1 - 5) / 2 + (0.1 * 6) / 4 + (0.01 * 6) / 4]);
  });

  it('has its partial derivatives by each term', () => {
    const { gradient } = policyLoss(terms, 0.5, { mean: 0.1, logStd: 0.01 });
    close(gradient.logDensity, [0.25, 0.25]);
    close(gradient.sampledActionValue, [-0.5, -0.5]);
    close(gradient.mean, [0.05, 0, 0.1, -0.05]);
    close(gradient.logStd, [-0.01, 0, 0.005, 0.005]);
  });
});

describe('fixed temperature (A5)', () => {
  const source = { kind: 'fixed', temperature: 1 } as const;

  it('is the source’s, or the one given', () => {
    expect(temperatureInUse(source)).toBe(1);
    expect(temperatureInUse(source, 0.25)).toBe(0.25);
    expect(temperatureInUse(source, 0)).toBe(0);
  });

  it.each([
    [Number.NaN, 'NOT_FINITE'],
    [Number.POSITIVE_INFINITY, 'NOT_FINITE'],
    [-1, 'CONFIG_RANGE'],
  ])('refuses %d', (given, code) => {
    expect(() => temperatureInUse(source, given)).toThrow(expect.objectContaining({ code }));
  });
});

describe('target update (A10)', () => {
  it('moves the target by the rate towards the online network', () => {
    const target = vector(0, 10);
    updateTarget(target, vector(1, 20), 0.25);
    expect([...target]).toEqual([0.25, 12.5]);
  });

  it('copies at rate 1 and stays at rate 0', () => {
    const target = vector(3, 4);
    updateTarget(target, vector(1, 2), 0);
    expect([...target]).toEqual([3, 4]);
    updateTarget(target, vector(1, 2), 1);
    expect([...target]).toEqual([1, 2]);
  });
});

describe('Adam (Kingma and Ba 2015)', () => {
  it('takes two steps as computed by hand', () => {
    const parameters = vector(1, -2);
    const state = adamState(2);
    stepAdam(parameters, vector(0.5, -0.1), state, 0.01);
    // first step: m̂ = g, v̂ = g², so λ g / (|g| + 1e-8)
    close(parameters, [1 - 0.01 * (0.5 / (0.5 + 1e-8)), -2 + 0.01 * (0.1 / (0.1 + 1e-8))]);

    stepAdam(parameters, vector(-0.3, 0), state, 0.01);
    // m = 0.9·0.05 − 0.1·0.3 = 0.015; v = 0.999·0.00025 + 0.001·0.09 = 0.00033975
    const first = 0.015 / 0.19 / (Math.sqrt(0.00033975 / 0.001999) + 1e-8);
    // m = −0.009, v = 0.999·0.00001
    const second = -0.009 / 0.19 / (Math.sqrt(0.00000999 / 0.001999) + 1e-8);
    close(parameters, [
      1 - 0.01 * (0.5 / (0.5 + 1e-8)) - 0.01 * first,
      -2 + 0.01 * (0.1 / (0.1 + 1e-8)) - 0.01 * second,
    ]);
    expect(state.steps).toBe(2);
  });

  it('does not move where the gradient has always been 0', () => {
    const parameters = vector(7);
    stepAdam(parameters, vector(0), adamState(1), 0.1);
    expect(parameters[0]).toBe(7);
  });
});

describe('initial parameters (rlkit v0.1.2)', () => {
  const networks = rlkit({ observation: 5, action: 2, hidden: [40, 90] }, initialiseStream(4));

  it('fill their ranges: 1/√out in hidden layers, 1e-3 in policy heads, 3e-3 in value heads', () => {
    const largest = (values: Float64Array) => Math.max(...values.map(Math.abs));
    for (const network of [networks.policy, networks.actionValue, networks.stateValue]) {
      for (const spec of parameterSpecs(network.layout)) {
        const values = slice(network.values, spec);
        const hidden = spec.name.includes('.trunk.');
        if (hidden && spec.name.endsWith('bias')) {
          expect(new Set(values)).toEqual(new Set([Math.fround(0.1)]));
          continue;
        }
        const head = spec.name.startsWith('policy.') ? 1e-3 : 3e-3;
        const bound = hidden ? 1 / Math.sqrt(spec.shape[0] as number) : head;
        // 1 + 2^-24: bounds are rounded to float32
        expect(largest(values)).toBeLessThanOrEqual(bound * (1 + 2 ** -24));
        // all of n uniform draws lie below 0.8 of the bound with probability 0.8^n: below 1e-7 from n = 80 on
        if (spec.length >= 80) expect(largest(values)).toBeGreaterThan(0.8 * bound);
      }
    }
  });

  it('give the target a copy of V', () => {
    expect(networks.targetStateValue.values).toEqual(networks.stateValue.values);
    expect(networks.targetStateValue.values).not.toBe(networks.stateValue.values);
  });

  it('come from ChaCha with 8 rounds, whose first block for a zero key is published', () => {
    // Strombergson, "Test Vectors for the Stream Cipher ChaCha", TC1, 256-bit key, 8 rounds, block 0
    const block = Buffer.from(chacha8(new Uint32Array(8), 0).buffer).toString('hex');
    expect(block).toBe(
      '3e00ef2f895f40d67f5bb8e81f09a5a12c840ec3ce9a7f3b181be188ef711a1e' +
        '984ce172b9216f419f445367456d5619314a42a3da86b001387bfdb80e0cfe42',
    );
  });

  it('differ between seeds and agree within one, also above 32 bits', () => {
    const first = (seed: number) => initialiseStream(seed)();
    expect(first(2 ** 32)).not.toBe(first(0));
    expect(first(1)).not.toBe(first(0));
    expect(first(2 ** 52 + 1)).toBe(first(2 ** 52 + 1));
  });
});
