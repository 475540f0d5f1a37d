/** Derivatives by central differences, the independent check of every hand-written backward pass. */

import type { Parameters, StepLosses } from '../../src/engine.js';
import type { ReferenceLearner } from '../../src/reference/index.js';
import type { Step } from './cases.js';

/** h: truncation falls with h², rounding grows with 1/h; 1e-5 is near ε64^(1/3), where they meet. */
export const STEP = 1e-5;

/**
 * The gradient of `loss` by `values`, (J(x + h) − J(x − h)) / 2h for each of them; `values` are put back.
 *
 * @param loss reads `values` afresh at every call.
 */
export function centralDifference(loss: () => number, values: Float64Array): Float64Array {
  return Float64Array.from(values, (value, i) => {
    values[i] = value + STEP;
    const above = loss();
    values[i] = value - STEP;
    const below = loss();
    values[i] = value;
    return (above - below) / (2 * STEP);
  });
}

/** The finite difference of one loss by one named parameter of `learner`, whose parameters are put back. */
export function differenceBy(
  learner: ReferenceLearner,
  { batch, noise }: Step,
  loss: keyof StepLosses,
  name: string,
): Float64Array {
  const { shape, data } = learner.parameters()[name] as Parameters<Float64Array>[string];
  const values = data.slice();
  const difference = centralDifference(() => {
    learner.setParameters({ [name]: { shape, data: values } });
    return learner.gradients(batch, noise).losses[loss] as number;
  }, values);
  learner.setParameters({ [name]: { shape, data } });
  return difference;
}
