/** The Bellman operators against nested loops, and their fixed points against enumeration and other linear systems. */

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  annealedBoltzmannOperator,
  drawsOf,
  largestMagnitude,
  optimalActionValue,
  optimalityOperator,
  policyActionValue,
  policyEvaluationOperator,
  randomMdp,
  TabularMdp,
  threeByTwo,
  uniformPolicy,
} from '../../src/theory/index.js';
import {
  at,
  type Case,
  expectClose,
  expectError,
  explicitTargets,
  forAllCases,
  largest,
  naivePolicyValue,
  naiveTarget,
  normals,
  range,
  tableOf,
  tolerance,
} from './support.js';

/** T*, T_{w,k} and T^π of a case, with the oracle of each. */
const operators = (drawn: Case) => {
  const { mdp, temperature, otherPolicy } = drawn;
  const apply = {
    optimal: (table: Float64Array) => optimalityOperator(mdp, table),
    annealed: (table: Float64Array) => annealedBoltzmannOperator(mdp, table, temperature),
    variational: (table: Float64Array) => policyEvaluationOperator(mdp, table, otherPolicy),
  };
  return explicitTargets(drawn).map((target) => ({
    apply: apply[target.kind],
    expected: (table: Float64Array) => naiveTarget(mdp, table, target),
  }));
};

/** 20 million probabilities by a formula: drawing them would take longer than all tests together. */
function largeMdp(): TabularMdp {
  const [states, actions] = [1000, 20];
  const transition = new Float64Array(states * actions * states);
  for (let pair = 0; pair < states * actions; pair++) {
    const weight = (next: number) => 1 + ((7 * pair + 13 * next) % 11);
    let sum = 0;
    for (let next = 0; next < states; next++) sum += weight(next);
    for (let next = 0; next < states; next++) transition[pair * states + next] = weight(next) / sum;
  }
  const reward = Float64Array.from({ length: states * actions }, (_, pair) => Math.cos(pair));
  return new TabularMdp({ states, actions, discount: 0.99, transition, reward });
}

const difference = (left: Float64Array, right: Float64Array) =>
  left.map((value, i) => value - at(right, i));

describe('Bellman operators', () => {
  it('T*, T^π and T_{w,k} (36) are those of nested loops', () => {
    forAllCases((drawn) => {
      for (const { apply, expected } of operators(drawn)) {
        expectClose(apply(drawn.actionValue), expected(drawn.actionValue), tolerance.rounding);
      }
    });
  });

  it('T* and T^π are γ-contractions in the sup norm (T24)', () => {
    forAllCases(({ mdp, actionValue, policy, draw }) => {
      const other = normals(draw, mdp.pairs, 5);
      const limit = mdp.discount * largest(difference(actionValue, other)) + 1e-12;
      for (const apply of [
        (table: Float64Array) => optimalityOperator(mdp, table),
        (table: Float64Array) => policyEvaluationOperator(mdp, table, policy),
      ]) {
        expect(largest(difference(apply(actionValue), apply(other)))).toBeLessThanOrEqual(limit);
      }
    });
  });

  it('all carry a constant k over as γk', () => {
    forAllCases((drawn) => {
      for (const { apply } of operators(drawn)) {
        const lifted = apply(drawn.actionValue.map((value) => value + 3));
        const expected = apply(drawn.actionValue).map((value) => value + 3 * drawn.mdp.discount);
        expectClose(lifted, expected, tolerance.rounding);
      }
    });
  });

  it('T^π and T_{w,k} are never above T*, and T_{w,k} meets it as ε_k → 0', () => {
    forAllCases(({ mdp, actionValue, policy, temperature }) => {
      const optimal = optimalityOperator(mdp, actionValue);
      const below = [
        policyEvaluationOperator(mdp, actionValue, policy),
        annealedBoltzmannOperator(mdp, actionValue, temperature),
      ];
      for (const table of below) {
        expect(Math.max(...difference(table, optimal))).toBeLessThanOrEqual(
          1e-12 * (1 + largest(optimal)),
        );
      }
      const cold = annealedBoltzmannOperator(mdp, actionValue, 1e-300);
      expectClose(cold, optimal, tolerance.rounding);
    });
  });

  it('are right at entries of 1,000 states by 20 actions', () => {
    const mdp = largeMdp();
    const { states, actions } = mdp;
    const table = tableOf(mdp, (s, a) => Math.sin(7 * s + 3 * a) * 3);
    const policy = tableOf(mdp, (s, a) => (a === s % 20 ? 0.81 : 0.01));
    const rowOf = (values: Float64Array, s: number) =>
      values.subarray(s * actions, (s + 1) * actions);
    const averaged = (row: Float64Array, weights: ArrayLike<number>) =>
      row.reduce((sum, value, a) => sum + value * at(weights, a), 0);
    const softmax = (row: Float64Array) => {
      const total = row.reduce((sum, value) => sum + Math.exp(value / 0.5), 0);
      return row.map((value) => Math.exp(value / 0.5) / total);
    };
    const cases = [
      [optimalityOperator(mdp, table), (row: Float64Array) => Math.max(...row)],
      [
        annealedBoltzmannOperator(mdp, table, 0.5),
        (row: Float64Array) => averaged(row, softmax(row)),
      ],
      [
        policyEvaluationOperator(mdp, table, policy),
        (row: Float64Array, s: number) => averaged(row, rowOf(policy, s)),
      ],
    ] as const;
    for (const [got, worth] of cases) {
      const values = range(states).map((s) => worth(rowOf(table, s), s));
      for (const pair of [0, 19, 20, 9_999, 19_999]) {
        const next = mdp.transition.subarray(pair * states, (pair + 1) * states);
        const expected = at(mdp.reward, pair) + 0.99 * averaged(next, values);
        expectClose(at(got, pair), expected, tolerance.rounding);
      }
    }
  });
});

