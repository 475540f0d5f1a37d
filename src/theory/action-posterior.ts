/**
 * The probabilistic reading of VIREL (App. B): the policy of Boltzmann is the posterior of an action given optimality.
 *
 *   p(O = 1|h) = y_w(h) = exp((Q_w(h) − max_{a′} Q_w(s, a′))/ε_w)        optimality likelihood, in (0, 1]
 *   p(h|O) = y_w(h) p(h) / p(O),  p(h) uniform                          (10)
 *   p(a|s, O) = p(h|O) / Σ_b p(s, b|O) = π_w(a|s)
 *   bound of App. B = L(w, θ) + E_d[log(y_w(s)/d(s))],  y_w(s) = exp(−max_{a′} Q_w/ε_w)
 *
 * With a prior policy π_φ for p(a|s), p(a|s, O) ∝ π_φ exp(Q_w/ε_w) (App. G). Tables `[N]`.
 */

import { expectPositive } from './boltzmann.js';
import { type Bound, evidenceLowerBound, weighted } from './elbo.js';
import { expectedUnder, expectTable, largestOf, outOfRange } from './tabular-mdp.js';

/** y_w(h), `[N]`; 1 exactly at greedy actions. @throws VirelError `TEMPERATURE_NOT_POSITIVE`. */
export function optimalityLikelihood(
  actionValue: Float64Array,
  temperature: number,
  actions: number,
): Float64Array {
  expectPositive(temperature);
  const largest = largestOf(actionValue, actions);
  return actionValue.map((value, pair) =>
    Math.exp((value - largest[Math.floor(pair / actions)]!) / temperature),
  );
}

/**
 * p(h|O) (10), by Bayes' rule.
 *
 * @param likelihood y_w, `[N]`.
 * @param prior p(h), `[N]`: uniform in App. B.
 * @throws VirelError `LENGTH_MISMATCH`, `NOT_FINITE`; `VALUE_RANGE` where the evidence is 0.
 */
export function pairPosterior(likelihood: Float64Array, prior: Float64Array): Float64Array {
  expectTable('prior', prior, likelihood.length);
  const joint = likelihood.map((y, pair) => y * prior[pair]!);
  const evidence = joint.reduce((sum, value) => sum + value, 0);
  if (!(evidence > 0)) throw outOfRange('evidence p(O)', 'a number above 0', evidence);
  return joint.map((value) => value / evidence);
}

/** p(a|s, O) from p(h|O): divided by its marginal of s. */
export function actionPosterior(posterior: Float64Array, actions: number): Float64Array {
  const marginal = expectedUnder(
    posterior.map(() => 1),
    posterior,
    actions,
  );
  return posterior.map((value, pair) => value / marginal[Math.floor(pair / actions)]!);
}

/** The bound of App. B before the terms without θ are left out. */
export function optimalityBound(bound: Bound): number {
  const { actionValue, temperature, stateWeights } = bound;
  const largest = largestOf(actionValue, actionValue.length / stateWeights.length);
  const constant = weighted(
    stateWeights,
    (state) => -largest[state]! / temperature - Math.log(stateWeights[state]!),
  );
  return evidenceLowerBound(bound) + constant;
}
