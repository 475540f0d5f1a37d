/**
 * M-step (7), E.2 and its relaxations: Q_w follows the bound at a fixed variational policy.
 *
 *   ε_w² ∇_w L = ε_w E_{d,π_θ}[∇Q_w] − E_{d,π_θ}[Q_w] ∇ε_w                                     (7)
 *   complete:   ε_w = 0, that is T_w Q_w = Q_w                                                 (39)
 *   direct:     w ← w + α E[β ∇Q_w], the target held; complete, Q ← T_w Q                       F.3, (41)
 *
 * Tables `[N]`; gradients by the table.
 */

import { VirelError } from '../errors.js';
import { largestMagnitude, optimalActionValue, policyActionValue } from './bellman.js';
import { variationalJoint } from './elbo.js';
import { bellmanTarget, residualError, type Target } from './residual.js';
import { dot, residualErrorGradient, type Theorem4 } from './residual-gradient.js';
import { expectDistribution, expectPolicy, type TabularMdp } from './tabular-mdp.js';

/** π_θ and d, which the M-step holds. */
export interface MStep {
  /** π_θ, `[N]`. */
  policy: Float64Array;
  /** d, `[S]`. */
  stateWeights: Float64Array;
}

/**
 * ε_w² ∇_w L (7), by the table.
 *
 * @param actionValue Q_w, `[N]`.
 * @throws VirelError as {@link residualErrorGradient}; `POLICY_INVALID`, `DISTRIBUTION_INVALID`.
 */
export function mStepGradient(
  mdp: TabularMdp,
  actionValue: Float64Array,
  target: Target,
  held: MStep,
  theorem4: Theorem4 = 'corrected',
): Float64Array {
  const temperature = residualError(mdp, actionValue, target);
  expectPolicy('policy', held.policy, mdp);
  expectDistribution('stateWeights', held.stateWeights, mdp.states);
  const joint = variationalJoint(held);
  const value = dot(joint, actionValue);
  return residualErrorGradient(mdp, actionValue, target, theorem4).map(
    (slope, pair) => temperature * joint[pair]! - value * slope,
  );
}

/** More damped backups, each a factor of (1 + γ)/2, than any γ up to 0.999 needs to converge to float64. */
const MOST_BACKUPS = 100_000;

/**
 * The complete M-step: Q with no residual, T_w Q = Q.
 *
 * For T* and T^{π_w} it is Q*: where ε_w = 0 the second is the first. For T^{π_θ} it is Q^{π_θ} (39), by a linear solve. For T_{w,k} it is the limit of Q ← ½ (Q + T_{w,k} Q) from `actionValue`.
 *
 * @throws VirelError `NOT_CONVERGED` where the backups of T_{w,k} do not settle.
 */
export function mStep(mdp: TabularMdp, actionValue: Float64Array, target: Target): Float64Array {
  switch (target.kind) {
    case 'optimal':
    case 'boltzmann':
      return optimalActionValue(mdp);
    case 'variational':
      return policyActionValue(mdp, target.policy);
    case 'annealed':
      return settle(mdp, actionValue, target);
  }
}

/** Q ← T_w Q: the complete M-step of the direct method (41), the target held. */
export function directMStep(
  mdp: TabularMdp,
  actionValue: Float64Array,
  target: Target,
): Float64Array {
  return bellmanTarget(mdp, actionValue, target);
}

/** Damped backups until they change nothing but the last bits. */
function settle(mdp: TabularMdp, start: Float64Array, target: Target): Float64Array {
  let actionValue = start;
  for (let backup = 0; backup < MOST_BACKUPS; backup++) {
    const held = actionValue;
    const next = bellmanTarget(mdp, held, target);
    const change = largestMagnitude(next.map((value, h) => value - held[h]!));
    if (change <= 4 * Number.EPSILON * largestMagnitude(next)) return next;
    actionValue = next.map((value, h) => 0.5 * (value + held[h]!));
  }
  throw new VirelError('NOT_CONVERGED', `Q = T Q: no fixed point after ${MOST_BACKUPS} backups`, {
    fix: 'start from another Q, or raise the floor of the residual error',
  });
}