describe('Q^π', () => {
  it('solves the system of all pairs, and is the fixed point of T^π', () => {
    forAllCases(({ mdp, policy }) => {
      const value = policyActionValue(mdp, policy);
      expectClose(value, naivePolicyValue(mdp, policy), tolerance.fixedPoint);
      const target = naiveTarget(mdp, value, { kind: 'variational', policy });
      expectClose(value, target, tolerance.fixedPoint);
    });
  });

  it('is r where γ = 0, and r/(1 − γ) where the reward is one number', () => {
    const { states, actions, transition, reward } = threeByTwo();
    const sizes = { states, actions, transition };
    const short = new TabularMdp({ ...sizes, discount: 0, reward });
    expect(policyActionValue(short, uniformPolicy(short))).toEqual(reward);
    const level = new TabularMdp({ ...sizes, discount: 0.9, reward: reward.map(() => 2) });
    const value = policyActionValue(level, uniformPolicy(level));
    expectClose(value, new Float64Array(6).fill(20), tolerance.fixedPoint);
  });
});

describe('Q*', () => {
  /** All tables that choose one action in every state. */
  const deterministicPolicies = (mdp: TabularMdp) =>
    range(mdp.actions ** mdp.states).map((number) =>
      tableOf(mdp, (s, a) => (Math.floor(number / mdp.actions ** s) % mdp.actions === a ? 1 : 0)),
    );

  it('is the largest Q^π of all deterministic policies', () => {
    forAllCases(
      ({ mdp }) => {
        const values = deterministicPolicies(mdp).map((policy) => naivePolicyValue(mdp, policy));
        const best = tableOf(mdp, (s, a) =>
          Math.max(...values.map((value) => at(value, s * mdp.actions + a))),
        );
        expectClose(optimalActionValue(mdp), best, tolerance.fixedPoint);
      },
      { states: 3, actions: 3 },
    );
  });

  it('is the limit of Q ← T* Q', () => {
    forAllCases(
      ({ mdp }) => {
        const optimal = optimalActionValue(mdp);
        let value: Float64Array = new Float64Array(mdp.pairs);
        // 0.95^700 = 2.5e-16
        for (const _ of range(700)) value = optimalityOperator(mdp, value);
        expectClose(optimal, value, tolerance.fixedPoint);
      },
      { runs: 30 },
    );
  });

  it('is found where all actions are equal, and where γ is near 1', () => {
    const { states, actions, transition } = threeByTwo();
    const equal = { states, actions, transition, reward: new Float64Array(6).fill(1) };
    const patient = new TabularMdp({ ...equal, discount: 0.9999 });
    // condition of the system: 2e4
    expectClose(optimalActionValue(patient), new Float64Array(6).fill(1e4), tolerance.fixedPoint);
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const mdp = randomMdp(drawsOf(seed), { states: 4, actions: 3, discount: 0.9999 });
        const optimal = optimalActionValue(mdp);
        const target = naiveTarget(mdp, optimal, { kind: 'optimal' });
        expectClose(optimal, target, tolerance.fixedPoint);
      }),
    );
  });

  it('goes through a policy that is worse at first: greed for the nearest reward is not optimal', () => {
    // left pays 1 and stays; right pays nothing, and leads to where 2 is paid for ever
    const mdp = new TabularMdp({
      states: 2,
      actions: 2,
      discount: 0.9,
      transition: [
        [
          [1, 0],
          [0, 1],
        ],
        [
          [0, 1],
          [0, 1],
        ],
      ],
      reward: [
        [1, 0],
        [2, 2],
      ],
    });
    expectClose(optimalActionValue(mdp), [1 + 0.9 * 18, 18, 20, 20], tolerance.fixedPoint);
  });
});

