/** Boltzmann densities of a continuous action (Theorem 1, Lemma 1): limits and rates against sums on a fine grid. */

import { describe, expect, it } from '@jest/globals';
import {
  boltzmannDensity,
  boltzmannExpectation,
  gaussianBound,
  gaussianEntropy,
  type Landscape,
  limitIntegrand,
  limitRate,
  rescaledIntegrand,
} from '../../src/theory/index.js';
import { integrate } from '../../src/theory/quadrature.js';
import { at, expectClose, expectError, range, tolerance } from './support.js';

/** Its peak is a Gaussian of variance ε/4. */
const parabola: Landscape = { f: (x) => -2 * (x - 0.3) ** 2, maximum: 0.3, domain: [-1, 1] };

/** f″ = f‴ = −1 at its maximum 0. */
const skewed: Landscape = { f: (x) => x - Math.exp(x), maximum: 0, domain: [-1, 1] };

/** ∫ f on the domain by midpoints, whose error falls with the square of the width, or faster where f vanishes at both ends. */
const byMidpoints = (f: (x: number) => number, [low, high]: readonly [number, number]) => {
  const [count, width] = [20_000, (high - low) / 20_000];
  return range(count).reduce((sum, i) => sum + width * f(low + (i + 0.5) * width), 0);
};

describe('quadrature', () => {
  it('is exact for polynomials of degree 19, on any interval and in any number of panels', () => {
    for (const degree of range(20)) {
      for (const [low, high] of [
        [0, 1],
        [-2, 1.5],
      ] as const) {
        const exact = (high ** (degree + 1) - low ** (degree + 1)) / (degree + 1);
        for (const panels of [1, 3]) {
          expectClose(
            integrate((x) => x ** degree, [low, high], panels),
            exact,
            tolerance.rounding,
          );
        }
      }
    }
  });

  it('is not exact for degree 20 in one panel: ten points, and not more', () => {
    const off = integrate((x) => x ** 20, [-1, 1], 1) - 2 / 21;
    // 2^21 10!^4 / (21 20!^3) · 20!, the error of Gauss and Legendre
    expect(off).toBeLessThan(0);
    expectClose(off, -2.92e-6, { value: 1e-8 });
  });

  it('takes two hundred panels unless told', () => {
    expectClose(integrate(Math.sin, [0, 100]), 1 - Math.cos(100), tolerance.rounding);
    let calls = 0;
    integrate(() => calls++, [0, 1]);
    expect(calls).toBe(2000);
  });
});

