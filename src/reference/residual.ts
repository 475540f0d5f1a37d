/**
 * Bellman residual and residual error of the critic on a minibatch (Alg. 2; paper.md A7, A8):
 *
 *   β_w(h) = y − Q_w(s, a),   ε_w = mean_b β_w(h_b)²
 *
 * Shapes `[B]`; β in units of return, ε in return². Nothing receives gradient here. With two Q, the mean of both.
 * No factor ½, unlike the theory's norm (E.3); y reads the online networks, as in the authors' code (Alg. 2 prints V_φ̄), or
 * the target ones with `residual.stateValue: target`.
 */

/** β_w for every row. */
export function bellmanResidual(actionValue: Float64Array, target: Float64Array): Float64Array {
  return target.map((y, b) => y - actionValue[b]!);
}

/** ε_w, the mean square of β_w. */
export function residualError(actionValue: Float64Array, target: Float64Array): number {
  const residual = bellmanResidual(actionValue, target);
  return residual.reduce((sum, value) => sum + value ** 2, 0) / residual.length;
}
