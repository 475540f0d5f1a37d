/**
 * Bellman operators on tables, and their fixed points.
 *
 *   (T^π Q)(h)    = r(h) + γ E_{s′~p, a′~π}[Q(h′)]                 policy evaluation
 *   (T* Q)(h)     = r(h) + γ E_{s′~p}[max_{a′} Q(h′)]              optimality
 *   (T_{w,k} Q)(h) = (T^{p_{w,k}} Q)(h),  p_{w,k} ∝ exp(Q/ε_k)     annealed Boltzmann operator (36)
 *
 * T^{π_w}, the operator of Boltzmann's policy (3), is the third at the temperature ε_w, which is itself defined by it: see
 * residual.ts. T^{π_θ}, the variational one (F.5), is the first with the E-step's policy. Q `[N]` in units of return.
 */

import { LuDecomposition, Matrix } from 'ml-matrix';
import { boltzmannPolicy, greedyPolicy } from './boltzmann.js';
import {
  expectedNext,
  expectedUnder,
  expectPolicy,
  expectTable,
  largestOf,
  type TabularMdp,
} from './tabular-mdp.js';

/** r + γ E_{s′}[v(s′)], the part that all operators share; v `[S]`. */
function backup(mdp: TabularMdp, nextValue: Float64Array): Float64Array {
  return expectedNext(mdp, nextValue).map((next, pair) => mdp.reward[pair]! + mdp.discount * next);
}

/**
 * T^π Q.
 *
 * @param actionValue Q, `[N]`.
 * @param policy π, `[N]`.
 * @throws VirelError `LENGTH_MISMATCH`, `NOT_FINITE`, `POLICY_INVALID`.
 */
export function policyEvaluationOperator(
  mdp: TabularMdp,
  actionValue: Float64Array,
  policy: Float64Array,
): Float64Array {
  expectTable('actionValue', actionValue, mdp.pairs);
  expectPolicy('policy', policy, mdp);
  return backup(mdp, expectedUnder(policy, actionValue, mdp.actions));
}

/**
 * T* Q.
 *
 * @param actionValue Q, `[N]`.
 * @throws VirelError `LENGTH_MISMATCH`, `NOT_FINITE`.
 */
export function optimalityOperator(mdp: TabularMdp, actionValue: Float64Array): Float64Array {
  expectTable('actionValue', actionValue, mdp.pairs);
  return backup(mdp, largestOf(actionValue, mdp.actions));
}

/**
 * T_{w,k} Q (36): policy evaluation of the Boltzmann policy at a temperature of its own.
 *
 * @param actionValue Q, `[N]`.
 * @param temperature ε_k > 0; at ε_w it is T^{π_w}.
 * @throws VirelError `TEMPERATURE_NOT_POSITIVE`, `LENGTH_MISMATCH`, `NOT_FINITE`.
 */
export function annealedBoltzmannOperator(
  mdp: TabularMdp,
  actionValue: Float64Array,
  temperature: number,
): Float64Array {
  const policy = boltzmannPolicy(actionValue, temperature, mdp.actions);
  return policyEvaluationOperator(mdp, actionValue, policy);
}

/**
 * Q^π, the fixed point of T^π, by a linear solve for V^π = (I − γ P^π)^{−1} r^π and one backup.
 *
 * @param policy π, `[N]`.
 * @throws VirelError `LENGTH_MISMATCH`, `NOT_FINITE`, `POLICY_INVALID`.
 */
export function policyActionValue(mdp: TabularMdp, policy: Float64Array): Float64Array {
  expectPolicy('policy', policy, mdp);
  const { states, actions, discount, transition, reward } = mdp;
  const system = Matrix.eye(states);
  for (let pair = 0; pair < mdp.pairs; pair++) {
    const state = Math.floor(pair / actions);
    const weight = discount * policy[pair]!;
    for (let next = 0; next < states; next++) {
      const entry = system.get(state, next) - weight * transition[pair * states + next]!;
      system.set(state, next, entry);
    }
  }
  const rewards = Matrix.columnVector(expectedUnder(policy, reward, actions));
  const stateValue = new LuDecomposition(system).solve(rewards).to1DArray();
  return backup(mdp, Float64Array.from(stateValue));
}

/**
 * Q*, the fixed point of T*, by policy iteration: policy evaluation and greedy improvement until the policy stays.
 *
 * A tie between actions is broken by the first, so that it ends after finitely many policies.
 */
export function optimalActionValue(mdp: TabularMdp): Float64Array {
  let actionValue = policyActionValue(mdp, greedyPolicy(mdp.reward, mdp.actions));
  for (;;) {
    const improved = policyActionValue(mdp, greedyPolicy(actionValue, mdp.actions));
    // a policy that is better nowhere is an optimal one; below this an improvement is rounding
    const gain = improved.reduce(
      (most, value, pair) => Math.max(most, value - actionValue[pair]!),
      0,
    );
    if (gain <= 1e-13 * (1 + largestMagnitude(improved))) return improved;
    actionValue = improved;
  }
}

/** max_h |f(h)|, the sup norm. */
export function largestMagnitude(table: Float64Array): number {
  return table.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}
