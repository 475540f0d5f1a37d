/**
 * One-step Bellman target of the action value, J_Q of Appendix H:
 *
 *   y_Q = r + γ(1 − d) next(s′)
 *
 * with next one of
 *
 *   V_φ̄(s′)                                        virel, beta, sac
 *   min_i Q̄_i(s′, ã′) − T log π_θ(ã′|s′)           sac-twin
 *   Q̄(s′, π̄(s′))                                   ddpg
 *   mean_k Q̄(s′, a′_k),  a′_k ~ π_φ(·|s′)          mpo (App. G)
 *
 * Shapes `[B]`. A constant, so that nothing receives gradient; but in the projected M-step, which follows next(s′) too.
 * d marks true terminations only, never a time limit (A9, A27).
 */

/**
 * y_Q for every row.
 *
 * @param rewards r, in units of reward as stored.
 * @param terminated d in {0, 1}.
 * @param discount γ.
 * @param nextValue next(s′): by the target networks in the M-step, by the online ones in the residual error.
 */
export function bellmanTarget(
  rewards: Float64Array,
  terminated: Float64Array,
  discount: number,
  nextValue: Float64Array,
): Float64Array {
  return rewards.map((reward, b) => reward + discount * (1 - terminated[b]!) * nextValue[b]!);
}

/** The gradient by next(s′) of a loss whose gradient by y_Q is given: γ(1 − d) of it. */
export function bellmanTargetGradient(
  targetGradient: Float64Array,
  terminated: Float64Array,
  discount: number,
): Float64Array {
  return targetGradient.map((gradient, b) => discount * (1 - terminated[b]!) * gradient);
}

/** Q(s′, ã′) − T log π(ã′|s′) for every row. */
export function softNextValue(
  nextActionValue: Float64Array,
  logDensity: Float64Array,
  temperature: number,
): Float64Array {
  return nextActionValue.map((value, b) => value - temperature * logDensity[b]!);
}

/** mean_k Q(s′, a′_k): the mean over each row's K values, `[B·K]` to `[B]`. */
export function meanNextValue(nextActionValue: Float64Array, samples: number): Float64Array {
  const means = new Float64Array(nextActionValue.length / samples);
  nextActionValue.forEach((value, i) => {
    means[Math.floor(i / samples)]! += value / samples;
  });
  return means;
}
