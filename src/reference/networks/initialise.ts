/**
 * Initial parameters, one function per published scheme; the target starts as a copy of V_φ.
 */

import {
  actionValueLayout,
  type LinearLayout,
  type Network,
  type NetworkLayout,
  policyLayout,
  type Sizes,
  stateValueLayout,
  targetStateValueLayout,
} from './layout.js';
import { linearOf } from './linear.js';

/** The networks of `virel`. */
export interface Networks {
  /** π_θ. */
  policy: Network;
  /** Q_w. */
  actionValue: Network;
  /** V_φ. */
  stateValue: Network;
  /** V_φ̄. */
  targetStateValue: Network;
}

/** rlkit v0.1.2 `Mlp(b_init_value=0.1)`. */
const HIDDEN_BIAS = 0.1;
/** rlkit v0.1.2 `Mlp(init_w=3e-3)`, the last layers of Q and V. */
const VALUE_HEAD = 3e-3;
/** rlkit v0.1.2 `TanhGaussianPolicy(init_w=1e-3)`, both heads. */
const POLICY_HEAD = 1e-3;

/**
 * rlkit v0.1.2, the code base of the paper's authors: hidden weights U(±1/√n_out), n_out the layer's **output** width
 * (its fan-in reads the wrong axis), hidden biases 0.1, last layers U(±3e-3) for Q and V, U(±1e-3) for the policy's
 * two heads, weights and biases alike.
 *
 * @param uniform draws from [0, 1); called once per value, in file order.
 * @returns values rounded to float32, so that an engine of that precision starts at the same place.
 */
export function rlkit(sizes: Sizes, uniform: () => number): Networks {
  const policy = drawn(policyLayout(sizes), POLICY_HEAD, uniform);
  const actionValue = drawn(actionValueLayout(sizes), VALUE_HEAD, uniform);
  const stateValue = drawn(stateValueLayout(sizes), VALUE_HEAD, uniform);
  const targetStateValue = {
    layout: targetStateValueLayout(sizes),
    values: stateValue.values.slice(),
  };
  return { policy, actionValue, stateValue, targetStateValue };
}

function drawn(layout: NetworkLayout, headBound: number, uniform: () => number): Network {
  const values = new Float64Array(layout.length);
  for (const layer of layout.trunk) {
    const { weight, bias } = linearOf(layer, values);
    fillUniform(weight, hiddenBound(layer), uniform);
    bias.fill(Math.fround(HIDDEN_BIAS));
  }
  for (const head of layout.heads) {
    const { weight, bias } = linearOf(head, values);
    fillUniform(weight, headBound, uniform);
    fillUniform(bias, headBound, uniform);
  }
  return { layout, values };
}

function hiddenBound({ outputs }: LinearLayout): number {
  return 1 / Math.sqrt(outputs);
}

function fillUniform(values: Float64Array, bound: number, uniform: () => number): void {
  for (let i = 0; i < values.length; i++) {
    values[i] = Math.fround(-bound + 2 * bound * uniform());
  }
}
