/**
 * Names, shapes and places of all parameters. Each network is one flat buffer; its layers are slices of it.
 *
 * Weights are `[out, in]`, row-major, as PyTorch's `Linear`; the input of an action value is `[observation, action]`.
 */

import type { PolicyKind } from '../../algorithms/recipe.js';

/** Sizes that fix every shape. */
export interface Sizes {
  /** O, width of an observation. */
  observation: number;
  /** A, width of an action. */
  action: number;
  /** H, widths of the hidden layers of Q and V, first to last. */
  hidden: readonly number[];
  /** The same of the policy. */
  policyHidden: readonly number[];
}

/** A linear layer's place in its network's buffer: the weight `[out, in]` at `offset`, then the bias `[out]`. */
export interface LinearLayout {
  name: string;
  inputs: number;
  outputs: number;
  offset: number;
}

/** A trunk of ReLU layers and its linear heads. */
export interface NetworkLayout {
  trunk: LinearLayout[];
  heads: LinearLayout[];
  /** Values in the buffer. */
  length: number;
}

/** A named parameter's shape and its place in the buffer of its network. */
export interface ParameterSpec {
  name: string;
  shape: number[];
  offset: number;
  length: number;
}

/** A network: where its parameters lie, and their values. */
export interface Network {
  layout: NetworkLayout;
  values: Float64Array;
}

/** π: `<prefix>.trunk.*`, `<prefix>.mean` and, unless deterministic, `<prefix>.logStd`. */
export function policyLayout(sizes: Sizes, kind: PolicyKind, prefix = 'policy'): NetworkLayout {
  const mean = ['mean', sizes.action] as const;
  const heads = kind === 'deterministic' ? [mean] : [mean, ['logStd', sizes.action] as const];
  return networkLayout(prefix, sizes.observation, sizes.policyHidden, heads);
}

/** Q: `<prefix>.trunk.*`, `<prefix>.value`; the prefix is `actionValue.0` or what has its shape. */
export function actionValueLayout(sizes: Sizes, prefix: string): NetworkLayout {
  const inputs = sizes.observation + sizes.action;
  return networkLayout(prefix, inputs, sizes.hidden, [['value', 1]]);
}

/** V: `<prefix>.trunk.*`, `<prefix>.value`. */
export function stateValueLayout(sizes: Sizes, prefix = 'stateValue'): NetworkLayout {
  return networkLayout(prefix, sizes.observation, sizes.hidden, [['value', 1]]);
}

/** A vector of numbers without layers, such as a multiplier per action dimension: one parameter of its own name. */
export function vectorSpec(name: string, length: number): ParameterSpec {
  return { name, shape: [length], offset: 0, length };
}

/** The parameters of a network, in file order. */
export function parameterSpecs({ trunk, heads }: NetworkLayout): ParameterSpec[] {
  return [...trunk, ...heads].flatMap(({ name, inputs, outputs, offset }) => {
    const weights = outputs * inputs;
    return [
      { name: `${name}.weight`, shape: [outputs, inputs], offset, length: weights },
      { name: `${name}.bias`, shape: [outputs], offset: offset + weights, length: outputs },
    ];
  });
}

/** The slice of `values` (a network's parameters, or their gradient) that belongs to `spec`; no copy. */
export function slice(values: Float64Array, spec: ParameterSpec): Float64Array {
  return values.subarray(spec.offset, spec.offset + spec.length);
}

function networkLayout(
  prefix: string,
  inputs: number,
  hidden: readonly number[],
  heads: readonly (readonly [name: string, outputs: number])[],
): NetworkLayout {
  let length = 0;
  let width = inputs;
  const place = (name: string, outputs: number): LinearLayout => {
    const layer = { name: `${prefix}.${name}`, inputs: width, outputs, offset: length };
    length += (width + 1) * outputs;
    return layer;
  };

  const trunk = hidden.map((outputs, index) => {
    const layer = place(`trunk.${index}`, outputs);
    width = outputs;
    return layer;
  });
  const placed = heads.map(([name, outputs]) => place(name, outputs));
  return { trunk, heads: placed, length };
}
