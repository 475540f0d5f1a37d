/**
 * Initial parameters, one function per published scheme (paper.md 4.2). Values are drawn in file order: policy, action
 * values, state value; biases that a scheme sets to a constant are not drawn.
 *
 *   rlkit   hidden weights U(±1/√n_out), hidden biases 0.1; heads, weights and biases: Q, V and a deterministic policy
 *           U(±3e-3), a stochastic policy's two U(±1e-3)
 *   glorot  weights U(±√(6 / (n_in + n_out))), biases 0; a policy's two heads count as one layer of width 2A
 *   fanIn   weights and biases U(±1/√n_in)
 */

import type { Network, NetworkLayout, ParameterSpec } from './layout.js';
import { linearOf } from './linear.js';

/** Names of the schemes, as `network.initialise` has them. */
export type InitialiseScheme = 'rlkit' | 'glorot' | 'fanIn';

/** What a layer's values are drawn from: a bound, or a constant for its biases. */
interface LayerScheme {
  weightBound: number;
  bias: { bound: number } | { constant: number };
}

/** Shape of a layer, as far as a scheme cares. */
interface LayerShape {
  inputs: number;
  outputs: number;
  /** Heads of the layer's network, side by side; 0 for a hidden layer. */
  heads: number;
}

const SCHEMES: Record<InitialiseScheme, (layer: LayerShape) => LayerScheme> = {
  rlkit,
  glorot,
  fanIn,
};

/**
 * A network with fresh values.
 *
 * @param uniform draws from [0, 1); called once per drawn value, in file order.
 * @returns values rounded to float32, so that an engine of that precision starts at the same place.
 */
export function freshNetwork(
  layout: NetworkLayout,
  scheme: InitialiseScheme,
  uniform: () => number,
): Network {
  const values = new Float64Array(layout.length);
  for (const layer of [...layout.trunk, ...layout.heads]) {
    const heads = layout.heads.includes(layer) ? layout.heads.length : 0;
    const { weightBound, bias: biasScheme } = SCHEMES[scheme]({ ...layer, heads });
    const { weight, bias } = linearOf(layer, values);
    fillUniform(weight, weightBound, uniform);
    if ('constant' in biasScheme) bias.fill(Math.fround(biasScheme.constant));
    else fillUniform(bias, biasScheme.bound, uniform);
  }
  return { layout, values };
}

/** Another network with the same values; `layout` differs in names alone. */
export function copyOf({ values }: Network, layout: NetworkLayout): Network {
  return { layout, values: values.slice() };
}

/** rlkit v0.1.2 `Mlp(b_init_value=0.1)`. */
const RLKIT_HIDDEN_BIAS = 0.1;
/** rlkit v0.1.2 `Mlp(init_w=3e-3)`: the last layers of Q, V and DDPG's actor, which have one head. */
const RLKIT_HEAD = 3e-3;
/** rlkit v0.1.2 `TanhGaussianPolicy(init_w=1e-3)`, both heads. */
const RLKIT_GAUSSIAN_HEADS = 1e-3;

/** rlkit v0.1.2, the code base of the paper's authors, whose fan-in reads the layer's **output** width. */
function rlkit({ outputs, heads }: LayerShape): LayerScheme {
  if (heads === 0) {
    return { weightBound: 1 / Math.sqrt(outputs), bias: { constant: RLKIT_HIDDEN_BIAS } };
  }
  const bound = heads === 1 ? RLKIT_HEAD : RLKIT_GAUSSIAN_HEADS;
  return { weightBound: bound, bias: { bound } };
}

/** Glorot and Bengio 2010, as haarnoja/sac draws them: its one policy head of width 2A is our two. */
function glorot({ inputs, outputs, heads }: LayerShape): LayerScheme {
  const width = outputs * Math.max(heads, 1);
  return { weightBound: Math.sqrt(6 / (inputs + width)), bias: { constant: 0 } };
}

/** PyTorch's `Linear`, which the published code of `sac-twin` keeps. */
function fanIn({ inputs }: LayerShape): LayerScheme {
  const bound = 1 / Math.sqrt(inputs);
  return { weightBound: bound, bias: { bound } };
}

function fillUniform(values: Float64Array, bound: number, uniform: () => number): void {
  for (let i = 0; i < values.length; i++) {
    values[i] = Math.fround(-bound + 2 * bound * uniform());
  }
}

/** The values of a vector that is not drawn, such as log T, as float32. */
export function constantVector(spec: ParameterSpec, value: number): Float64Array {
  return new Float64Array(spec.length).fill(Math.fround(value));
}
