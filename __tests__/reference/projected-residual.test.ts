/** The projected residual (F.1) against the tabular case of its golden numbers, and its derivatives against differences. */

import { describe, expect, it } from '@jest/globals';
import {
  type ProjectedStep,
  projectedResidualLoss,
  stepAuxiliaryWeights,
  stepProjectedValue,
  stepSizes,
} from '../../src/reference/index.js';
import {
  actionValueForward,
  actionValueGradient,
} from '../../src/reference/networks/action-value.js';
import {
  directionalDerivative,
  directionalDerivativeGradient,
} from '../../src/reference/networks/directional-derivative.js';
import { actionValueLayout, type Network } from '../../src/reference/networks/layout.js';
import { type Draw, drawOf } from '../support/cases.js';
import { STEP } from '../support/finite-difference.js';
import { tensorError, tolerance } from '../support/tolerance.js';
import { configOf } from '../support/variants.js';

const close = (got: ArrayLike<number>, expected: ArrayLike<number>, limit: number) =>
  expect(tensorError(got, expected)).toBeLessThan(limit);

const settings = configOf('virel, projected residual', { hidden: [1] }).mStep as ProjectedStep;

/** Three states, two actions, γ = 0.9: the case of the project's golden numbers (generate_tabular.py, 6.1). */
const DISCOUNT = 0.9;
const TRANSITIONS = [
  [
    [0.7, 0.2, 0.1],
    [0.1, 0.6, 0.3],
  ],
  [
    [0.3, 0.4, 0.3],
    [0, 0.2, 0.8],
  ],
  [
    [0.5, 0.25, 0.25],
    [0.2, 0.2, 0.6],
  ],
] as const;
const REWARDS = [
  [1, 0.5],
  [0.2, 1.5],
  [0, 2],
] as const;
/** w after 8,000 decaying steps from (0, 0, 1), where ε_P is 1.6e-7 (golden, two time scales, "decaying"). */
const END_OF_TOY = [8.22270027541334, 0.04906609604500728, 0.03261857048371879];
const PAIRS = [0, 1, 2].flatMap((state) => [0, 1].map((action) => ({ state, action })));

/** Q_w = w0 + w1 a + 2 tanh(w2 (s − 1) + a/2): its value, gradient b and the one entry of its Hessian, ∂²Q/∂w2². */
function approximator(w: Float64Array, state: number, action: number) {
  const [w0, w1, w2] = w as unknown as [number, number, number];
  const x = state - 1;
  const tanh = Math.tanh(w2 * x + action / 2);
  const slope = 1 - tanh ** 2;
  return {
    value: w0 + w1 * action + 2 * tanh,
    gradient: [1, action, 2 * x * slope],
    curvature: -4 * x ** 2 * tanh * slope,
  };
}

type Vector3 = readonly number[];
const dot = (a: Vector3, b: ArrayLike<number>) => a.reduce((sum, x, i) => sum + x * (b[i] ?? 0), 0);

/** β and j of all pairs for T^π of the uniform policy, L(w, ζ), and its gradients by w and ζ, by the equations under test. */
function tabular(w: Float64Array, zeta: Float64Array) {
  const pairs = PAIRS.map(({ state, action }) => {
    const here = approximator(w, state, action);
    const row = TRANSITIONS[state]?.[action] ?? [];
    const next = row.flatMap((p, s) =>
      [0, 1].map((a) => ({ weight: p / 2, ...approximator(w, s, a) })),
    );
    const reward = REWARDS[state]?.[action] ?? 0;
    const nextValue = next.reduce((sum, { weight, value }) => sum + weight * value, 0);
    const nextGradient = [0, 1, 2].map((i) =>
      next.reduce((sum, { weight, gradient }) => sum + weight * (gradient[i] ?? 0), 0),
    );
    return {
      b: here.gradient,
      hessianProduct: [0, 0, here.curvature * (zeta[2] ?? 0)],
      residual: reward + DISCOUNT * nextValue - here.value,
      residualGradient: nextGradient.map((g, i) => DISCOUNT * g - (here.gradient[i] ?? 0)),
    };
  });
  const residual = Float64Array.from(pairs, (pair) => pair.residual);
  const derivative = Float64Array.from(pairs, ({ b }) => dot(b, zeta));
  const { loss, gradient } = projectedResidualLoss({ residual, derivative });
  const sum = (term: (pair: (typeof pairs)[number], n: number, i: number) => number) =>
    Float64Array.from([0, 1, 2], (i) =>
      pairs.reduce((total, pair, n) => total + term(pair, n, i), 0),
    );
  return {
    loss,
    byValue: sum(
      ({ residualGradient, hessianProduct }, n, i) =>
        (gradient.residual[n] ?? 0) * (residualGradient[i] ?? 0) +
        (gradient.derivative[n] ?? 0) * (hessianProduct[i] ?? 0),
    ),
    // of −L
    byAuxiliary: sum(({ b }, n, i) => -(gradient.derivative[n] ?? 0) * (b[i] ?? 0)),
  };
}

