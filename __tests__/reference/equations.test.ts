import { describe, expect, it } from '@jest/globals';
import {
  actionValueLoss,
  adamState,
  bellmanResidual,
  bellmanTarget,
  boltzmannWeights,
  covarianceDivergence,
  deterministicLoss,
  dualStart,
  dualTemperatureLoss,
  dualVariable,
  EQUATIONS,
  logMeanExponential,
  meanDivergence,
  meanNextValue,
  meanSquarePenalty,
  multiplierLoss,
  priorDivergenceLoss,
  reparameterisedLoss,
  residualError,
  scoreLoss,
  softNextValue,
  softStateValueTarget,
  stateValueLoss,
  stateValueTarget,
  stepAdam,
  type TemperatureSource,
  temperatureInUse,
  tunedTemperatureLoss,
  updateTarget,
  weightedLikelihoodLoss,
} from '../../src/reference/index.js';
import { chacha8, initialiseStream } from '../../src/reference/random.js';
import { tensorError, tolerance } from '../support/tolerance.js';
import { configOf } from '../support/variants.js';

const vector = (...values: number[]) => Float64Array.from(values);
const close = (got: ArrayLike<number>, expected: ArrayLike<number>) =>
  expect(tensorError(got, expected)).toBeLessThan(tolerance.equation.value);

