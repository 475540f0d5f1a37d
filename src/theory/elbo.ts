/**
 * The evidence lower bound of VIREL and its decompositions.
 *
 *   L(w, θ) = E_{s~d}[ E_{a~π_θ}[Q_w(h)]/ε_w + H(π_θ(·|s)) ]                                   (4)
 *           = ℓ(w) − KL(q_θ ‖ p_w) − H(d)                                                      (5), (11)
 *   KL(q_θ ‖ p_w) = KL(d ‖ p_w(s)) + E_d[KL(π_θ ‖ π_w)]                                        (24)
 *
 *   ℓ(w) = log Σ_h exp(Q_w/ε_w),  p_w(h) = exp(Q_w/ε_w − ℓ),  q_θ(h) = d(s) π_θ(a|s)
 *
 * With a prior policy π_φ in the place of the uniform one (App. G):
 *
 *   L(w, θ, φ) = E_d[ E_{π_θ}[Q_w]/ε_w − KL(π_θ ‖ π_φ) ]                                       (42)
 *
 * Shapes: Q, π, p, q `[N]`, d `[S]`. In nats. 0 log 0 = 0: a policy may leave actions out.
 */

import { expectPositive, logPartitions } from './boltzmann.js';
import { actionsPerState, expectedUnder, expectPolicy, expectTable } from './tabular-mdp.js';

/** What the bound is a function of. */
export interface Bound {
  /** Q_w, `[N]`. */
  actionValue: Float64Array;
  /** ε_w > 0. */
  temperature: number;
  /** π_θ, `[N]`. */
  policy: Float64Array;
  /** d, `[S]`. */
  stateWeights: Float64Array;
}

/**
 * L(w, θ) (4).
 *
 * @throws VirelError `TEMPERATURE_NOT_POSITIVE`: at ε_w = 0 it is infinite (Lemma 1); `LENGTH_MISMATCH`, `NOT_FINITE`,
 *   `DISTRIBUTION_INVALID`, `POLICY_INVALID` of its parts.
 */
export function evidenceLowerBound(bound: Bound): number {
  const { actionValue, temperature, policy, stateWeights } = bound;
  expectBound(bound);
  const actions = policy.length / stateWeights.length;
  const value = expectedUnder(policy, actionValue, actions);
  const spread = policyEntropies(policy, actions);
  return weighted(stateWeights, (state) => value[state]! / temperature + spread[state]!);
}

/**
 * Checks what a bound is asked of.
 *
 * @throws VirelError `TEMPERATURE_NOT_POSITIVE`, `LENGTH_MISMATCH`, `NOT_FINITE`, `POLICY_INVALID`, `DISTRIBUTION_INVALID`.
 */
function expectBound({ actionValue, temperature, policy, stateWeights }: Bound): void {
  expectPositive(temperature);
  expectTable('actionValue', actionValue, actionValue.length);
  const actions = actionsPerState(actionValue, stateWeights);
  expectPolicy('policy', policy, { pairs: actionValue.length, actions });
}

/** H(π(·|s)) of every state, `[S]`. */
export function policyEntropies(policy: Float64Array, actions: number): Float64Array {
  return expectedUnder(policy, policy.map(minusLog), actions);
}

/** H(d) = −Σ d log d. */
export function entropy(distribution: Float64Array): number {
  return distribution.reduce((sum, p) => sum + p * minusLog(p), 0);
}

/** ℓ(w). @throws VirelError `TEMPERATURE_NOT_POSITIVE`. */
export function logPartition({
  actionValue,
  temperature,
}: Pick<Bound, 'actionValue' | 'temperature'>): number {
  return logPartitions(actionValue, temperature, actionValue.length)[0]!;
}

/** p_w(h), `[N]`. */
export function boltzmannJoint(bound: Pick<Bound, 'actionValue' | 'temperature'>): Float64Array {
  const partition = logPartition(bound);
  return bound.actionValue.map((value) => Math.exp(value / bound.temperature - partition));
}

