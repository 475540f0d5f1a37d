/**
 * M-step by the direct method (7), E.2, F.3, App. H: two regressions on targets held constant.
 *
 *   J_Q = mean_b (Q_w(s, a) − y_Q)²,   y_Q of bellman.ts
 *   J_V = mean_b (V_φ(s) − y_V)²,      y_V = Q_w(s, ã),  ã the policy loss's own action
 *
 * Shapes `[B]`. Gradient reaches w through Q_w(s, a) in J_Q and φ in J_V, and nothing else: y_Q, y_V and ã are constants.
 * App. H prints a factor ½, the authors' code has none. y_V holds no entropy bonus: the one difference from SAC (A14).
 */

import { bellmanResidual } from './residual.js';

/** A regression's loss and its gradient by the predictions, `[B]`. */
export interface Regression {
  loss: number;
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

/** J_V and its gradient by V_φ(s). */
export function stateValueLoss(stateValue: Float64Array, target: Float64Array): Regression {
  return meanSquare(target.map((y, b) => y - stateValue[b]!));
}

/** mean_b e_b² with e = target − prediction, and its gradient by the prediction, −2e/B. */
function meanSquare(error: Float64Array): Regression {
  const rows = error.length;
  return {
    loss: error.reduce((sum, value) => sum + value ** 2, 0) / rows,
    gradient: error.map((value) => (-2 * value) / rows),
  };
}
