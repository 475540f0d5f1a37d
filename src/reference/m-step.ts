/**
 * M-step by the direct method (7), E.2, F.3, App. H: two regressions on targets held constant.
 *
 *   J_Q = Σ_i mean_b (Q_i(s, a) − y_Q)²,   y_Q of bellman.ts
 *   J_V = mean_b (V_φ(s) − y_V)²,          y_V = min_i Q_i(s, ã)                       virel, beta
 *                                              = min_i Q_i(s, ã) − T log π_θ(ã|s)      sac
 *
 * ã is the policy loss's own action. Shapes `[B]`. Gradient reaches w_i through Q_i(s, a) in J_Q and φ in J_V, and nothing
 * else: y_Q, y_V and ã are constants. App. H prints a factor ½ (`mStep.lossFactor`), the authors' code has none. y_V of virel
 * holds no entropy bonus: the one difference from SAC (A14).
 */

import { bellmanResidual } from './residual.js';

/** A regression's loss and its gradient by the predictions, `[B]`. */
export interface Regression {
  /** Its value. */
  loss: number;
  /** By the value, `[B]`. */
  gradient: Float64Array;
}

/** J_Q and its gradient by Q_w(s, a). */
export function actionValueLoss(actionValue: Float64Array, target: Float64Array): Regression {
  return meanSquare(bellmanResidual(actionValue, target));
}

/** y_V for every row. */
export function stateValueTarget(sampledActionValue: Float64Array): Float64Array {
  return sampledActionValue.slice();
}

/** y_V with SAC's entropy bonus, for every row. */
export function softStateValueTarget(
  sampledActionValue: Float64Array,
  logDensity: Float64Array,
  temperature: number,
): Float64Array {
  return sampledActionValue.map((value, b) => value - temperature * logDensity[b]!);
}

/** J_V and its gradient by V_φ(s). */
export function stateValueLoss(stateValue: Float64Array, target: Float64Array): Regression {
  return meanSquare(target.map((y, b) => y - stateValue[b]!));
}

/** A regression times `lossFactor`. */
export function scaleRegression({ loss, gradient }: Regression, lossFactor: number): Regression {
  return { loss: lossFactor * loss, gradient: gradient.map((value) => lossFactor * value) };
}

/** mean_b e_b² with e = target − prediction, and its gradient by the prediction, −2e/B. */
function meanSquare(error: Float64Array): Regression {
  const rows = error.length;
  return {
    loss: error.reduce((sum, value) => sum + value ** 2, 0) / rows,
    gradient: error.map((value) => (-2 * value) / rows),
  };
}
