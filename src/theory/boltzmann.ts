/**
 * Boltzmann policy (3) over finitely many actions, and what belongs to it.
 *
 *   π_w(a|s) = exp(Q(s, a)/ε) / Σ_b exp(Q(s, b)/ε)      its limits: ε → 0 greedy (Theorem 1), ε → ∞ uniform
 *   log Σ_a exp(Q(s, a)/ε)                             log partition of a state
 *
 * Tables `[N]`, rows of A; the temperature ε > 0 in units of Q.
 * Guard: the maximum of a row is subtracted before exp, so that no exponential overflows.
 */

import { VirelError } from '../errors.js';
import { expectedUnder, expectRows, largestOf } from './tabular-mdp.js';

/**
 * π_w of every state.
 *
 * @param actionValue Q, `[N]`.
 * @param temperature ε_w > 0.
 * @param actions A; by default one state's actions are given.
 * @throws VirelError `TEMPERATURE_NOT_POSITIVE`; the limit ε → 0 is {@link greedyPolicy}, another function.
 *   `LENGTH_MISMATCH`; `NOT_FINITE`, naming the state.
 */
export function boltzmannPolicy(
  actionValue: Float64Array,
  temperature: number,
  actions: number = actionValue.length,
): Float64Array {
  const { exponentials, sums } = shiftedExponentials(actionValue, temperature, actions);
  return exponentials.map((value, pair) => value / sums[Math.floor(pair / actions)]!);
}

/**
 * log Σ_a exp(Q(s, a)/ε) of every state, `[S]`.
 *
 * @throws VirelError `TEMPERATURE_NOT_POSITIVE`.
 */
export function logPartitions(
  actionValue: Float64Array,
  temperature: number,
  actions: number,
): Float64Array {
  const { largest, sums } = shiftedExponentials(actionValue, temperature, actions);
  return sums.map((sum, state) => largest[state]! / temperature + Math.log(sum));
}

/** exp((Q − max Q)/ε), `[N]`, with their sums and max Q, `[S]`. */
function shiftedExponentials(actionValue: Float64Array, temperature: number, actions: number) {
  expectPositive(temperature);
  const largest = largestValues(actionValue, actions);
  const exponentials = actionValue.map((value, pair) =>
    Math.exp((value - largest[Math.floor(pair / actions)]!) / temperature),
  );
  return { largest, exponentials, sums: rowSums(exponentials, actions) };
}

function rowSums(table: Float64Array, actions: number): Float64Array {
  return expectedUnder(new Float64Array(table.length).fill(1), table, actions);
}

/**
 * max_a Q(s, a) of every state, `[S]`. −∞ stands for an action that cannot be taken; every state needs one that can.
 *
 * @throws VirelError `LENGTH_MISMATCH`; `NOT_FINITE`, naming the state, where its maximum is NaN or infinite.
 */
function largestValues(actionValue: Float64Array, actions: number): Float64Array {
  expectRows('actionValue', actionValue, actions);
  const largest = largestOf(actionValue, actions);
  const wrong = largest.findIndex((value) => !Number.isFinite(value));
  if (wrong < 0) return largest;
  const where = `actionValue of state ${wrong}`;
  const message = `${where}: expected finite numbers, got ${largest[wrong]} as their maximum`;
  throw new VirelError('NOT_FINITE', message, { where });
}

/**
 * All probability on the first greedy action of every state: Theorem 1's limit where the maximum is unique.
 *
 * @throws VirelError `LENGTH_MISMATCH`; `NOT_FINITE`, naming the state.
 */
export function greedyPolicy(actionValue: Float64Array, actions: number): Float64Array {
  const policy = new Float64Array(actionValue.length);
  const largest = largestValues(actionValue, actions);
  largest.forEach((value, state) => {
    const row = actionValue.subarray(state * actions, (state + 1) * actions);
    policy[state * actions + row.indexOf(value)] = 1;
  });
  return policy;
}

/** @throws VirelError `TEMPERATURE_NOT_POSITIVE` unless a density can have this temperature. */
export function expectPositive(temperature: number): void {
  if (temperature > 0 && temperature < Number.POSITIVE_INFINITY) return;
  throw new VirelError(
    'TEMPERATURE_NOT_POSITIVE',
    `temperature: expected a number above 0 for a Boltzmann density, got ${temperature}`,
    {
      where: 'temperature',
      expected: 'a finite number above 0',
      got: String(temperature),
      fix: 'use greedyPolicy for the limit at 0, a uniform policy for that at infinity',
    },
  );
}
