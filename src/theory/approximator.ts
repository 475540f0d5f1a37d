/**
 * Approximators Q_w: what the theory needs of one, and the three of the examples.
 *
 *   Q_w(h)     values, `[N]`
 *   b_w = ∇_w Q_w(h)      gradient, `[N, P]`
 *   (∇²_w Q_w(h)) v       curvature, `[N, P]`: a Hessian-vector product, in the cost of a gradient (Pearlmutter; F.1)
 *
 * w `[P]`. Assumption 5 asks for three derivatives: all of these have them.
 */

import { VirelError } from '../errors.js';
import { expectTable } from './tabular-mdp.js';

/** A function of pairs with parameters w. */
export interface Approximator {
  /** N. */
  pairs: number;
  /** P. */
  parameters: number;
  /** Q_w, `[N]`. */
  values(parameters: Float64Array): Float64Array;
  /** b_w, `[N, P]`. */
  gradient(parameters: Float64Array): Float64Array;
  /** (∇² Q_w) v, `[N, P]`. */
  curvature(parameters: Float64Array, direction: Float64Array): Float64Array;
}

/** Q_w(h) = w_h: every table can be represented (Assumption 2). */
export function tabularApproximator(pairs: number): Approximator {
  const identity = new Float64Array(pairs * pairs);
  for (let pair = 0; pair < pairs; pair++) identity[pair * pairs + pair] = 1;
  return linearApproximator(identity, pairs);
}

/**
 * Q_w(h) = b(h)ᵀw.
 *
 * @param features b, `[N, P]`.
 * @param parameters P.
 * @throws VirelError `LENGTH_MISMATCH`, `NOT_FINITE`.
 */
export function linearApproximator(features: Float64Array, parameters: number): Approximator {
  const pairs = features.length / parameters;
  if (!Number.isInteger(pairs)) {
    const message = `features: expected rows of ${parameters} values, got ${features.length} values`;
    throw new VirelError('LENGTH_MISMATCH', message, { where: 'features' });
  }
  expectTable('features', features, pairs * parameters);
  return {
    pairs,
    parameters,
    values: (w) => alongRows(features, w),
    gradient: () => features.slice(),
    curvature: () => new Float64Array(features.length),
  };
}

/**
 * Q_w(s, a) = w0 + w1 a + 2 tanh(w2 (s − c) + a/2), c the middle state: small, smooth and not linear in w2.
 *
 * @param states S, numbered from 0; `actions` likewise.
 */
export function tanhApproximator(states: number, actions: number): Approximator {
  const pairs = states * actions;
  const place = (pair: number) => Math.floor(pair / actions) - (states - 1) / 2;
  const squashed = (w: Float64Array, pair: number) =>
    Math.tanh(w[2]! * place(pair) + (pair % actions) / 2);
  const rows = (row: (pair: number) => readonly number[]) =>
    Float64Array.from(Array.from({ length: pairs }, (_, pair) => row(pair)).flat());
  return {
    pairs,
    parameters: 3,
    values: (w) =>
      Float64Array.from({ length: pairs }, (_, pair) => {
        return w[0]! + w[1]! * (pair % actions) + 2 * squashed(w, pair);
      }),
    gradient: (w) =>
      rows((pair) => [1, pair % actions, 2 * place(pair) * (1 - squashed(w, pair) ** 2)]),
    curvature: (w, direction) =>
      rows((pair) => {
        const tanh = squashed(w, pair);
        return [0, 0, -4 * place(pair) ** 2 * tanh * (1 - tanh ** 2) * direction[2]!];
      }),
  };
}

/**
 * Jᵀc: the gradient by w of what has the gradient c by the table; J `[N, P]` is {@link Approximator.gradient}.
 *
 * @returns `[P]`.
 */
export function pullBack(jacobian: Float64Array, tableGradient: Float64Array): Float64Array {
  const parameters = jacobian.length / tableGradient.length;
  const gradient = new Float64Array(parameters);
  jacobian.forEach((value, entry) => {
    gradient[entry % parameters]! += value * tableGradient[Math.floor(entry / parameters)]!;
  });
  return gradient;
}

/** Jw for every row of J `[N, P]`: `[N]`. */
export function alongRows(jacobian: Float64Array, direction: Float64Array): Float64Array {
  const along = new Float64Array(jacobian.length / direction.length);
  jacobian.forEach((value, entry) => {
    along[Math.floor(entry / direction.length)]! += value * direction[entry % direction.length]!;
  });
  return along;
}