describe('sup norm', () => {
  it('is the largest magnitude, of either sign, and 0 of nothing', () => {
    expect(largestMagnitude(Float64Array.of(0.25, -0.5, 0.375))).toBe(0.5);
    expect(largestMagnitude(Float64Array.of(-0.25, 0.125))).toBe(0.25);
    expect(largestMagnitude(new Float64Array(0))).toBe(0);
  });
});

describe('bad input of the operators', () => {
  const mdp = threeByTwo();
  const short = new Float64Array(5);
  const broken = Float64Array.of(0, 0, 0, Number.NaN, 0, 0);
  const fair = uniformPolicy(mdp);
  const table = new Float64Array(6);

  it.each([
    ['T*', (actionValue: Float64Array) => optimalityOperator(mdp, actionValue)],
    ['T^π', (actionValue: Float64Array) => policyEvaluationOperator(mdp, actionValue, fair)],
    ['T_{w,k}', (actionValue: Float64Array) => annealedBoltzmannOperator(mdp, actionValue, 1)],
  ])('%s names a wrong length and an entry that is not finite', (_, apply) => {
    expectError(() => apply(short), 'LENGTH_MISMATCH', 'actionValue: expected', 'got 5');
    expectError(() => apply(broken), 'NOT_FINITE', 'actionValue', 'NaN');
  });

  it('names the entry itself', () => {
    expectError(() => optimalityOperator(mdp, broken), 'NOT_FINITE', 'actionValue[3]');
    expectError(() => policyEvaluationOperator(mdp, broken, fair), 'NOT_FINITE', 'actionValue[3]');
  });

  it.each([
    ['T^π', (policy: Float64Array) => policyEvaluationOperator(mdp, table, policy)],
    ['Q^π', (policy: Float64Array) => policyActionValue(mdp, policy)],
  ])('%s names the state whose policy is no distribution', (_, apply) => {
    const wrong = Float64Array.of(0.5, 0.5, 0.7, 0.7, 1, 0);
    expectError(() => apply(wrong), 'POLICY_INVALID', 'policy of state 1', '1.4');
    expectError(() => apply(Float64Array.of(1.5, -0.5, 1, 0, 1, 0)), 'POLICY_INVALID', 'state 0');
    expectError(() => apply(short), 'LENGTH_MISMATCH', 'policy: expected 6');
    expectError(() => apply(broken), 'NOT_FINITE', 'policy[3]');
  });

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])(
    'T_{w,k} refuses the temperature %d',
    (temperature) => {
      const apply = () => annealedBoltzmannOperator(mdp, table, temperature);
      expectError(apply, 'TEMPERATURE_NOT_POSITIVE', 'temperature', String(temperature));
    },
  );
});
