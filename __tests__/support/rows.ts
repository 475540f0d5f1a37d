/** Batches taken apart and put together again, row by row. */

import type { Batch } from '../../src/engine.js';
import { noiseWidth, type Step, type StepShape } from './cases.js';

/** Each array of a batch, with its width. */
export function mapBatch<From extends ArrayLike<number>, To extends Float32Array | Float64Array>(
  batch: Record<keyof Batch, From>,
  rows: number,
  map: (values: From, width: number) => To,
): Batch<To> {
  const mapped = (values: From) => map(values, values.length / rows);
  return {
    observations: mapped(batch.observations),
    actions: mapped(batch.actions),
    rewards: mapped(batch.rewards),
    nextObservations: mapped(batch.nextObservations),
    terminated: mapped(batch.terminated),
  };
}

/** The rows of `step` in another order, or some of them. */
export function pickRows(step: Step, shape: StepShape, order: readonly number[]): Step {
  const pick = (values: Float32Array, width: number) =>
    Float32Array.from(order.flatMap((row) => [...values.subarray(row * width, (row + 1) * width)]));
  return {
    ...step,
    batch: mapBatch(step.batch, shape.rows, pick),
    noise: pick(step.noise, noiseWidth(shape.task, shape.config)),
  };
}
