/** The squashed Gaussian (App. H) in one dimension: its density over actions, and both gradients by differences. */

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  logTanhSlope,
  pathwiseGradient,
  scoreFunctionGradient,
  type TanhGaussian,
  tanhGaussianExpectation,
  tanhGaussianLogDensity,
} from '../../src/theory/index.js';
import { integrate } from '../../src/theory/quadrature.js';
import { at, differences, expectClose, expectError, tolerance } from './support.js';

const gaussians = fc.record({
  mean: fc.double({ min: -1, max: 1, noNaN: true }),
  deviation: fc.double({ min: 0.3, max: 1, noNaN: true }),
});

const forAllGaussians = (check: (gaussian: TanhGaussian) => void, numRuns = 100) =>
  fc.assert(fc.property(gaussians, check), { numRuns });

/** π(a), the density of the action. */
const densityOf = (gaussian: TanhGaussian) => (action: number) =>
  Math.exp(tanhGaussianLogDensity(Math.atanh(action), gaussian));

const test = (action: number) => action ** 2 + Math.sin(2 * action);
const slope = (action: number) => 2 * action + 2 * Math.cos(2 * action);

describe('slope of tanh', () => {
  it('is log(1 − tanh² u), finite where tanh² rounds to 1', () => {
    fc.assert(
      fc.property(fc.double({ min: -3, max: 3, noNaN: true }), (u) => {
        expectClose(logTanhSlope(u), Math.log(1 - Math.tanh(u) ** 2), tolerance.rounding);
      }),
    );
    for (const u of [-1000, -40, 40, 1000]) {
      expectClose(logTanhSlope(u), 2 * (Math.LN2 - Math.abs(u)), tolerance.rounding);
    }
  });
});

describe('density of a = tanh u', () => {
  it('is that of u over the slope of tanh', () => {
    forAllGaussians(({ mean, deviation }) => {
      for (const u of [-2, 0.1, 1.5]) {
        const normal =
          Math.exp(-((u - mean) ** 2) / (2 * deviation ** 2)) /
          (deviation * Math.sqrt(2 * Math.PI));
        const expected = Math.log(normal / (1 - Math.tanh(u) ** 2));
        expectClose(tanhGaussianLogDensity(u, { mean, deviation }), expected, tolerance.rounding);
      }
    });
  });

  it('integrates to 1 over actions (T26)', () => {
    // smooth up to both ends, where it vanishes with all its derivatives
    const total = integrate(densityOf({ mean: 0.3, deviation: 0.8 }), [-1, 1]);
    expectClose(total, 1, { value: 1e-8 });
  });

  it('has the averages of sums over actions', () => {
    for (const gaussian of [
      { mean: 0.3, deviation: 0.8 },
      { mean: -0.5, deviation: 0.4 },
    ]) {
      const density = densityOf(gaussian);
      const expected = integrate((action) => density(action) * test(action), [-1, 1]);
      expectClose(tanhGaussianExpectation(test, gaussian), expected, { value: 1e-8 });
      expectClose(
        tanhGaussianExpectation(() => 3, gaussian),
        3,
        tolerance.rounding,
      );
    }
  });

  it('has the average of a constant, narrow or wide, far from 0 on either side', () => {
    for (const mean of [-5, 0, 5]) {
      for (const deviation of [1e-3, 0.3, 50]) {
        const got = tanhGaussianExpectation(() => 3, { mean, deviation });
        expectClose(got, 3, tolerance.rounding);
      }
    }
  });
});

describe('gradient of an average by the mean', () => {
  it('is E[f′(a)(1 − a²)] reparametrised, E[f(a)(u − μ)/σ²] by the score (T26)', () => {
    forAllGaussians(({ mean, deviation }) => {
      const average = (x: Float64Array) =>
        tanhGaussianExpectation(test, { mean: at(x, 0), deviation });
      const expected = differences(average, Float64Array.of(mean));
      const gaussian = { mean, deviation };
      expectClose(pathwiseGradient(slope, gaussian), at(expected, 0), tolerance.finiteDifference);
      const byScore = scoreFunctionGradient(test, gaussian);
      expectClose(byScore, at(expected, 0), tolerance.finiteDifference);
      expectClose(byScore, pathwiseGradient(slope, gaussian), tolerance.rounding);
      // every integral takes 2,000 points
    }, 25);
  });
});

describe('bad input', () => {
  it.each([0, -1, Number.NaN])('a deviation of %d is refused', (deviation) => {
    const gaussian = { mean: 0, deviation };
    for (const call of [
      () => tanhGaussianLogDensity(0, gaussian),
      () => tanhGaussianExpectation(test, gaussian),
      () => pathwiseGradient(slope, gaussian),
      () => scoreFunctionGradient(test, gaussian),
    ]) {
      expectError(call, 'VALUE_RANGE', 'deviation: expected a number above 0', `got ${deviation}`);
    }
  });

  it('any mean is taken', () => {
    expect(tanhGaussianLogDensity(1e3, { mean: 1e3, deviation: 1 })).toBeGreaterThan(1e3);
  });
});
