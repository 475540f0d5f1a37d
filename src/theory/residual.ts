/**
 * Bellman residual and residual error, for every operator of the target set.
 *
 *   β_w(h) = (T_w Q_w)(h) − Q_w(h)
 *   ε_w    = (c/p) mean_h |β_w(h)|^p                     c = 1, p = 2 unless said: ½ mean β² (E.3)
 *   ε_{w,k} = (c/p) mean_h |β_{w,k}(h)|^p + ε_k          annealed (F.2)
 *
 * The Boltzmann target is implicit (App. C): T^{π_w} needs ε_w, and ε_w is the residual error of T^{π_w}. It is a root of
 *
 *   F(ε) = ½ mean (T^{π_ε} Q − Q)² − ε                   π_ε ∝ exp(Q/ε);  F(0+) ≥ 0 and F(∞) < 0, so there is one at least
 *
 * Q `[N]` in units of return, ε_w in units of return to the power of p.
 */

import { VirelError } from '../errors.js';
import {
  annealedBoltzmannOperator,
  optimalityOperator,
  policyEvaluationOperator,
} from './bellman.js';
import { mean, type TabularMdp, unknownKind } from './tabular-mdp.js';

/** T_w: the operator whose residual is minimised. */
export type Target =
  /** T*. */
  | { kind: 'optimal' }
  /** T^{π_w}, with ε_w by its implicit definition. */
  | { kind: 'boltzmann' }
  /** T_{w,k} (36) at ε_k, here `floor`, which is added to the residual error too. */
  | { kind: 'annealed'; floor: number }
  /** T^{π_θ} (F.5). A member of the target set only where π_θ = π_w. */
  | { kind: 'variational'; policy: Float64Array };

/** The kinds of targets. */
export const TARGET_KINDS = ['optimal', 'boltzmann', 'annealed', 'variational'] as const;

/** c and p of the norm. */
export interface Norm {
  /** p: 2 for the mean square. */
  power: number;
  /** c. */
  factor: number;
}

/** ½ mean β²: the norm of E.3, F.1 and F.3. */
export const HALF_MEAN_SQUARE: Norm = { power: 2, factor: 1 };

/** T_w Q_w. @throws VirelError as the operator does. */
export function bellmanTarget(
  mdp: TabularMdp,
  actionValue: Float64Array,
  target: Target,
): Float64Array {
  switch (target.kind) {
    case 'optimal':
      return optimalityOperator(mdp, actionValue);
    case 'annealed':
      return annealedBoltzmannOperator(mdp, actionValue, target.floor);
    case 'variational':
      return policyEvaluationOperator(mdp, actionValue, target.policy);
    case 'boltzmann': {
      const temperature = implicitResidualError(mdp, actionValue);
      return temperature === 0
        ? optimalityOperator(mdp, actionValue)
        : annealedBoltzmannOperator(mdp, actionValue, temperature);
    }
    default:
      // only from JavaScript
      throw unknownKind('target.kind', TARGET_KINDS, (target as { kind: unknown }).kind);
  }
}

/** β_w, `[N]`. @throws VirelError as the operator does. */
export function bellmanResidual(
  mdp: TabularMdp,
  actionValue: Float64Array,
  target: Target,
): Float64Array {
  return bellmanTarget(mdp, actionValue, target).map((value, pair) => value - actionValue[pair]!);
}

/** (c/p) mean |β|^p of a residual, `[N]`. @throws VirelError `NOT_FINITE` where it overflows. */
export function normOf(residual: Float64Array, { power, factor }: Norm = HALF_MEAN_SQUARE): number {
  const norm = (factor / power) * mean(residual.map((value) => Math.abs(value) ** power));
  if (Number.isFinite(norm)) return norm;
  const message = `residual error: expected a finite number, got ${norm}; the residual is too large for its power`;
  throw new VirelError('NOT_FINITE', message, { where: 'residual error' });
}

/**
 * ε_w, or ε_{w,k} for the annealed target: the temperature of Boltzmann's policy.
 *
 * @param actionValue Q_w, `[N]`.
 * @throws VirelError as the operator does; `NORM_INVALID` unless p ≥ 1 and c > 0, both finite.
 */