describe('projected residual error (32), (33)', () => {
  const w = Float64Array.of(3, 0.4, -0.5);
  const best = Float64Array.of(0.8583971203826992, -1.0610606620341634, 0.5515585688034534);

  it('is L at its maximum over ζ, where ζ receives no gradient', () => {
    const { loss, byAuxiliary } = tabular(w, best);
    close([loss], [0.4175977596829349], tolerance.equation.value);
    close(byAuxiliary, [0, 0, 0], tolerance.equation.value);
    const { loss: beside } = tabular(
      w,
      best.map((value) => 1.01 * value),
    );
    expect(beside).toBeLessThan(loss);
  });

  it('has the gradient of its golden number by w', () => {
    const golden = [-0.043450616336850025, 0.19022017033867442, -0.9161294570226571];
    close(tabular(w, best).byValue, golden, tolerance.equation.value);
  });

  it('is descended by w and ascended by ζ, on two time scales (34), (35)', () => {
    const toy = { ...settings, valueStep: 0.3, auxiliaryStep: 0.9, stepScale: 1000 };
    const values = Float64Array.of(0, 0, 1);
    const zeta = new Float64Array(3);
    for (let k = 0; k < 8000; k++) {
      const { byValue, byAuxiliary } = tabular(values, zeta);
      const sizes = stepSizes(toy, k);
      stepProjectedValue(values, byValue, sizes.value, 100);
      stepAuxiliaryWeights(zeta, byAuxiliary, sizes.auxiliary, 0);
    }
    close(values, END_OF_TOY, 1e-8);
  });
});

describe('steps of the two time scales', () => {
  it('decay by their own powers, and are exchanged as printed (A19)', () => {
    const corrected = stepSizes(settings, 30);
    close([corrected.value], [3e-3 / 4 ** 0.9], tolerance.equation.value);
    close([corrected.auxiliary], [9e-3 / 4 ** 0.6], tolerance.equation.value);
    expect(stepSizes(settings, 0)).toEqual({ value: 3e-3, auxiliary: 9e-3 });
    expect(stepSizes({ ...settings, stepOrder: 'printed' }, 30)).toEqual({
      value: corrected.auxiliary,
      auxiliary: corrected.value,
    });
  });

  it('bring w back onto its ball, and leave it alone inside', () => {
    const values = Float64Array.of(3, 4);
    stepProjectedValue(values, Float64Array.of(0, 10), 0.1, 10);
    expect([...values]).toEqual([3, 3]);
    stepProjectedValue(values, Float64Array.of(0, -10), 0.1, 1);
    close(values, [0.6, 0.8], tolerance.equation.value);
  });

  it('let ζ leak', () => {
    const values = Float64Array.of(2, -4);
    stepAuxiliaryWeights(values, Float64Array.of(1, 0), 0.5, 0.25);
    expect([...values]).toEqual([1, -3]);
  });
});

describe('directional derivative of a network', () => {
  const sizes = { observation: 3, action: 2, hidden: [9, 4, 7], policyHidden: [1] };
  const layout = actionValueLayout(sizes, 'actionValue.0');
  const rows = 6;

  function drawn(draw: Draw) {
    const normals = (length: number, scale: number) =>
      Float64Array.from({ length }, () => scale * draw.normal());
    return {
      network: { layout, values: normals(layout.length, 0.5) },
      direction: normals(layout.length, 0.5),
      observations: normals(rows * sizes.observation, 1),
      actions: normals(rows * sizes.action, 1),
      weights: normals(rows, 1),
    };
  }

  /** `network` moved by h along `direction`. */
  const along = (network: Network, direction: Float64Array, h: number): Network => ({
    layout,
    values: network.values.map((value, i) => value + h * (direction[i] ?? 0)),
  });

  it.each([1, 2, 3])(
    'is a difference of values, and its gradient one of gradients, case %d',
    (seed) => {
      const { network, direction, observations, actions, weights } = drawn(drawOf(seed));
      const forward = (at: Network) => actionValueForward(at, observations, actions, rows);
      const difference = (of: (at: Network) => Float64Array) => {
        const above = of(along(network, direction, STEP));
        const below = of(along(network, direction, -STEP));
        return above.map((value, i) => (value - (below[i] ?? 0)) / (2 * STEP));
      };
      const { pass } = forward(network);
      const tangents = directionalDerivative(network, direction, pass);
      const limit = tolerance.finiteDifference.value;
      close(
        tangents.derivative,
        difference((at) => forward(at).values),
        limit,
      );
      close(
        directionalDerivativeGradient(network, direction, pass, tangents, weights),
        difference((at) => actionValueGradient(at, forward(at), weights)),
        limit,
      );
    },
  );

  it('is the gradient’s product with the direction', () => {
    const { network, direction, observations, actions, weights } = drawn(drawOf(4));
    const here = actionValueForward(network, observations, actions, rows);
    const { derivative } = directionalDerivative(network, direction, here.pass);
    const gradient = actionValueGradient(network, here, weights);
    close(
      [derivative.reduce((sum, j, b) => sum + j * (weights[b] ?? 0), 0)],
      [dot([...gradient], direction)],
      tolerance.equation.value,
    );
  });
});