describe('Bellman target (J_Q)', () => {
  it('adds the discounted value where the task goes on, and nothing where it ended', () => {
    close(bellmanTarget(vector(1, -2), vector(0, 1), 0.9, vector(5, 7)), [5.5, -2]);
  });

  it('takes the entropy of the next action into the value of sac-twin', () => {
    close(softNextValue(vector(5, 7), vector(-1, 2), 0.5), [5.5, 6]);
    close(softNextValue(vector(5, 7), vector(-1, 2), 0), [5, 7]);
  });

  it('averages over the K actions of mpo', () => {
    close(meanNextValue(vector(1, 2, 6, -1, 0, 4), 3), [3, 1]);
    close(meanNextValue(vector(1, 2), 1), [1, 2]);
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

describe('SAC’s state value target', () => {
  it('holds the entropy bonus that virel’s has not (A14)', () => {
    close(softStateValueTarget(vector(1, -3), vector(-1, 2), 0.5), [1.5, -4]);
    close(softStateValueTarget(vector(1, -3), vector(-1, 2), 0), [1, -3]);
  });
});

describe('minimum of two Q (A11)', () => {
  it('is taken row by row, ties to the first, and remembers whose it is', () => {
    const { values, source } = EQUATIONS.minimumActionValue([vector(1, 5, 2), vector(3, 4, 2)]);
    expect([...values]).toEqual([1, 4, 2]);
    expect([...source]).toEqual([0, 1, 0]);
  });

  it('is the value itself where there is one', () => {
    const { values, source } = EQUATIONS.minimumActionValue([vector(1, 5)]);
    expect([...values, ...source]).toEqual([1, 5, 0, 0]);
  });

  it('is not what a policy reads that follows the first', () => {
    const { values, source } = EQUATIONS.firstActionValue([vector(1, 5), vector(3, 4)]);
    expect([...values, ...source]).toEqual([1, 5, 0, 0]);
  });
});

describe('E-step loss (25)', () => {
  const terms = { logDensity: vector(-1, 2), sampledActionValue: vector(3, 5) };

  it('is the mean of T log π − Q', () => {
    close([reparameterisedLoss(terms, 0.5).loss], [(-0.5 - 3 + 1 - 5) / 2]);
  });

  it('has its partial derivatives by each term', () => {
    const { gradient } = reparameterisedLoss(terms, 0.5);
    close(gradient.logDensity, [0.25, 0.25]);
    close(gradient.sampledActionValue, [-0.5, -0.5]);
  });

  it('has a regulariser: mean squares over batch and dimensions (A13)', () => {
    const { loss, gradient } = meanSquarePenalty(vector(1, 0, 2, -1), 0.1);
    close([loss], [(0.1 * 6) / 4]);
    close(gradient, [0.05, 0, 0.1, -0.05]);
    expect(meanSquarePenalty(vector(), 0.1).loss).toBe(0);
  });

  it('by the score is log π times a constant, T log π − (Q − V) (A4)', () => {
    const { loss, gradient } = scoreLoss({ ...terms, stateValue: vector(1, 7) }, 0.5);
    // factors −0.5 − 2 and 1 + 2
    close([loss], [(2.5 + 6) / 2]);
    close(gradient.logDensity, [-1.25, 1.5]);
  });

  it('of a deterministic policy is −Q alone', () => {
    const { loss, gradient } = deterministicLoss(vector(3, 5));
    close([loss], [-4]);
    close(gradient.sampledActionValue, [-0.5, -0.5]);
  });
});

describe('E-step of mpo (App. G)', () => {
  it('weights the log-densities of each state', () => {
    const weights = vector(0.25, 0.75, 1, 0);
    const { loss, gradient } = weightedLikelihoodLoss(vector(-1, 2, 3, 9), weights, 2);
    close([loss], [-(1.25 + 3) / 2]);
    close(gradient.logDensity, [-0.125, -0.375, -0.5, 0]);
  });

  it('by the divergence from the prior is T (log π − log π_φ) − Q (43)', () => {
    const { loss, gradient } = priorDivergenceLoss(
      {
        logDensity: vector(-1, 2),
        priorLogDensity: vector(-2, 4),
        sampledActionValue: vector(3, 5),
      },
      0.5,
    );
    close([loss], [(0.5 - 3 - 1 - 5) / 2]);
    close(gradient.logDensity, [0.25, 0.25]);
    close(gradient.priorLogDensity, [-0.25, -0.25]);
    close(gradient.sampledActionValue, [-0.5, -0.5]);
  });

  it('has KL divergences that vanish with their gradients at the prior', () => {
    const policy = { mean: vector(1, -2), logStd: vector(0.3, -1) };
    for (const divergence of [meanDivergence, covarianceDivergence]) {
      const { values, gradient } = divergence(policy, policy, 1);
      expect([...values, ...gradient(vector(3, 5))]).toEqual([0, 0, 0, 0]);
    }
  });

  it('has the KL divergences of Gaussians, mean and covariance apart, mean over the rows', () => {
    const policy = { mean: vector(1, 2), logStd: vector(Math.log(2), 0) };
    const prior = { mean: vector(0, 2), logStd: vector(0, Math.log(3)) };
    close(meanDivergence(policy, prior, 2).values, [1 / 4]);
    // σ_θ/σ_φ of 2 and of 1/3
    const each = [Math.log(2) + (1 / 4 - 1) / 2, -Math.log(3) + (9 - 1) / 2];
    close(covarianceDivergence(policy, prior, 2).values, [((each[0] ?? 0) + (each[1] ?? 0)) / 2]);
  });
});

describe('Boltzmann weights over sampled actions (3)', () => {
  const values = vector(1, 2, 4, 0, 0, -1);

  it('are exp(Q/T) normalised over each row', () => {
    const [one, two, four] = [Math.exp(0.5), Math.exp(1), Math.exp(2)];
    const sum = one + two + four;
    const zeros = 2 + Math.exp(-0.5);
    const expected = [
      ...[one, two, four].map((value) => value / sum),
      ...[1, 1, Math.exp(-0.5)].map((value) => value / zeros),
    ];
    close(boltzmannWeights(values, 2, 3), expected);
    close(logMeanExponential(values, 2, 3), [Math.log(sum / 3), Math.log(zeros / 3)]);
  });

  it('are greedy as T → 0, equal shares of a tie, and uniform as T → ∞', () => {
    close(boltzmannWeights(values, 1e-3, 3), [0, 0, 1, 0.5, 0.5, 0]);
    // exp(4/1e14) differs from 1 by 4e-14
    close(boltzmannWeights(values, 1e14, 3), new Array(6).fill(1 / 3));
  });

  it('are the golden policy of the tabular case where the samples are all of its actions', () => {
    // 3 states, 2 actions, T the residual error of T^{π_w}; printed to ten decimals
    const q = vector(1, 2, 0.5, 1.2, 2.2, 0.3);
    const temperature = 1.395284741982005;
    const golden = [
      [0.3281201697, 0.6718798303],
      [0.3771436625, 0.6228563375],
      [0.7960405971, 0.2039594029],
    ].flat();
    const error = tensorError(boltzmannWeights(q, temperature, 2), golden);
    expect(error).toBeLessThan(tolerance.printedDigits.value);
    // ℓ(w) = log Σ_h exp(Q/T), here a mean over the six pairs
    const logPartition = (logMeanExponential(q, temperature, 6)[0] ?? 0) + Math.log(6);
    expect(Math.abs(logPartition - 2.7796782646)).toBeLessThan(tolerance.printedDigits.value);
  });

  it('do not overflow, and do not move with a constant', () => {
    const shifted = values.map((value) => value + 4096);
    close(boltzmannWeights(shifted, 1, 3), boltzmannWeights(values, 1, 3));
    expect(boltzmannWeights(vector(1e6, 0), 1e-3, 2)).toEqual(vector(1, 0));
  });

  it.each([0, -1])('refuse T = %d: the limit is another function', (temperature) => {
    const code = expect.objectContaining({ code: 'TEMPERATURE_NOT_POSITIVE' });
    expect(() => boltzmannWeights(values, temperature, 3)).toThrow(code);
    expect(() => logMeanExponential(values, temperature, 3)).toThrow(code);
  });
});

describe('temperature', () => {
  const inputs = { discount: 0.9, residualError: 3, trained: Math.log(2) };
  const tuned = { kind: 'tuned', targetEntropy: -2, learningRate: 1e-3, initial: 1 } as const;
  const { temperature: dual } = configOf('mpo', { hidden: [] });

  it.each<[TemperatureSource, number]>([
    [{ kind: 'none' }, 0],
    [{ kind: 'fixed', temperature: 1.5 }, 1.5],
    [{ kind: 'residual', temperatureScale: 0.4 }, 0.4 * 3],
    [{ kind: 'residualAuto' }, 0.1 * 3],
    [tuned, 2],
  ])('of %j is %d (A1, A2, A5)', (source, expected) => {
    close([temperatureInUse(source, inputs)], [expected]);
    expect(temperatureInUse(source, inputs, 0.25)).toBe(0.25);
    expect(temperatureInUse(source, inputs, 0)).toBe(0);
  });

  it.each([
    [Number.NaN, 'NOT_FINITE'],
    [Number.POSITIVE_INFINITY, 'NOT_FINITE'],
    [-1, 'CONFIG_RANGE'],
  ])('refuses %d', (given, code) => {
    expect(() => temperatureInUse({ kind: 'none' }, inputs, given)).toThrow(
      expect.objectContaining({ code }),
    );
  });

  it('tuned rises while the entropy is below its target', () => {
    // mean log π = 3, entropy −3 < −2
    const { loss, gradient } = tunedTemperatureLoss(vector(2, 4), 2, -2);
    close([loss, gradient], [-Math.log(2), -1]);
  });

  it('dual is the log partition with a slack, its derivative the slack that is left of the bound', () => {
    const { loss, gradient } = dualTemperatureLoss(vector(1, 1, 3, 3), 0.5, 2, 0.1);
    // equal Q in each row: weights are uniform, their KL divergence 0, and T would fall
    close([loss, gradient], [0.5 * 0.1 + 2, 0.1]);
    // one action for certain, log 2 from uniform: T would rise
    const greedy = dualTemperatureLoss(vector(0, 1000), 0.5, 2, 0.1);
    close([greedy.loss, greedy.gradient], [0.05 + 1000 - 0.5 * Math.LN2, 0.1 - Math.LN2]);
  });

  it('has multipliers that rise where their divergence exceeds its bound', () => {
    const { loss, gradient } = multiplierLoss(vector(1, 2), vector(0.3, 0.05), 0.1);
    close([loss], [-0.2 + 0.1]);
    close(gradient, [-0.2, 0.05]);
  });

  it('dual, and its multipliers, are softplus of what is trained, with its slope', () => {
    const trained = vector(0, 1, 40, 1000, -40, -1000);
    const { values, slope } = dualVariable(trained);
    const e = Math.E;
    close(
      values,
      [Math.LN2, Math.log(1 + e), 40, 1000, 0, 0].map((m) => m + 1e-8),
    );
    close(slope, [0.5, e / (1 + e), 1, 1, Math.exp(-40), 0]);
    expect(values.every((m) => m > 0)).toBe(true);
    close([temperatureInUse(dual, { ...inputs, trained: 1 })], [Math.log(1 + e) + 1e-8]);
  });

  it('dual starts at what the config says, 1000 too', () => {
    const starts = [1e-6, 0.5, 1, 10, 1000];
    const { values } = dualVariable(vector(...starts.map(dualStart)));
    starts.forEach((start, i) => {
      expect(Math.abs(Number(values[i]) - 1e-8 - start) / start).toBeLessThan(1e-9);
    });
  });

  it('has a multiplier that grows by its rate a step, however long its divergence exceeds its bound', () => {
    // that of HalfCheetah's covariance, 500 times its bound: by its logarithm it would be 1e3 e^200
    const [trained, rate, steps] = [vector(dualStart(1000)), 0.01, 20_000];
    const state = adamState(1);
    for (let step = 0; step < steps; step++) {
      const { values, slope } = dualVariable(trained);
      const { gradient } = multiplierLoss(values, vector(5e-4), 1e-6);
      stepAdam(
        trained,
        gradient.map((value, i) => value * Number(slope[i])),
        state,
        rate,
      );
    }
    const [multiplier] = dualVariable(trained).values;
    expect(multiplier).toBeGreaterThan(1000 + 0.99 * rate * steps);
    expect(multiplier).toBeLessThan(1000 + 1.001 * rate * steps);
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

describe('stream of initial parameters', () => {
  it('is ChaCha with 8 rounds, whose first block for a zero key is published', () => {
    // Strombergson, "Test Vectors for the Stream Cipher ChaCha", TC1, 256-bit key, 8 rounds, block 0
    const block = Buffer.from(chacha8(new Uint32Array(8), 0).buffer).toString('hex');
    expect(block).toBe(
      '3e00ef2f895f40d67f5bb8e81f09a5a12c840ec3ce9a7f3b181be188ef711a1e' +
        '984ce172b9216f419f445367456d5619314a42a3da86b001387bfdb80e0cfe42',
    );
  });

  it('differs between seeds and agrees within one, also above 32 bits', () => {
    const first = (seed: number) => initialiseStream(seed)();
    expect(first(2 ** 32)).not.toBe(first(0));
    expect(first(1)).not.toBe(first(0));
    expect(first(2 ** 52 + 1)).toBe(first(2 ** 52 + 1));
  });
});
