/**
 * Action value Q_w(s, a): one network on the concatenation of observation and action.
 *
 * Shapes: observations `[B, O]`, actions `[B, A]`, values `[B]`, in units of return.
 */

import type { Network } from './layout.js';
import { forward, inputGradient, type Pass, parameterGradient } from './multilayer-perceptron.js';

/** Q_w at B pairs. */
export interface ActionValuePass {
  pass: Pass;
  /** Q_w(s, a), `[B]`. */
  values: Float64Array;
}

/** Q_w(s, a) for every row. */
export function actionValueForward(
  actionValue: Network,
  observations: Float64Array,
  actions: Float64Array,
  rows: number,
): ActionValuePass {
  const pass = forward(actionValue, concatenateRows(observations, actions, rows));
  return { pass, values: pass.outputs[0]! };
}

/** The gradient by w of a loss whose gradient by Q_w(s, a) is `valueGradient`, `[B]`. */
export function actionValueGradient(
  actionValue: Network,
  { pass }: ActionValuePass,
  valueGradient: Float64Array,
): Float64Array {
  return parameterGradient(actionValue, pass, [valueGradient]);
}

/** The gradient by the action, `[B, A]`, of a loss whose gradient by Q_w(s, a) is `valueGradient`; w is a constant. */
export function actionGradient(
  actionValue: Network,
  { pass }: ActionValuePass,
  valueGradient: Float64Array,
  actionSize: number,
): Float64Array {
  const pairGradient = inputGradient(actionValue, pass, [valueGradient]);
  return lastColumns(pairGradient, valueGradient.length, actionSize);
}

/** One value per row, out of those of several action values. */
export interface CriticValue {
  /** `[B]`. */
  values: Float64Array;
  /** Index of the action value that each row's value is from: where its gradient goes. */
  source: Uint8Array;
}

/** Q_1. */
export function firstActionValue(actionValues: readonly Float64Array[]): CriticValue {
  const [first] = actionValues as [Float64Array];
  return { values: first.slice(), source: new Uint8Array(first.length) };
}

/** min_i Q_i, row by row; the first one's where several are equal. */
export function minimumActionValue(actionValues: readonly Float64Array[]): CriticValue {
  const smallest = firstActionValue(actionValues);
  actionValues.forEach((values, i) => {
    values.forEach((value, b) => {
      if (value < smallest.values[b]!) {
        smallest.values[b] = value;
        smallest.source[b] = i;
      }
    });
  });
  return smallest;
}

/** `[left, right]` row by row. */
function concatenateRows(left: Float64Array, right: Float64Array, rows: number): Float64Array {
  const [leftWidth, rightWidth] = [left.length / rows, right.length / rows];
  const joined = new Float64Array(left.length + right.length);
  for (let row = 0; row < rows; row++) {
    const start = row * (leftWidth + rightWidth);
    joined.set(left.subarray(row * leftWidth, (row + 1) * leftWidth), start);
    joined.set(right.subarray(row * rightWidth, (row + 1) * rightWidth), start + leftWidth);
  }
  return joined;
}

/** The last `width` columns of each row. */
function lastColumns(matrix: Float64Array, rows: number, width: number): Float64Array {
  const columns = new Float64Array(rows * width);
  const stride = matrix.length / rows;
  for (let row = 0; row < rows; row++) {
    const end = (row + 1) * stride;
    columns.set(matrix.subarray(end - width, end), row * width);
  }
  return columns;
}
