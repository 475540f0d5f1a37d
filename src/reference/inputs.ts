/**
 * Checks of what a caller hands in, and its conversion to float64. Messages read *name: expected, got, what to do*.
 */

import type { Parameter } from '../engine.js';
import { VirelError } from '../errors.js';

/** What the learner accepts wherever it takes numbers. */
export type Vector = Float32Array | Float64Array;

/** B, from the one argument whose length is B itself. */
export function atLeastOneRow(name: string, values: Vector): number {
  expectFloatArray(name, values);
  if (values.length === 0) {
    throw new VirelError('LENGTH_MISMATCH', `${name}: expected at least 1 value, got 0`, {
      where: name,
      expected: 'one value per row of the batch',
      got: '0 values',
    });
  }
  return values.length;
}

/** `values` as float64, a copy. */
export function expectVector(name: string, values: Vector, length: number): Float64Array {
  expectFloatArray(name, values);
  if (values.length !== length) {
    throw new VirelError(
      'LENGTH_MISMATCH',
      `${name}: expected ${length} values, got ${values.length}`,
      { where: name, expected: `${length} values`, got: `${values.length} values` },
    );
  }
  expectFinite(name, values);
  return Float64Array.from(values);
}

/** The data of a named parameter; `shape` is what the network has under that name, if anything. */
export function expectParameter(
  name: string,
  given: Parameter<Vector>,
  shape: readonly number[] | undefined,
  known: readonly string[],
): Vector {
  if (shape === undefined) {
    throw shapeError(name, `one of ${known.join(', ')}`, 'an unknown name');
  }
  const length = shape.reduce((product, extent) => product * extent, 1);
  expectFloatArray(name, given?.data);
  const sameShape =
    Array.isArray(given.shape) &&
    given.shape.length === shape.length &&
    given.shape.every((extent, i) => extent === shape[i]);
  if (!sameShape || given.data.length !== length) {
    throw shapeError(
      name,
      `shape [${shape.join(', ')}]`,
      `shape [${given.shape}] with ${given.data.length} values`,
    );
  }
  expectFinite(name, given.data);
  return given.data;
}

function shapeError(name: string, expected: string, got: string): VirelError {
  return new VirelError('PARAMETER_SHAPE', `parameter ${name}: expected ${expected}, got ${got}`, {
    where: name,
    expected,
    got,
    fix: 'take names and shapes from parameters()',
  });
}

function expectFloatArray(name: string, values: unknown): void {
  // by its tag, not by instanceof: realms differ in workers and under jest
  const tag = Object.prototype.toString.call(values).slice('[object '.length, -1);
  if (tag === 'Float32Array' || tag === 'Float64Array') return;
  throw new VirelError(
    'ARGUMENT_TYPE',
    `${name}: expected a Float32Array or Float64Array, got ${tag}`,
    { where: name, expected: 'a Float32Array or Float64Array', got: tag },
  );
}

function expectFinite(name: string, values: Vector): void {
  const index = values.findIndex((value) => !Number.isFinite(value));
  if (index === -1) return;
  throw new VirelError(
    'NOT_FINITE',
    `${name}[${index}]: expected a finite number, got ${values[index]}`,
    { where: `${name}[${index}]`, expected: 'a finite number', got: String(values[index]) },
  );
}
