/**
 * A linear layer  y = W x + b  on B rows, and the two halves of its backward pass.
 *
 * Shapes: weight `[out, in]`, bias `[out]`, input `[B, in]`, output `[B, out]`, row-major.
 */

import type { LinearLayout } from './layout.js';

/** A layer's slices of its network's buffer (or of that network's gradient). */
export interface Linear {
  inputs: number;
  outputs: number;
  weight: Float64Array;
  bias: Float64Array;
}

/** The slices of `values` that `layout` names; no copy. */
export function linearOf(layout: LinearLayout, values: Float64Array): Linear {
  const { inputs, outputs, offset } = layout;
  const biasAt = offset + outputs * inputs;
  return {
    inputs,
    outputs,
    weight: values.subarray(offset, biasAt),
    bias: values.subarray(biasAt, biasAt + outputs),
  };
}

/** y = W x + b for every row. */
export function linear(layer: Linear, input: Float64Array): Float64Array {
  const { inputs, outputs, weight, bias } = layer;
  const rows = input.length / inputs;
  const output = new Float64Array(rows * outputs);
  for (let row = 0; row < rows; row++) {
    for (let out = 0; out < outputs; out++) {
      let sum = bias[out]!;
      for (let i = 0; i < inputs; i++) sum += weight[out * inputs + i]! * input[row * inputs + i]!;
      output[row * outputs + out] = sum;
    }
  }
  return output;
}

/** Gradient by the input: Wᵀ g for every row. */
export function linearInputGradient(layer: Linear, outputGradient: Float64Array): Float64Array {
  const { inputs, outputs, weight } = layer;
  const rows = outputGradient.length / outputs;
  const inputGradient = new Float64Array(rows * inputs);
  for (let row = 0; row < rows; row++) {
    for (let out = 0; out < outputs; out++) {
      const g = outputGradient[row * outputs + out]!;
      for (let i = 0; i < inputs; i++)
        inputGradient[row * inputs + i]! += g * weight[out * inputs + i]!;
    }
  }
  return inputGradient;
}

/** Gradient by the parameters, summed over the rows: W gets g xᵀ, b gets g. Added into `gradient`. */
export function addLinearGradient(
  gradient: Linear,
  input: Float64Array,
  outputGradient: Float64Array,
): void {
  const { inputs, outputs, weight, bias } = gradient;
  const rows = outputGradient.length / outputs;
  for (let row = 0; row < rows; row++) {
    for (let out = 0; out < outputs; out++) {
      const g = outputGradient[row * outputs + out]!;
      bias[out]! += g;
      for (let i = 0; i < inputs; i++) weight[out * inputs + i]! += g * input[row * inputs + i]!;
    }
  }
}
