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
  const weightRows = rowsOf(weight, inputs);
  const output = new Float64Array((input.length / inputs) * outputs);
  rowsOf(input, inputs).forEach((x, row) => {
    weightRows.forEach((w, out) => {
      output[row * outputs + out] = bias[out]! + dot(w, x);
    });
  });
  return output;
}

/** Gradient by the input: Wᵀ g for every row. */
export function linearInputGradient(layer: Linear, outputGradient: Float64Array): Float64Array {
  const { inputs, outputs, weight } = layer;
  const weightRows = rowsOf(weight, inputs);
  const inputGradient = new Float64Array((outputGradient.length / outputs) * inputs);
  rowsOf(inputGradient, inputs).forEach((sum, row) => {
    weightRows.forEach((w, out) => {
      addScaled(sum, outputGradient[row * outputs + out]!, w);
    });
  });
  return inputGradient;
}

/** Gradient by the parameters, summed over the rows: W gets g xᵀ, b gets g. Added into `gradient`. */
export function addLinearGradient(
  gradient: Linear,
  input: Float64Array,
  outputGradient: Float64Array,
): void {
  const { inputs, outputs, weight, bias } = gradient;
  const weightRows = rowsOf(weight, inputs);
  rowsOf(input, inputs).forEach((x, row) => {
    weightRows.forEach((sum, out) => {
      const g = outputGradient[row * outputs + out]!;
      bias[out]! += g;
      addScaled(sum, g, x);
    });
  });
}

/** The rows of a row-major matrix; no copies. */
function rowsOf(matrix: Float64Array, width: number): Float64Array[] {
  return Array.from({ length: matrix.length / width }, (_, row) =>
    matrix.subarray(row * width, (row + 1) * width),
  );
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** sum ← sum + factor · values. */
function addScaled(sum: Float64Array, factor: number, values: Float64Array): void {
  // half of all units are off and send nothing back
  if (factor === 0) return;
  for (let i = 0; i < sum.length; i++) sum[i]! += factor * values[i]!;
}
