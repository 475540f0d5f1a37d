/**
 * Boltzmann policy (3) over K sampled actions a_k ~ π_φ(·|s), the E-step's optimum q ∝ π_φ exp(Q/T) of App. G on samples:
 *
 *   ω_k = exp(Q(s, a_k)/T) / Σ_j exp(Q(s, a_j)/T)          π_φ cancels
 *   log mean_k exp(Q(s, a_k)/T)                            its log partition, read by the dual of T
 *
 * Shapes: Q and ω `[B·K]`, the K of a row one after the other; log partition `[B]`. T > 0, in units of Q.
 * Guard: the maximum of a row is subtracted before exp, so that no exponential overflows. T → 0 is greedy, T → ∞ uniform.
 */

import { VirelError } from '../errors.js';

/**
 * ω for every row.
 *
 * @throws VirelError `TEMPERATURE_NOT_POSITIVE` at T ≤ 0: the limit is another function.
 */
export function boltzmannWeights(
  actionValue: Float64Array,
  temperature: number,
  samples: number,
): Float64Array {
  return rowwise(actionValue, temperature, samples, ({ exponentials, sum }) =>
    exponentials.map((value) => value / sum),
  );
}

/**
 * log mean_k exp(Q/T) for every row.
 *
 * @throws VirelError `TEMPERATURE_NOT_POSITIVE` at T ≤ 0.
 */
export function logMeanExponential(
  actionValue: Float64Array,
  temperature: number,
  samples: number,
): Float64Array {
  return rowwise(actionValue, temperature, samples, ({ sum, largest }) =>
    Float64Array.of(largest / temperature + Math.log(sum / samples)),
  );
}

/** exp((Q − max Q)/T) of one row. */
interface Row {
  exponentials: Float64Array;
  sum: number;
  /** max Q. */
  largest: number;
}

function rowwise(
  actionValue: Float64Array,
  temperature: number,
  samples: number,
  map: (row: Row) => Float64Array,
): Float64Array {
  expectPositive(temperature);
  const rows = Array.from({ length: actionValue.length / samples }, (_, b) => {
    const values = actionValue.subarray(b * samples, (b + 1) * samples);
    const largest = values.reduce((a, c) => Math.max(a, c));
    const exponentials = values.map((value) => Math.exp((value - largest) / temperature));
    return map({ exponentials, sum: exponentials.reduce((a, c) => a + c, 0), largest });
  });
  return Float64Array.from(rows.flatMap((row) => [...row]));
}

function expectPositive(temperature: number): void {
  if (temperature > 0) return;
  throw new VirelError(
    'TEMPERATURE_NOT_POSITIVE',
    `temperature: expected a number above 0 for Boltzmann weights, got ${temperature}`,
    { where: 'temperature', expected: 'a number above 0', got: String(temperature) },
  );
}
