/**
 * State value V_φ(s), and with other parameters the target V_φ̄(s).
 *
 * Shapes: observations `[B, O]`, values `[B]`, in units of return.
 */

import type { Network } from './layout.js';
import { forward, type Pass, parameterGradient } from './multilayer-perceptron.js';

/** V_φ at B observations. */
export interface StateValuePass {
  pass: Pass;
  /** V_φ(s), `[B]`. */
  values: Float64Array;
}

/** V_φ(s) for every row. */
export function stateValueForward(stateValue: Network, observations: Float64Array): StateValuePass {
  const pass = forward(stateValue, observations);
  return { pass, values: pass.outputs[0]! };
}

/** The gradient by φ of a loss whose gradient by V_φ(s) is `valueGradient`, `[B]`. */
export function stateValueGradient(
  stateValue: Network,
  { pass }: StateValuePass,
  valueGradient: Float64Array,
): Float64Array {
  return parameterGradient(stateValue, pass, [valueGradient]);
}
