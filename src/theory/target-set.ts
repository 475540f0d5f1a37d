/**
 * The target set 𝕋 (Definition 2): operators T_w with T_w Q_w → T* Q_w as ε_w → 0.
 *
 * Members: T* itself, T^{π_w} (App. C), T_{w,k} as ε_k → 0 (Theorem 5 i). T^{π_θ} is one only where π_θ = π_w.
 *
 *   (T* Q − T^{π_ε} Q)(h) = γ E_{s′}[ max_b Q(s′, b) − E_{π_ε} Q ]                             App. C
 *
 * which for two actions is γ E_{s′}[gap σ(−gap/ε)], gap the difference of their values.
 */

import { largestMagnitude, optimalityOperator } from './bellman.js';
import { boltzmannPolicy } from './boltzmann.js';
import { bellmanTarget, type Target } from './residual.js';
import { expectedNext, expectedUnder, largestOf, type TabularMdp } from './tabular-mdp.js';

/** T* Q − T^{π_ε} Q, `[N]`, never negative: what a Boltzmann policy at temperature ε loses in one backup. */
export function softnessGap(
  mdp: TabularMdp,
  actionValue: Float64Array,
  temperature: number,
): Float64Array {
  const policy = boltzmannPolicy(actionValue, temperature, mdp.actions);
  const expected = expectedUnder(policy, actionValue, mdp.actions);
  const loss = largestOf(actionValue, mdp.actions).map((value, state) => value - expected[state]!);
  return expectedNext(mdp, loss).map((value) => mdp.discount * value);
}

/** max_h |T_w Q − T* Q|, which Definition 2 wants to vanish with ε_w. */
export function distanceToOptimality(
  mdp: TabularMdp,
  actionValue: Float64Array,
  target: Target,
): number {
  const optimal = optimalityOperator(mdp, actionValue);
  const own = bellmanTarget(mdp, actionValue, target);
  return largestMagnitude(own.map((value, pair) => value - optimal[pair]!));
}