describe('Boltzmann density (12)', () => {
  it.each([
    ['parabola', parabola, 4],
    ['skewed', skewed, 1],
  ])('has the expectations of sums on a grid: %s', (_, landscape, curvature) => {
    for (const temperature of [3, 0.3, 0.03]) {
      const weight = (x: number) => Math.exp(landscape.f(x) / temperature);
      const total = byMidpoints(weight, landscape.domain);
      for (const test of [(x: number) => Math.cos(3 * x), (x: number) => x ** 3 + 1, () => 2]) {
        const got = boltzmannExpectation(landscape, curvature, temperature, test);
        const expected = byMidpoints((x) => test(x) * weight(x), landscape.domain) / total;
        // a width of 1e-4 where the density does not vanish at the ends
        expectClose(got, expected, { value: 1e-7 });
      }
    }
  });

  it('is a density: exp(f/ε) over its integral (13)', () => {
    for (const temperature of [3, 0.3, 0.03]) {
      const density = (x: number) => boltzmannDensity(skewed, 1, temperature, x);
      // panels of a fifth, where the narrowest deviation is 0.17
      expectClose(integrate(density, [-1, 1], 10), 1, tolerance.rounding);
      const ratio = Math.exp((skewed.f(0.2) - skewed.f(-0.4)) / temperature);
      expectClose(density(0.2) / density(-0.4), ratio, tolerance.rounding);
    }
    // ε/4 is the variance of the parabola's peak
    const peak = boltzmannDensity(parabola, 4, 1e-4, 0.3);
    expectClose(peak, 1 / Math.sqrt((2 * Math.PI * 1e-4) / 4), tolerance.rounding);
  });

  it('is narrow, and right, far below the width of a panel of the domain', () => {
    const second = (x: number) => (x - 0.3) ** 2;
    const got = boltzmannExpectation(parabola, 4, 1e-10, second);
    expect(Math.abs(got / (1e-10 / 4) - 1)).toBeLessThan(1e-9);
    expectClose(
      boltzmannExpectation(parabola, 4, 1e-10, (x) => x),
      0.3,
      tolerance.rounding,
    );
  });

  it.each([1e4, 1e-4])('has its panels where a peak of curvature %d is', (curvature) => {
    const deviation = Math.sqrt(1e-3 / curvature);
    const domain = [-1e3, 1e3] as const;
    const landscape = { f: (x: number) => (-curvature * x ** 2) / 2, maximum: 0, domain };
    const variance = boltzmannExpectation(landscape, curvature, 1e-3, (x) => x ** 2);
    expectClose(variance / deviation ** 2, 1, tolerance.rounding);
    const peak = boltzmannDensity(landscape, curvature, 1e-3, 0);
    expectClose(peak * deviation * Math.sqrt(2 * Math.PI), 1, tolerance.rounding);
  });

  it('is finite where exp(f/ε) is not', () => {
    for (const lift of [-1, 1]) {
      const lifted = { ...parabola, f: (x: number) => parabola.f(x) + lift };
      const peak = boltzmannDensity(lifted, 4, 1e-4, 0.3);
      expectClose(peak, 1 / Math.sqrt((2 * Math.PI * 1e-4) / 4), tolerance.rounding);
      expectClose(
        boltzmannExpectation(lifted, 4, 1e-4, (x) => x),
        0.3,
        tolerance.rounding,
      );
    }
  });

  it('keeps to its domain, with the maximum beside an end', () => {
    const edge: Landscape = { f: (x) => -(x ** 2), maximum: 0, domain: [-0.01, 2] };
    const weight = (x: number) => Math.exp(-(x ** 2) / 0.1);
    const expected =
      byMidpoints((x) => x * weight(x), edge.domain) / byMidpoints(weight, edge.domain);
    expectClose(
      boltzmannExpectation(edge, 2, 0.1, (x) => x),
      expected,
      { value: 1e-8 },
    );
    const other: Landscape = { ...edge, domain: [-2, 0.01] };
    expectClose(
      boltzmannExpectation(other, 2, 0.1, (x) => x),
      -expected,
      { value: 1e-8 },
    );
  });

  it('tends to a delta at the maximum as ε → 0 (Theorem 1)', () => {
    const distances = [1e-1, 1e-2, 1e-3, 1e-4].map((temperature) =>
      Math.abs(boltzmannExpectation(skewed, 1, temperature, Math.cosh) - 1),
    );
    expect([...distances].sort((a, b) => b - a)).toEqual(distances);
    expect(at(distances, 3)).toBeLessThan(1e-4);
  });

  it.each([0, -1, Number.NaN])('refuses the temperature %d', (temperature) => {
    for (const call of [
      () => boltzmannExpectation(parabola, 4, temperature, (x) => x),
      () => boltzmannDensity(parabola, 4, temperature, 0),
      () => gaussianBound(0, 1, temperature),
    ]) {
      expectError(call, 'TEMPERATURE_NOT_POSITIVE', 'temperature', `got ${temperature}`);
    }
  });

  it('has the integrand exp(g(x* − √ε u)/ε) (15), in the limit exp(u² f″/2) (16), (17)', () => {
    for (const distance of [-1.5, 0, 0.7]) {
      const expected = Math.exp(-2 * distance ** 2);
      expectClose(limitIntegrand(4, distance), expected, tolerance.rounding);
      // of a parabola the limit is all there is
      expectClose(rescaledIntegrand(parabola, 0.01, distance), expected, { value: 1e-11 });
      const x = -Math.sqrt(0.01) * distance;
      const skew = Math.exp((x - Math.exp(x) + 1) / 0.01);
      expectClose(rescaledIntegrand(skewed, 0.01, distance), skew, { value: 1e-11 });
      const cold = rescaledIntegrand(skewed, 1e-6, distance);
      expectClose(cold, limitIntegrand(1, distance), { value: 1e-3 });
    }
  });
});

