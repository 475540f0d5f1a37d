/** Membership in the target set (Definition 2): closed forms of what an operator loses, and their limits. */

import { describe, expect, it } from '@jest/globals';
import {
  annealedBoltzmannOperator,
  boltzmannPolicy,
  distanceToOptimality,
  drawsOf,
  implicitResidualError,
  optimalActionValue,
  policyActionValue,
  randomMdp,
  softnessGap,
  threeByTwo,
  uniformPolicy,
} from '../../src/theory/index.js';
import {
  at,
  expectClose,
  expectError,
  forAllCases,
  largest,
  naiveTarget,
  normals,
  range,
  reading,
  sumOver,
  tableOf,
  tolerance,
} from './support.js';

describe('what a Boltzmann policy loses in one backup (App. C)', () => {
  it('is T*Q − T^{π_ε}Q, never negative', () => {
    forAllCases(({ mdp, actionValue, temperature }) => {
      const got = softnessGap(mdp, actionValue, temperature);
      const optimal = naiveTarget(mdp, actionValue, { kind: 'optimal' });
      const soft = naiveTarget(mdp, actionValue, { kind: 'annealed', floor: temperature });
      const scale = largest(optimal);
      expectClose(
        got,
        optimal.map((value, h) => value - at(soft, h)),
        tolerance.rounding,
        scale,
      );
      expect(Math.min(...got)).toBeGreaterThanOrEqual(-1e-15 * scale);
    });
  });

  it('is γ E_{s′}[gap σ(−gap/ε)] for two actions (T3, T18)', () => {
    for (const seed of range(100)) {
      const draw = drawsOf(seed);
      const mdp = randomMdp(draw, { states: 4, actions: 2, discount: draw() });
      const [actionValue, temperature] = [normals(draw, 8, 2), 0.05 + 2 * draw()];
      const { of, probability } = reading(mdp);
      const loss = (s: number) => {
        const gap = Math.abs(of(actionValue)(s, 0) - of(actionValue)(s, 1));
        return gap / (1 + Math.exp(gap / temperature));
      };
      const expected = tableOf(
        mdp,
        (s, a) => mdp.discount * sumOver(4, (next) => probability(s, a, next) * loss(next)),
      );
      expectClose(softnessGap(mdp, actionValue, temperature), expected, tolerance.rounding);
    }
  });

  it('grows with ε, from 0 to that of the uniform policy', () => {
    forAllCases(({ mdp, actionValue }) => {
      const at3 = [0.1, 1, 10].map((ε) => softnessGap(mdp, actionValue, ε));
      const [cold, warm, hot] = at3 as [Float64Array, Float64Array, Float64Array];
      const scale = 1e-14 * (1 + largest(actionValue));
      for (const h of range(mdp.pairs)) {
        expect(at(warm, h)).toBeGreaterThanOrEqual(at(cold, h) - scale);
        expect(at(hot, h)).toBeGreaterThanOrEqual(at(warm, h) - scale);
      }
      const frozen = softnessGap(mdp, actionValue, 1e-300);
      expectClose(frozen, new Float64Array(mdp.pairs), tolerance.rounding);
    });
  });

  it.each([0, -1, Number.NaN])('needs a temperature, not %d', (temperature) => {
    const call = () => softnessGap(threeByTwo(), new Float64Array(6), temperature);
    expectError(call, 'TEMPERATURE_NOT_POSITIVE', 'temperature', `got ${temperature}`);
  });
});

describe('the target set (Definition 2)', () => {
  it('is told by the sup norm of T_w Q − T* Q', () => {
    forAllCases(({ mdp, actionValue, temperature, policy }) => {
      const optimal = naiveTarget(mdp, actionValue, { kind: 'optimal' });
      for (const target of [
        { kind: 'optimal' },
        { kind: 'annealed', floor: temperature },
        { kind: 'variational', policy },
      ] as const) {
        const own = naiveTarget(mdp, actionValue, target);
        const expected = Math.max(...own.map((value, h) => Math.abs(value - at(optimal, h))));
        const got = distanceToOptimality(mdp, actionValue, target);
        expectClose(got, expected, tolerance.rounding, largest(optimal));
      }
    });
  });

  it('has T^{π_w} in it: where ε_w is small, T^{π_w} Q is T* Q', () => {
    forAllCases(({ mdp, actionValue }) => {
      const error = implicitResidualError(mdp, actionValue);
      if (error === 0) return;
      const got = distanceToOptimality(mdp, actionValue, { kind: 'boltzmann' });
      const expected = Math.max(...softnessGap(mdp, actionValue, error));
      const scale = largest(actionValue);
      expectClose(got, expected, tolerance.rounding, scale);
      // a policy at temperature ε is within ε log A of the maximum
      expect(got).toBeLessThanOrEqual(
        mdp.discount * error * Math.log(mdp.actions) + 1e-12 * (1 + scale),
      );
    });
  });

  it('has T_{w,k} in it as ε_k → 0 (Theorem 5 i)', () => {
    const [mdp, actionValue] = [threeByTwo(), Float64Array.of(1, 2, 0.5, 1.2, 2.2, 0.3)];
    const distance = (floor: number) =>
      distanceToOptimality(mdp, actionValue, { kind: 'annealed', floor });
    const distances = [1, 0.1, 0.01, 0.001].map(distance);
    expect([...distances].sort((a, b) => b - a)).toEqual(distances);
    expect(distance(1e-3)).toBeLessThan(1e-12);
    expect(distanceToOptimality(mdp, actionValue, { kind: 'optimal' })).toBe(0);
  });

  it('has T^{π_θ} in it only where π_θ = π_w: at no residual it may be far from T* (A23)', () => {
    const mdp = threeByTwo();
    const policy = uniformPolicy(mdp);
    const own = policyActionValue(mdp, policy);
    const got = distanceToOptimality(mdp, own, { kind: 'variational', policy });
    expect(got).toBeGreaterThan(0.5);
    const error = implicitResidualError(mdp, own);
    const boltzmann = boltzmannPolicy(own, error, mdp.actions);
    const same = distanceToOptimality(mdp, own, { kind: 'variational', policy: boltzmann });
    expectClose(same, distanceToOptimality(mdp, own, { kind: 'boltzmann' }), tolerance.rounding);
  });

  it('is not entered by Q = T^{π_c} Q at c > 0: F(c) = −c, and the root lies below (T3)', () => {
    const mdp = threeByTwo();
    for (const c of [1, 0.5, 0.1]) {
      let actionValue = optimalActionValue(mdp);
      for (const _ of range(1000)) {
        const next = annealedBoltzmannOperator(mdp, actionValue, c);
        actionValue = next.map((value, h) => (value + at(actionValue, h)) / 2);
      }
      const own = annealedBoltzmannOperator(mdp, actionValue, c);
      expectClose(own, actionValue, tolerance.rounding);
      expect(implicitResidualError(mdp, actionValue)).toBeLessThan(c);
    }
  });
});
