/**
 * One-step Bellman target of the action value, J_Q of Appendix H:
 *
 *   y_Q = r + γ(1 − d) V_φ̄(s′)
 *
 * Shapes `[B]`. A constant: nothing receives gradient. d marks true terminations only, never a time limit (A9, A27).
 */

/**
 * y_Q for every row.
 *
 * @param rewards r, in units of reward as stored.
 * @param terminated d in {0, 1}.
 * @param discount γ.
 * @param nextStateValue V(s′): the target network's in the M-step, the online one's in the residual error.
 */
export function bellmanTarget(
  rewards: Float64Array,
  terminated: Float64Array,
  discount: number,
  nextStateValue: Float64Array,
): Float64Array {
  return rewards.map((reward, b) => reward + discount * (1 - terminated[b]!) * nextStateValue[b]!);
}
