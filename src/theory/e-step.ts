/**
 * E-step (6), (25), E.4, and that of MPO (43): the variational policy follows the bound at fixed Q_w and ε_w.
 *
 *   π_θ = softmax(θ) over the actions of a state, θ `[N]` logits
 *   ε_w ∇_θ L = E_d[ E_{π_θ}[Q_w ∇ log π_θ] + ε_w ∇H(π_θ) ]                                    (25)
 *             = d(s) π_θ(a|s) (f − E_{π_θ} f),  f = Q_w − ε_w log π_θ
 *   its optimum: π_θ = π_w (Theorem 3)
 *
 * With a prior policy π_φ (App. G):  f = Q_w − ε_w log(π_θ/π_φ)  (43), optimum ∝ π_φ exp(Q_w/ε_w).
 */

import { boltzmannPolicy, greedyPolicy } from './boltzmann.js';
import { centred } from './residual-gradient.js';
import { actionsPerState, expectPolicy, expectTable, outOfRange } from './tabular-mdp.js';

/** What an E-step reads. */
export interface EStep {
  /** Q_w, `[N]`. */
  actionValue: Float64Array;
  /** ε_w. */
  temperature: number;
  /** d, `[S]`. */
  stateWeights: Float64Array;
  /** π_φ, `[N]`; none is a uniform one, which changes nothing but a constant. */
  priorPolicy?: Float64Array;
}

/**
 * The complete E-step: the policy that maximises the bound, `[N]`; the greedy one at ε_w = 0.
 *
 * @throws VirelError `TEMPERATURE_NOT_POSITIVE` at ε_w < 0; `LENGTH_MISMATCH`, `NOT_FINITE`, `DISTRIBUTION_INVALID`,
 *   `POLICY_INVALID`.
 */
export function eStep({
  actionValue,
  temperature,
  stateWeights,
  priorPolicy,
}: EStep): Float64Array {
  const actions = actionsPerState(actionValue, stateWeights);
  if (priorPolicy !== undefined) {
    expectPolicy('priorPolicy', priorPolicy, { pairs: actionValue.length, actions });
  }
  if (temperature === 0) {
    // of the prior policy only its zeros are left in the limit
    const possible = actionValue.map((value, h) => (priorPolicy?.[h] === 0 ? -Infinity : value));
    return greedyPolicy(possible, actions);
  }
  if (priorPolicy === undefined) return boltzmannPolicy(actionValue, temperature, actions);
  const shifted = actionValue.map((value, h) => value + temperature * Math.log(priorPolicy[h]!));
  return boltzmannPolicy(shifted, temperature, actions);
}

/** KL(π_θ ‖ π_φ) of a softmax policy is finite only where every action has some prior probability. */
function expectPositivePrior(priorPolicy: Float64Array, pairs: number, actions: number): void {
  expectPolicy('priorPolicy', priorPolicy, { pairs, actions });
  const zero = priorPolicy.indexOf(0);
  if (zero >= 0) throw outOfRange(`priorPolicy[${zero}]`, 'a probability above 0', 0);
}

/** softmax(θ), `[N]`: the policy of logits θ. */
export function softmaxPolicy(logits: Float64Array, actions: number): Float64Array {
  return boltzmannPolicy(logits, 1, actions);
}

/**
 * ε_w ∇_θ L of a softmax policy (25), or (43) with a prior policy.
 *
 * @param logits θ, `[N]`.
 * @returns `[N]`, in units of Q.
 * @throws VirelError `LENGTH_MISMATCH`, `NOT_FINITE`, `DISTRIBUTION_INVALID`; `POLICY_INVALID` or `VALUE_RANGE` for a prior
 *   policy that is none, or leaves an action out.
 */
export function eStepGradient(step: EStep, logits: Float64Array): Float64Array {
  const { actionValue, temperature, stateWeights, priorPolicy } = step;
  const actions = actionsPerState(actionValue, stateWeights);
  expectTable('actionValue', actionValue, actionValue.length);
  expectTable('logits', logits, actionValue.length);
  if (priorPolicy !== undefined) expectPositivePrior(priorPolicy, actionValue.length, actions);
  const policy = softmaxPolicy(logits, actions);
  // log π_θ is θ less a constant of the state, which the gradient does not see: finite where π_θ rounds to 0
  const followed = actionValue.map((value, h) => {
    const logPrior = priorPolicy === undefined ? 0 : Math.log(priorPolicy[h]!);
    return value - temperature * (logits[h]! - logPrior);
  });
  return scoreGradient(policy, followed, stateWeights);
}

/** E_d[E_π[f ∇ log π]] by the logits of π (E.4): d(s) π(a|s) (f − E_π f). @param followed f, `[N]`. */
export function scoreGradient(
  policy: Float64Array,
  followed: Float64Array,
  stateWeights: Float64Array,
): Float64Array {
  const actions = policy.length / stateWeights.length;
  return centred(followed, policy, actions).map(
    (value, h) => stateWeights[Math.floor(h / actions)]! * policy[h]! * value,
  );
}
