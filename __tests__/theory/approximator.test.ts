/** The approximators' values by their formula, their derivatives by differences. */

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  type Approximator,
  alongRows,
  drawsOf,
  linearApproximator,
  pullBack,
  tabularApproximator,
  tanhApproximator,
} from '../../src/theory/index.js';
import {
  at,
  expectClose,
  expectError,
  jacobian,
  normals,
  range,
  sumOver,
  tolerance,
} from './support.js';

const sizes = fc.record({
  seed: fc.nat(),
  states: fc.integer({ min: 1, max: 5 }),
  actions: fc.integer({ min: 1, max: 4 }),
  parameters: fc.integer({ min: 1, max: 4 }),
});

/** The three of the room, with parameters and a direction. */
const forAllApproximators = (
  check: (approximator: Approximator, w: Float64Array, direction: Float64Array) => void,
) =>
  fc.assert(
    fc.property(sizes, ({ seed, states, actions, parameters }) => {
      const draw = drawsOf(seed);
      const features = normals(draw, states * actions * parameters);
      for (const approximator of [
        tabularApproximator(states * actions),
        linearApproximator(features, parameters),
        tanhApproximator(states, actions),
      ]) {
        const drawn = () => normals(draw, approximator.parameters);
        check(approximator, drawn(), drawn());
      }
    }),
  );

describe('approximators Q_w', () => {
  it('have rows for N pairs and P parameters', () => {
    forAllApproximators(({ pairs, parameters, ...q }, w, direction) => {
      expect(q.values(w)).toHaveLength(pairs);
      expect(q.gradient(w)).toHaveLength(pairs * parameters);
      expect(q.curvature(w, direction)).toHaveLength(pairs * parameters);
    });
  });

  it('have the gradient b of their values', () => {
    forAllApproximators((q, w) => {
      const rows = jacobian((moved) => q.values(moved), w).flatMap((row) => [...row]);
      expectClose(q.gradient(w), rows, tolerance.finiteDifference);
    });
  });

  it('have the product of their Hessian with a direction as the curvature', () => {
    forAllApproximators((q, w, direction) => {
      const along = jacobian(
        (distance) => q.gradient(w.map((value, i) => value + at(distance, 0) * at(direction, i))),
        Float64Array.of(0),
      );
      expectClose(
        q.curvature(w, direction),
        along.flatMap((row) => [...row]),
        tolerance.finiteDifference,
      );
    });
  });

  it('are w_h for a table', () => {
    const q = tabularApproximator(3);
    expect([...q.values(Float64Array.of(4, 5, 6))]).toEqual([4, 5, 6]);
    expect([...q.gradient(new Float64Array(3))]).toEqual([1, 0, 0, 0, 1, 0, 0, 0, 1]);
    expect([q.pairs, q.parameters]).toEqual([3, 3]);
  });

  it('are b(h)ᵀw for features', () => {
    const q = linearApproximator(Float64Array.of(1, 2, 3, 4, 5, 6), 2);
    expect([...q.values(Float64Array.of(10, 1))]).toEqual([12, 34, 56]);
    expect([q.pairs, q.parameters]).toEqual([3, 2]);
  });

  it('are w0 + w1 a + 2 tanh(w2 (s − c) + a/2), c the middle state', () => {
    fc.assert(
      fc.property(sizes, ({ seed, states, actions }) => {
        const w = normals(drawsOf(seed), 3);
        const [w0, w1, w2] = [at(w, 0), at(w, 1), at(w, 2)];
        const middle = states / 2 - 0.5;
        const expected = range(states).flatMap((s) =>
          range(actions).map((a) => w0 + w1 * a + 2 * Math.tanh(w2 * (s - middle) + a / 2)),
        );
        expectClose(tanhApproximator(states, actions).values(w), expected, tolerance.rounding);
      }),
    );
  });

  it('hand out features that can be changed without changing them', () => {
    const q = linearApproximator(Float64Array.of(1, 2), 1);
    q.gradient(new Float64Array(1)).fill(9);
    expect([...q.values(Float64Array.of(1))]).toEqual([1, 2]);
  });

  it('name features of a wrong length, and the one that is not finite', () => {
    const features = (count: number) => new Float64Array(count);
    expectError(() => linearApproximator(features(5), 2), 'LENGTH_MISMATCH', 'features', '2', '5');
    expectError(() => linearApproximator(features(6), 0), 'LENGTH_MISMATCH', 'features', '0');
    const broken = Float64Array.of(1, 2, Number.NaN, 4);
    expectError(() => linearApproximator(broken, 2), 'NOT_FINITE', 'features[2]');
  });
});

describe('Jacobians', () => {
  it('pull back as Jᵀc and push along as Jv, the two being adjoint', () => {
    fc.assert(
      fc.property(sizes, ({ seed, states, actions, parameters }) => {
        const draw = drawsOf(seed);
        const pairs = states * actions;
        const [j, c, v] = [pairs * parameters, pairs, parameters].map((n) => normals(draw, n)) as [
          Float64Array,
          Float64Array,
          Float64Array,
        ];
        const entry = (h: number, i: number) => at(j, h * parameters + i);
        const back = range(parameters).map((i) => sumOver(pairs, (h) => entry(h, i) * at(c, h)));
        expectClose(pullBack(j, c), back, tolerance.rounding);
        const along = range(pairs).map((h) => sumOver(parameters, (i) => entry(h, i) * at(v, i)));
        expectClose(alongRows(j, v), along, tolerance.rounding);
      }),
    );
  });
});
