/** The M-step (7), (39), (41): its gradient by differences of the bound, its ends by their residuals. */

import { describe, expect, it } from '@jest/globals';
import {
  bellmanTarget,
  boltzmannTerms,
  directMStep,
  evidenceLowerBound,
  type MStep,
  mStep,
  mStepGradient,
  optimalActionValue,
  policyActionValue,
  residualError,
  residualErrorGradient,
  TabularMdp,
  type Target,
  threeByTwo,
  uniform,
  uniformPolicy,
} from '../../src/theory/index.js';
import {
  at,
  type Case,
  differences,
  expectClose,
  expectError,
  explicitTargets,
  forAllCases,
  isSmooth,
  naiveTarget,
  range,
  reading,
  sumOver,
  tolerance,
} from './support.js';

const boltzmann = { kind: 'boltzmann' } as const;

/** Targets whose ε_w has a gradient here that differences can find. */
function smoothTargets(drawn: Case): Target[] {
  const { mdp, actionValue } = drawn;
  const { temperature, operatorOfValue } = boltzmannTerms(mdp, actionValue);
  const slope = 1 + (mdp.discount * operatorOfValue) / temperature ** 2;
  return [
    ...explicitTargets(drawn).filter(
      ({ kind }) => kind !== 'optimal' || isSmooth(mdp, actionValue),
    ),
    ...(slope > 0.2 ? [boltzmann] : []),
  ].filter((target) => residualError(mdp, actionValue, target) > 0.05);
}

describe('gradient of the M-step', () => {
  it('is ε² ∇_w L (7) for every target (T10)', () => {
    forAllCases(
      (drawn) => {
        const { mdp, actionValue, policy, stateWeights } = drawn;
        for (const target of smoothTargets(drawn)) {
          const error = residualError(mdp, actionValue, target);
          const bound = (table: Float64Array) => {
            const temperature = residualError(mdp, table, target);
            return evidenceLowerBound({ actionValue: table, temperature, policy, stateWeights });
          };
          const expected = differences(bound, actionValue).map((slope) => error ** 2 * slope);
          const got = mStepGradient(mdp, actionValue, target, { policy, stateWeights });
          const scale = error ** 2 * Math.abs(bound(actionValue));
          expectClose(got, expected, tolerance.finiteDifference, scale);
        }
      },
      { states: 3, actions: 3, runs: 60 },
    );
  });

  it('is ε E_{d,π}[∇Q] − E_{d,π}[Q] ∇ε, with ∇ε as Theorem 4 is read', () => {
    forAllCases(
      (drawn) => {
        const { mdp, actionValue, policy, stateWeights } = drawn;
        const { temperature } = boltzmannTerms(mdp, actionValue);
        const { of } = reading(mdp);
        const joint = (h: number) => at(stateWeights, Math.floor(h / mdp.actions)) * at(policy, h);
        const value = sumOver(mdp.states, (s) =>
          sumOver(
            mdp.actions,
            (a) => at(stateWeights, s) * of(policy)(s, a) * of(actionValue)(s, a),
          ),
        );
        for (const theorem4 of ['corrected', 'printed', 'neglect'] as const) {
          const slope = residualErrorGradient(mdp, actionValue, boltzmann, theorem4);
          const expected = range(mdp.pairs).map(
            (h) => temperature * joint(h) - value * at(slope, h),
          );
          const held = { policy, stateWeights };
          const got = mStepGradient(mdp, actionValue, boltzmann, held, theorem4);
          expectClose(got, expected, tolerance.rounding);
        }
      },
      { runs: 40 },
    );
  });
});

describe('bad input of the M-step', () => {
  it('is a policy or a distribution of states that is none', () => {
    const mdp = threeByTwo();
    const [policy, stateWeights] = [uniformPolicy(mdp), uniform(3)];
    const call = (held: MStep) => () =>
      mStepGradient(mdp, new Float64Array(6), { kind: 'optimal' }, held);
    const wrong = Float64Array.of(0.5, 0.5, 0.5, 0.5, 1, 1);
    expectError(call({ policy: wrong, stateWeights }), 'POLICY_INVALID', 'policy of state 2', '2');
    const sum = Float64Array.of(0.5, 0.5, 0.5);
    expectError(call({ policy, stateWeights: sum }), 'DISTRIBUTION_INVALID', 'stateWeights', '1.5');
    const short = Float64Array.of(0.5, 0.5);
    expectError(
      call({ policy, stateWeights: short }),
      'LENGTH_MISMATCH',
      'stateWeights: expected 3',
    );
  });
});

