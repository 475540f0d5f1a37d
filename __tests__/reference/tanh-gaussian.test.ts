import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  sampleTanhGaussian,
  tanhGaussianDensity,
  tanhGaussianDensityGradient,
  tanhGaussianGradient,
  tanhGaussianLogDensity,
} from '../../src/reference/index.js';
import { logTanhDerivative } from '../../src/reference/tanh-gaussian.js';
import { centralDifference } from '../support/finite-difference.js';
import { tensorError, tolerance } from '../support/tolerance.js';

describe('tanh-Gaussian density (A12)', () => {
  it.each([
    // docs/paper.md, golden numbers of the tanh-Gaussian: mean 0.3, deviation 0.8
    [-5, -14.0273110452],
    [0, -0.7661074819],
    [2, -0.3036019872],
    [9, -43.2149018126],
  ])('at u = %d is the golden number', (preTanh, golden) => {
    const got = tanhGaussianLogDensity(preTanh, 0.3, Math.log(0.8));
    expect(Math.abs(got - golden)).toBeLessThan(tolerance.printedDigits.value);
  });

  it.each([
    [0.3, 0.8],
    [-1.5, 0.2],
    [0, 2],
  ])('integrates to 1 over actions, mean %d, deviation %d', (mean, std) => {
    // ∫ π(a) da = ∫ π(tanh u) (1 − tanh² u) du
    const [points, width] = [20_001, 24 * std];
    const spacing = width / (points - 1);
    let integral = 0;
    for (let i = 0; i < points; i++) {
      const u = mean - width / 2 + i * spacing;
      const logDensity = tanhGaussianLogDensity(u, mean, Math.log(std));
      integral += Math.exp(logDensity + logTanhDerivative(u)) * spacing;
    }
    expect(Math.abs(integral - 1)).toBeLessThan(tolerance.quadrature.value);
  });

  it('has the derivative of tanh, finite where tanh² rounds to 1', () => {
    fc.assert(
      fc.property(fc.double({ min: -3, max: 3, noNaN: true }), (u) => {
        const direct = Math.log(1 - Math.tanh(u) ** 2);
        expect(Math.abs(logTanhDerivative(u) - direct)).toBeLessThan(1e-12);
      }),
    );
    for (const u of [-1000, -20, 20, 1000]) {
      expect(logTanhDerivative(u)).toBeCloseTo(2 * (Math.LN2 - Math.abs(u)), 12);
    }
  });
});

describe('tanh-Gaussian sample', () => {
  const mean = Float64Array.of(0.3, -1, 0.2, 2);
  const logStd = Float64Array.of(-0.2, 0.5, -3, 1);
  const noise = Float64Array.of(0.7, -1.3, 2, 0.4);

  it('has the density of its action, summed over dimensions', () => {
    const { preTanh, logDensity, action } = sampleTanhGaussian(mean, logStd, noise, 2);
    const single = mean.map((m, i) =>
      tanhGaussianLogDensity(preTanh[i] as number, m, logStd[i] as number),
    );
    const expected = [single.subarray(0, 2), single.subarray(2)].map((row) =>
      row.reduce((sum, value) => sum + value),
    );
    expect(tensorError(logDensity, expected)).toBeLessThan(tolerance.equation.value);
    expect(action).toEqual(preTanh.map(Math.tanh));
  });

  it('has the gradient of finite differences by mean and log deviation, not identical to it', () => {
    const byLogDensity = Float64Array.of(0.9, -0.4);
    const byAction = Float64Array.of(0.3, -2, 1.1, 0.5);
    const loss = () => {
      const { action, logDensity } = sampleTanhGaussian(mean, logStd, noise, 2);
      const dot = (a: Float64Array, b: Float64Array) =>
        a.reduce((sum, value, i) => sum + value * (b[i] as number), 0);
      return dot(byLogDensity, logDensity) + dot(byAction, action);
    };
    const sample = sampleTanhGaussian(mean, logStd, noise, 2);
    const gradient = tanhGaussianGradient(sample, byLogDensity, byAction);
    for (const [analytic, values] of [
      [gradient.mean, mean],
      [gradient.logStd, logStd],
    ] as const) {
      const error = tensorError(analytic, centralDifference(loss, values));
      expect(error).toBeLessThan(tolerance.finiteDifference.value);
      expect(error).toBeGreaterThan(0);
    }
  });
});

describe('tanh-Gaussian density of given actions', () => {
  const preTanh = Float64Array.of(0.5, -2, 0.1, 3);
  const mean = Float64Array.of(0.3, -1, 0.2, 2);
  const logStd = Float64Array.of(-0.2, 0.5, -1, 1);
  const byLogDensity = Float64Array.of(0.7, -1.2);

  it('is that of a sample at its own action', () => {
    const noise = Float64Array.of(0.7, -1.3, 2, 0.4);
    const sample = sampleTanhGaussian(mean, logStd, noise, 2);
    const density = tanhGaussianDensity(sample.preTanh, mean, logStd, 2);
    expect(tensorError(density, sample.logDensity)).toBeLessThan(tolerance.equation.value);
  });

  it('has gradients by u, μ and log σ, each on its own', () => {
    const loss = () => {
      const density = tanhGaussianDensity(preTanh, mean, logStd, 2);
      return density.reduce((sum, value, b) => sum + value * (byLogDensity[b] ?? 0), 0);
    };
    const gradient = tanhGaussianDensityGradient(preTanh, mean, logStd, byLogDensity);
    for (const [got, values] of [
      [gradient.preTanh, preTanh],
      [gradient.mean, mean],
      [gradient.logStd, logStd],
    ] as const) {
      const difference = centralDifference(loss, values);
      expect(tensorError(got, difference)).toBeLessThan(tolerance.finiteDifference.value);
    }
  });
});
