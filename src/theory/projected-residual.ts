/**
 * Projected residual (32)-(35), F.1: without Assumption 2 the residual error may have no zero, its projection onto the tangent
 * space of Q_w at w always has one.
 *
 *   ζ_w   = E[b bᵀ]^{−1} E[β b]                                  auxiliary weights; least squares of β by b (32)
 *   P_w f = bᵀ E[b bᵀ]^{−1} E[b f]
 *   ε_P   = ½ mean (P_w β)² = ½ E[β b]ᵀ ζ_w                      (33); never more than ε_w
 *   ∇ε_P  = E[(∇β)(bᵀζ)] + E[(β − bᵀζ)(∇²Q_w) ζ]                 exact for every explicit target
 *
 *   ζ ← ζ + α_ζ E[(β − bᵀζ) b]                                   (34)
 *   w ← P(w − α_w ∇ε_P at this ζ)                                (35), its second term inside α_w
 *
 * The print puts ζ on the slower time scale, α_ζ/α_w → 0. The theorem that it cites wants it on the faster one.
 * Shapes: b `[N, P]`, ζ and w `[P]`, β `[N]`. The updates are the expected ones: there is no sampling here.
 */

import { Matrix, solve } from 'ml-matrix';
import { VirelError } from '../errors.js';
import { type Approximator, alongRows, pullBack } from './approximator.js';
import { bellmanResidual, normOf, type Target } from './residual.js';
import { residualPullback } from './residual-gradient.js';
import { expectTable, type TabularMdp } from './tabular-mdp.js';

/** A column of which less than this share is its own leaves E[b bᵀ] without an inverse in float64: four digits above ε64. */
const SMALLEST_SHARE = 1e-12;

/** E[b bᵀ], `[P, P]`, and E[b f], `[P]`. */
function normalEquations(gradient: Float64Array, table: Float64Array) {
  const pairs = table.length;
  const features = Matrix.from1DArray(pairs, gradient.length / pairs, [...gradient]);
  return {
    covariance: features.transpose().mmul(features).div(pairs),
    moment: pullBack(gradient, table).map((value) => value / pairs),
  };
}

/**
 * ζ: the weights of least squares of a table by the gradient's columns (32).
 *
 * @param gradient b, `[N, P]`.
 * @param table f, `[N]`; β_w for the auxiliary weights.
 * @returns `[P]`.
 * @throws VirelError `FEATURES_SINGULAR` where E[b bᵀ] has no inverse, naming the column; `NOT_FINITE`.
 */
export function auxiliaryWeights(gradient: Float64Array, table: Float64Array): Float64Array {
  expectTable('gradient', gradient, gradient.length);
  expectTable('table', table, table.length);
  const { covariance, moment } = normalEquations(gradient, table);
  expectInvertible(covariance);
  return Float64Array.from(solve(covariance, Matrix.columnVector(moment)).to1DArray());
}

function expectInvertible(covariance: Matrix): void {
  const squares = covariance.diagonal();
  const pivots = choleskyPivots(covariance);
  const weakest = pivots.findIndex((pivot, i) => !(pivot > SMALLEST_SHARE * squares[i]!));
  if (weakest < 0) return;
  throw new VirelError(
    'FEATURES_SINGULAR',
    `features: column ${weakest} depends on those before it, E[bbᵀ] has no inverse`,
    { where: `features, column ${weakest}`, fix: 'remove the column, or take fewer parameters' },
  );
}

/** The pivots of a symmetric elimination: how much of each column the ones before it do not explain. */
function choleskyPivots(covariance: Matrix): number[] {
  const rest = covariance.clone();
  return Array.from({ length: rest.rows }, (_, column) => {
    const pivot = rest.get(column, column);
    for (let row = column + 1; row < rest.rows && pivot > 0; row++) {
      const factor = rest.get(row, column) / pivot;
      for (let other = column + 1; other < rest.rows; other++) {
        rest.set(row, other, rest.get(row, other) - factor * rest.get(column, other));
      }
    }
    return pivot;
  });
}