describe('complete M-step', () => {
  it('leaves no residual: Q* for T* and T^{π_w}, Q^π for T^π (39)', () => {
    forAllCases(({ mdp, actionValue, policy }) => {
      const optimal = mStep(mdp, actionValue, { kind: 'optimal' });
      expectClose(optimal, naiveTarget(mdp, optimal, { kind: 'optimal' }), tolerance.fixedPoint);
      expect(mStep(mdp, actionValue, boltzmann)).toEqual(optimal);
      const own = mStep(mdp, actionValue, { kind: 'variational', policy });
      const target = { kind: 'variational', policy } as const;
      expectClose(own, naiveTarget(mdp, own, target), tolerance.fixedPoint);
    });
  });

  it('of T_{w,k} leaves ε_{w,k} = ε_k (38), (Theorem 5 iii, T19)', () => {
    forAllCases(
      ({ mdp, actionValue, temperature }) => {
        const target = { kind: 'annealed', floor: temperature } as const;
        const settled = mStep(mdp, actionValue, target);
        expectClose(settled, naiveTarget(mdp, settled, target), tolerance.rounding);
        expectClose(residualError(mdp, settled, target), temperature, tolerance.rounding);
      },
      { runs: 30 },
    );
  });

  it('of T_{w,k} tends to Q* as ε_k → 0 (Theorem 5 iii)', () => {
    const mdp = threeByTwo();
    const optimal = optimalActionValue(mdp);
    const distances = [1, 0.5, 0.1, 0.02].map((floor) => {
      const settled = mStep(mdp, optimal, { kind: 'annealed', floor });
      return Math.max(...settled.map((value, h) => Math.abs(value - at(optimal, h))));
    });
    expect([...distances].sort((a, b) => b - a)).toEqual(distances);
    expect(at(distances, 3)).toBeLessThan(1e-3);
  });

  /** One state: two actions that pay 1 and 0. */
  const single = (discount: number) =>
    new TabularMdp({
      states: 1,
      actions: 2,
      discount,
      transition: [[[1], [1]]],
      reward: [[1, 0]],
    });

  it('of T_{w,k} lasts up to γ = 0.999', () => {
    const floor = 0.5;
    const settled = mStep(single(0.999), new Float64Array(2), { kind: 'annealed', floor });
    // the gap of the values is that of the rewards, at any γ
    const value = 1 / (1 + Math.exp(-1 / floor)) / (1 - 0.999);
    expectClose(settled, [1 + 0.999 * value, 0.999 * value], tolerance.fixedPoint);
  });

  it('of T_{w,k} is k times as large where r and ε_k are, however small or large k', () => {
    const { states, actions, discount, transition, reward } = threeByTwo();
    const start = new Float64Array(6);
    const settled = mStep(threeByTwo(), start, { kind: 'annealed', floor: 0.7 });
    for (const k of [1e-9, 1e9]) {
      const scaled = reward.map((value) => k * value);
      const mdp = new TabularMdp({ states, actions, discount, transition, reward: scaled });
      const got = mStep(mdp, start, { kind: 'annealed', floor: 0.7 * k });
      expectClose(
        got.map((value) => value / k),
        settled,
        tolerance.rounding,
      );
    }
  });

  it('of T_{w,k} says where it does not settle', () => {
    const call = () =>
      mStep(single(1 - 1e-9), new Float64Array(2), { kind: 'annealed', floor: 0.5 });
    expectError(call, 'NOT_CONVERGED', 'Q = T Q: no fixed point', '100000 backups');
  });

  it('does not read the Q that it starts from, but for T_{w,k}', () => {
    const [mdp, other] = [threeByTwo(), new Float64Array(6).fill(7)];
    const policy = Float64Array.of(0.5, 0.5, 0.1, 0.9, 1, 0);
    expect(mStep(mdp, other, { kind: 'optimal' })).toEqual(optimalActionValue(mdp));
    const own = mStep(mdp, other, { kind: 'variational', policy });
    expect(own).toEqual(policyActionValue(mdp, policy));
  });
});

describe('direct M-step (F.3), (41)', () => {
  it('is Q ← T_w Q, the target held', () => {
    forAllCases((drawn) => {
      const { mdp, actionValue } = drawn;
      for (const target of explicitTargets(drawn)) {
        const got = directMStep(mdp, actionValue, target);
        expectClose(got, naiveTarget(mdp, actionValue, target), tolerance.rounding);
      }
      const got = directMStep(mdp, actionValue, boltzmann);
      expect(got).toEqual(bellmanTarget(mdp, actionValue, boltzmann));
    });
  });
});