/** q_θ(h) = d(s) π_θ(a|s), `[N]`. */
export function variationalJoint({
  policy,
  stateWeights,
}: Pick<Bound, 'policy' | 'stateWeights'>): Float64Array {
  const actions = policy.length / stateWeights.length;
  return policy.map((p, pair) => stateWeights[Math.floor(pair / actions)]! * p);
}

/** KL(q ‖ p) = Σ q log(q/p), of distributions of one shape; infinite where p lacks what q has. */
export function klDivergence(from: Float64Array, to: Float64Array): number {
  return from.reduce((sum, q, i) => sum + (q === 0 ? 0 : q * Math.log(q / to[i]!)), 0);
}

/** KL(π ‖ π′) of every state, `[S]`. */
export function policyDivergences(
  from: Float64Array,
  to: Float64Array,
  actions: number,
): Float64Array {
  const logRatio = from.map((p, pair) => (p === 0 ? 0 : Math.log(p / to[pair]!)));
  return expectedUnder(from, logRatio, actions);
}

/** The right side of (5) and (11), in its three parts. */
export interface Decomposition {
  /** ℓ(w). */
  logPartition: number;
  /** KL(q_θ ‖ p_w). */
  divergence: number;
  /** H(d). */
  stateEntropy: number;
}

/** ℓ(w), KL(q_θ ‖ p_w) and H(d): L is the first less the others (5). */
export function decomposeBound(bound: Bound): Decomposition {
  expectBound(bound);
  return {
    logPartition: logPartition(bound),
    divergence: klDivergence(variationalJoint(bound), boltzmannJoint(bound)),
    stateEntropy: entropy(bound.stateWeights),
  };
}

/** The right side of (24), in its two parts: KL(d ‖ p_w(s)) and E_d[KL(π_θ ‖ π_w)]. */
export function decomposeDivergence(bound: Bound): { states: number; policies: number } {
  const { actionValue, temperature, policy, stateWeights } = bound;
  expectBound(bound);
  const actions = policy.length / stateWeights.length;
  const partitions = logPartitions(actionValue, temperature, actions);
  const partition = logPartition(bound);

  const marginal = partitions.map((value) => Math.exp(value - partition));
  const boltzmann = actionValue.map((value, pair) =>
    Math.exp(value / temperature - partitions[Math.floor(pair / actions)]!),
  );
  const divergences = policyDivergences(policy, boltzmann, actions);
  return {
    states: klDivergence(stateWeights, marginal),
    policies: weighted(stateWeights, (state) => divergences[state]!),
  };
}

/** max_θ L = E_d log Σ_a exp(Q_w/ε_w), at π_θ = π_w (Theorem 3). */
export function largestBound({
  actionValue,
  temperature,
  stateWeights,
}: Omit<Bound, 'policy'>): number {
  const actions = actionValue.length / stateWeights.length;
  const partitions = logPartitions(actionValue, temperature, actions);
  return weighted(stateWeights, (state) => partitions[state]!);
}

/** L(w, θ, φ) (42). @param priorPolicy π_φ, `[N]`. @throws VirelError `TEMPERATURE_NOT_POSITIVE`. */
export function priorBound(bound: Bound, priorPolicy: Float64Array): number {
  const { actionValue, temperature, policy, stateWeights } = bound;
  expectBound(bound);
  const actions = policy.length / stateWeights.length;
  expectPolicy('priorPolicy', priorPolicy, { pairs: policy.length, actions });
  const value = expectedUnder(policy, actionValue, actions);
  const divergences = policyDivergences(policy, priorPolicy, actions);
  return weighted(stateWeights, (state) => value[state]! / temperature - divergences[state]!);
}

/** E_{s~d}[f(s)]. */
export function weighted(stateWeights: Float64Array, value: (state: number) => number): number {
  return stateWeights.reduce((sum, weight, state) => sum + weight * value(state), 0);
}

/** −log p, with 0 at p = 0, where it is only ever multiplied by p. */
function minusLog(p: number): number {
  return p === 0 ? 0 : -Math.log(p);
}