/** P_w f, `[N]`. @throws VirelError `FEATURES_SINGULAR`. */
export function projection(gradient: Float64Array, table: Float64Array): Float64Array {
  return alongRows(gradient, auxiliaryWeights(gradient, table));
}

/**
 * ε_P (33).
 *
 * @param parameters w, `[P]`.
 * @throws VirelError `FEATURES_SINGULAR`, and as the operator does.
 */
export function projectedResidualError(
  mdp: TabularMdp,
  approximator: Approximator,
  parameters: Float64Array,
  target: Target,
): number {
  const residual = bellmanResidual(mdp, approximator.values(parameters), target);
  return normOf(projection(approximator.gradient(parameters), residual));
}

/** Both terms of the gradient, at given auxiliary weights ζ: what (35) steps along. */
export function projectedGradientAt(
  mdp: TabularMdp,
  approximator: Approximator,
  parameters: Float64Array,
  weights: Float64Array,
  target: Target,
): Float64Array {
  const actionValue = approximator.values(parameters);
  const gradient = approximator.gradient(parameters);
  const residual = bellmanResidual(mdp, actionValue, target);
  const derivative = alongRows(gradient, weights);

  const first = residualPullback(
    mdp,
    actionValue,
    target,
    derivative.map((value) => value / mdp.pairs),
  );
  const second = residual.map((value, pair) => (value - derivative[pair]!) / mdp.pairs);
  const curvature = approximator.curvature(parameters, weights);
  const bySecond = pullBack(curvature, second);
  return pullBack(gradient, first).map((value, i) => value + bySecond[i]!);
}

/** ∇ε_P: {@link projectedGradientAt} at ζ_w. @throws VirelError `FEATURES_SINGULAR`. */
export function projectedResidualGradient(
  mdp: TabularMdp,
  approximator: Approximator,
  parameters: Float64Array,
  target: Target,
): Float64Array {
  const residual = bellmanResidual(mdp, approximator.values(parameters), target);
  const weights = auxiliaryWeights(approximator.gradient(parameters), residual);
  return projectedGradientAt(mdp, approximator, parameters, weights, target);
}

/** w and ζ of the two time scales. */
export interface TwoTimescaleState {
  /** w. */
  parameters: Float64Array;
  /** ζ. */
  weights: Float64Array;
}

/** α_w, α_ζ and the radius of the ball that P projects w onto. */
export interface TwoTimescaleStep {
  /** α_w. */
  valueStep: number;
  /** α_ζ. */
  auxiliaryStep: number;
  /** Of the ball onto which w is projected. */
  radius: number;
}

/** One expected update (34), (35), both from the same w and ζ. */
export function twoTimescaleStep(
  mdp: TabularMdp,
  approximator: Approximator,
  { parameters, weights }: TwoTimescaleState,
  target: Target,
  { valueStep, auxiliaryStep, radius }: TwoTimescaleStep,
): TwoTimescaleState {
  const gradient = approximator.gradient(parameters);
  const residual = bellmanResidual(mdp, approximator.values(parameters), target);
  const derivative = alongRows(gradient, weights);
  const error = residual.map((value, pair) => (value - derivative[pair]!) / mdp.pairs);
  const towardsZeta = pullBack(gradient, error);
  const slope = projectedGradientAt(mdp, approximator, parameters, weights, target);
  return {
    parameters: ontoBall(
      parameters.map((value, i) => value - valueStep * slope[i]!),
      radius,
    ),
    weights: weights.map((value, i) => value + auxiliaryStep * towardsZeta[i]!),
  };
}

/** P of (35): the nearest point of the ball ‖w‖ ≤ radius. */
export function ontoBall(parameters: Float64Array, radius: number): Float64Array {
  const norm = Math.hypot(...parameters);
  return norm <= radius ? parameters : parameters.map((value) => (value * radius) / norm);
}