describe('rate of the limit', () => {
  it('is φ″/(2k) + φ′ f‴/(2k²) (T5)', () => {
    const rate = limitRate({ curvature: 4, third: 3, testSlope: 5, testCurvature: 7 });
    expectClose(rate, 7 / 8 + 15 / 32, tolerance.rounding);
  });

  it.each([
    [
      'a parabola',
      parabola,
      (x: number) => Math.cos(3 * x),
      { curvature: 4, third: 0, testSlope: -3 * Math.sin(0.9), testCurvature: -9 * Math.cos(0.9) },
    ],
    [
      'x − eˣ',
      skewed,
      (x: number) => Math.sin(x + 0.5),
      { curvature: 1, third: -1, testSlope: Math.cos(0.5), testCurvature: -Math.sin(0.5) },
    ],
  ])('is what (E[φ] − φ(x*))/ε tends to: %s', (_, landscape, test, peak) => {
    const off = [1e-2, 1e-3, 1e-4].map((temperature) => {
      const mean = boltzmannExpectation(landscape, peak.curvature, temperature, test);
      return Math.abs((mean - test(landscape.maximum)) / temperature - limitRate(peak));
    });
    // the next term is of the order of ε
    for (const [i, error] of off.entries()) expect(error).toBeLessThan(0.5 * 10 ** -(i + 2));
  });
});

describe('a Gaussian policy (20), (21)', () => {
  const density = (deviation: number) => (x: number) =>
    Math.exp(-(x ** 2) / (2 * deviation ** 2)) / (deviation * Math.sqrt(2 * Math.PI));

  it('has the entropy −∫ p log p = ½ log(2πe) + log σ', () => {
    for (const deviation of [0.1, 1, 3]) {
      const p = density(deviation);
      const minusPlogP = (x: number) =>
        p(x) * (x ** 2 / (2 * deviation ** 2) + Math.log(deviation * Math.sqrt(2 * Math.PI)));
      const expected = integrate(minusPlogP, [-12 * deviation, 12 * deviation]);
      expectClose(gaussianEntropy(deviation), expected, tolerance.rounding);
    }
  });

  it.each([0, -1, Number.NaN])('has none at a deviation of %d', (deviation) => {
    for (const call of [() => gaussianEntropy(deviation), () => gaussianBound(0, deviation, 1)]) {
      expectError(call, 'VALUE_RANGE', 'deviation: expected a number above 0', `got ${deviation}`);
    }
  });

  it('has the bound E[1 − a²]/ε + H by quadrature', () => {
    const [mean, deviation, temperature] = [0.2, 0.4, 0.5];
    const p = density(deviation);
    const value = integrate((x) => p(x) * (1 - (mean + x) ** 2), [-5, 5]);
    const expected = value / temperature + gaussianEntropy(deviation);
    expectClose(gaussianBound(mean, deviation, temperature), expected, tolerance.rounding);
  });

  it('loses log 10 of its bound with every decade of σ, so that a delta has L = −∞ (Lemma 1 i, T6)', () => {
    for (const deviation of [1e-4, 1e-6, 1e-8]) {
      const loss = gaussianBound(0.2, deviation, 0.5) - gaussianBound(0.2, deviation / 10, 0.5);
      // σ²/ε is left at the first
      expectClose(loss, Math.LN10, { value: 1e-7 });
    }
  });
});