export function residualError(
  mdp: TabularMdp,
  actionValue: Float64Array,
  target: Target,
  norm: Norm = HALF_MEAN_SQUARE,
): number {
  expectNorm(norm);
  if (target.kind === 'boltzmann') return implicitResidualError(mdp, actionValue, norm);
  const floor = target.kind === 'annealed' ? target.floor : 0;
  return normOf(bellmanResidual(mdp, actionValue, target), norm) + floor;
}

/**
 * ε_w of the Boltzmann target: a root of F, bracketed from the residual error of T* by powers of two.
 *
 * There is a root, but there may be several: Q* has ε_w = 0, and on the 3x2 MDP with rewards times 30 also 54.3 and 147.4. Then
 * the one is taken that is next to the residual error of T*, which is what ε_w would be for the greedy policy.
 *
 * @returns 0 where T*Q = Q up to rounding: F(0+) = 0, and Boltzmann's policy is its limit, the greedy one.
 * @throws VirelError `LENGTH_MISMATCH`, `NOT_FINITE`, `NORM_INVALID`.
 */
export function implicitResidualError(
  mdp: TabularMdp,
  actionValue: Float64Array,
  norm: Norm = HALF_MEAN_SQUARE,
): number {
  expectNorm(norm);
  const errorAt = (floor: number) =>
    normOf(bellmanResidual(mdp, actionValue, { kind: 'annealed', floor }), norm);
  const excess = (temperature: number) => errorAt(temperature) - temperature;
  const atZero = normOf(bellmanResidual(mdp, actionValue, { kind: 'optimal' }), norm);
  const rounding = normOf(
    actionValue.map((value) => 4 * Number.EPSILON * value),
    norm,
  );
  if (atZero <= rounding) return 0;

  let [below, above] = [atZero, atZero];
  while (excess(above) > 0) above *= 2;
  while (excess(below) <= 0 && below > rounding) below /= 2;
  return findRoot(excess, below, above);
}

/**
 * The root between two points of opposite sign, to neighbouring numbers: Chandrupatla's method, inverse quadratic
 * interpolation where the last three points allow it and halving where not. Some ten evaluations instead of fifty.
 */
export function findRoot(f: (x: number) => number, start: number, end: number): number {
  let [x1, x2, x3] = [end, start, start];
  let [f1, f2, f3] = [f(x1), f(x2), Number.NaN];
  let step = 0.5;
  for (;;) {
    const x = x1 + step * (x2 - x1);
    const value = f(x);
    // x1 and x2 bracket the root, x3 is the point that was left last
    if (Math.sign(value) === Math.sign(f1)) [x3, f3] = [x1, f1];
    else [x3, x2, f3, f2] = [x2, x1, f2, f1];
    [x1, f1] = [x, value];
    const [best, atBest] = Math.abs(f1) < Math.abs(f2) ? [x1, f1] : [x2, f2];
    const smallest = (2 * Number.EPSILON * Math.abs(best)) / Math.abs(x2 - x1);
    if (smallest > 0.5 || atBest === 0) return best;

    const [position, height] = [(x1 - x2) / (x3 - x2), (f1 - f2) / (f3 - f2)];
    const smooth = 1 - Math.sqrt(1 - position) < height && height < Math.sqrt(position);
    step = smooth
      ? (f1 / (f2 - f1)) * (f3 / (f2 - f3)) +
        ((x3 - x1) / (x2 - x1)) * (f1 / (f3 - f1)) * (f2 / (f3 - f2))
      : 0.5;
    step = Math.min(1 - smallest, Math.max(smallest, step));
  }
}

function expectNorm({ power, factor }: Norm): void {
  if (power >= 1 && factor > 0 && Number.isFinite(power) && Number.isFinite(factor)) return;
  const message = `norm: expected a power of 1 or more and a factor above 0, both finite, got ${power} and ${factor}`;
  throw new VirelError('NORM_INVALID', message, { where: 'norm' });
}
