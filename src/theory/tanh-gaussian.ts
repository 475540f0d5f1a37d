/**
 * The squashed Gaussian of the algorithms (App. H) in one dimension, exactly: a = tanh u, u ~ N(μ, σ²).
 *
 *   log π(a) = log N(u; μ, σ) − log(1 − tanh² u),  u = artanh a
 *   ∇_μ E[f(a)] = E[f′(a) (1 − a²)]                 reparametrised: a = tanh(μ + σξ), ξ held
 *               = E[f(a) (u − μ)/σ²]                by the score ∇_μ log π
 *
 * Averages are integrals over u by quadrature, not samples.
 * Guard: log(1 − tanh² u) as 2(log 2 − u − softplus(−2u)), finite for every u.
 */

import { integrate } from './quadrature.js';
import { outOfRange } from './tabular-mdp.js';

/** μ and σ of u. */
export interface TanhGaussian {
  /** μ. */
  mean: number;
  /** σ > 0. */
  deviation: number;
}

/** log(1 − tanh² u). */
export function logTanhSlope(preTanh: number): number {
  return 2 * (Math.LN2 - preTanh - softplus(-2 * preTanh));
}

/** log π at the action tanh u. @throws VirelError `VALUE_RANGE` unless σ > 0. */
export function tanhGaussianLogDensity(preTanh: number, gaussian: TanhGaussian): number {
  return logNormal(preTanh, gaussian) - logTanhSlope(preTanh);
}

/** E[f(a)]. @throws VirelError `VALUE_RANGE`. */
export function tanhGaussianExpectation(
  f: (action: number) => number,
  gaussian: TanhGaussian,
): number {
  return average((preTanh) => f(Math.tanh(preTanh)), gaussian);
}

/** ∇_μ E[f] by reparametrisation. @param slope f′. @throws VirelError `VALUE_RANGE`. */
export function pathwiseGradient(
  slope: (action: number) => number,
  gaussian: TanhGaussian,
): number {
  return average(
    (preTanh) => slope(Math.tanh(preTanh)) * Math.exp(logTanhSlope(preTanh)),
    gaussian,
  );
}

/** ∇_μ E[f] by the score. @throws VirelError `VALUE_RANGE`. */
export function scoreFunctionGradient(
  f: (action: number) => number,
  gaussian: TanhGaussian,
): number {
  const { mean, deviation } = gaussian;
  return average(
    (preTanh) => (f(Math.tanh(preTanh)) * (preTanh - mean)) / deviation ** 2,
    gaussian,
  );
}

/** Beyond so many deviations nothing is left of a Gaussian: e^−72. */
const WIDTHS = 12;

function average(f: (preTanh: number) => number, gaussian: TanhGaussian): number {
  const { mean, deviation } = gaussian;
  const reach = WIDTHS * deviation;
  return integrate((u) => f(u) * Math.exp(logNormal(u, gaussian)), [mean - reach, mean + reach]);
}

function logNormal(value: number, { mean, deviation }: TanhGaussian): number {
  if (!(deviation > 0)) throw outOfRange('deviation', 'a number above 0', deviation);
  const standardised = (value - mean) / deviation;
  return -0.5 * standardised ** 2 - Math.log(deviation) - 0.5 * Math.log(2 * Math.PI);
}

/** log(1 + eˣ), without overflow. */
function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}
