/**
 * Boltzmann densities over a continuous action (Theorem 1, Lemma 1), on an interval [low, high].
 *
 *   p_ε(x) = exp(f(x)/ε) / ∫ exp(f/ε) dx  →  δ(x*)  as ε → 0,  x* the unique maximum of f, inside the interval   (12)
 *   (E_{p_ε}[φ] − φ(x*))/ε → φ″(x*)/(2k) + φ′(x*) f‴(x*)/(2k²),   k = −f″(x*)       the rate, by Laplace's method
 *
 * and what L is for a policy of width σ: H = H(standard) + log σ → −∞, so that L → −∞ (Lemma 1 i, (20), (21)).
 */

import { expectPositive } from './boltzmann.js';
import { integrate } from './quadrature.js';
import { outOfRange } from './tabular-mdp.js';

/** f with a unique maximum. */
export interface Landscape {
  /** What is exponentiated. */
  f: (x: number) => number;
  /** x*. */
  maximum: number;
  /** Where it is integrated. */
  domain: readonly [number, number];
}

/** Beyond so many standard deviations of the peak nothing is left of the density: e^−200. */
const WIDTHS = 20;

/** The part of the domain where p_ε is not 0, for a peak of curvature −f″(x*). */
function support({ maximum, domain }: Landscape, curvature: number, temperature: number) {
  const reach = WIDTHS * Math.sqrt(temperature / curvature);
  return [Math.max(domain[0], maximum - reach), Math.min(domain[1], maximum + reach)] as const;
}

/**
 * E_{p_ε}[φ].
 *
 * @param curvature k = −f″(x*) > 0: how wide the peak is, to place the quadrature's panels.
 * @throws VirelError `TEMPERATURE_NOT_POSITIVE`.
 */
export function boltzmannExpectation(
  landscape: Landscape,
  curvature: number,
  temperature: number,
  test: (x: number) => number,
): number {
  expectPositive(temperature);
  const { f, maximum } = landscape;
  const highest = f(maximum);
  const weight = (x: number) => Math.exp((f(x) - highest) / temperature);
  const where = support(landscape, curvature, temperature);
  return integrate((x) => test(x) * weight(x), where) / integrate(weight, where);
}

/**
 * p_ε(x), normalised by g = f − f(x*) (13).
 *
 * @throws VirelError `TEMPERATURE_NOT_POSITIVE`.
 */
export function boltzmannDensity(
  landscape: Landscape,
  curvature: number,
  temperature: number,
  x: number,
): number {
  expectPositive(temperature);
  const { f, maximum } = landscape;
  const weight = (at: number) => Math.exp((f(at) - f(maximum)) / temperature);
  return weight(x) / integrate(weight, support(landscape, curvature, temperature));
}

/** exp(g(x* − √ε u)/ε), the integrand of (15) but for φ; its limit as ε → 0 is {@link limitIntegrand}. */
export function rescaledIntegrand(
  { f, maximum }: Landscape,
  temperature: number,
  distance: number,
): number {
  const x = maximum - Math.sqrt(temperature) * distance;
  return Math.exp((f(x) - f(maximum)) / temperature);
}

/** exp(u² f″(x*)/2) (16), (17). @param curvature −f″(x*). */
export function limitIntegrand(curvature: number, distance: number): number {
  return Math.exp((-curvature * distance ** 2) / 2);
}

/** Derivatives at x*, for {@link limitRate}. */
export interface Peak {
  /** −f″(x*). */
  curvature: number;
  /** f‴(x*). */
  third: number;
  /** φ′(x*) and φ″(x*). */
  testSlope: number;
  /** φ″(x*). */
  testCurvature: number;
}

/** lim (E_{p_ε}[φ] − φ(x*))/ε. */
export function limitRate({ curvature, third, testSlope, testCurvature }: Peak): number {
  return testCurvature / (2 * curvature) + (testSlope * third) / (2 * curvature ** 2);
}

/** H of a Gaussian of deviation σ, in nats: ½ log(2πe) + log σ (21). @throws VirelError `VALUE_RANGE` unless σ > 0. */
export function gaussianEntropy(deviation: number): number {
  if (!(deviation > 0)) throw outOfRange('deviation', 'a number above 0', deviation);
  return 0.5 * Math.log(2 * Math.PI * Math.E) + Math.log(deviation);
}

/** L of one state with Q(a) = 1 − a² and a Gaussian policy (20): E[Q]/ε + H. */
export function gaussianBound(meanAction: number, deviation: number, temperature: number): number {
  expectPositive(temperature);
  return (1 - meanAction ** 2 - deviation ** 2) / temperature + gaussianEntropy(deviation);
}
