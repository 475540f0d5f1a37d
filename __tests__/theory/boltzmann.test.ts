/** Boltzmann's policy (3) and its log partition against sums without a guard, and in both limits. */

import { describe, expect, it } from '@jest/globals';
import { boltzmannPolicy, greedyPolicy, logPartitions } from '../../src/theory/index.js';
import {
  at,
  errorOf,
  expectClose,
  expectError,
  forAllCases,
  isSmooth,
  jacobian,
  naiveBoltzmann,
  range,
  sumOver,
  tableOf,
  tolerance,
} from './support.js';

const table = (...values: number[]) => Float64Array.from(values);

describe('Boltzmann policy (3)', () => {
  it('is exp(Q/ε) over its sum', () => {
    forAllCases(({ mdp, actionValue, temperature }) => {
      const got = boltzmannPolicy(actionValue, temperature, mdp.actions);
      expectClose(got, naiveBoltzmann(mdp, actionValue, temperature), tolerance.rounding);
      for (const s of range(mdp.states)) {
        const total = sumOver(mdp.actions, (a) => at(got, s * mdp.actions + a));
        expectClose(total, 1, tolerance.rounding);
      }
    });
  });

  it('of two actions is the logistic function of their gap over ε', () => {
    const [first] = boltzmannPolicy(table(3, 1), 0.5);
    expectClose(first as number, 1 / (1 + Math.exp(-4)), tolerance.rounding);
  });

  it('does not change with a constant, and takes all values for one state unless told', () => {
    const got = boltzmannPolicy(table(1, 2, 4), 0.7);
    expectClose(boltzmannPolicy(table(101, 102, 104), 0.7), got, tolerance.rounding);
    expectClose(boltzmannPolicy(table(1, 2, 4), 0.7, 3), got, tolerance.rounding);
    expect([...boltzmannPolicy(table(1, 2, 4), 0.7, 1)]).toEqual([1, 1, 1]);
  });

  it('has the derivative π(a)(1{a = b} − π(b))/ε', () => {
    forAllCases(
      ({ mdp, actionValue, temperature }) => {
        const { states, actions, pairs } = mdp;
        const policy = naiveBoltzmann(mdp, actionValue, temperature);
        const rows = jacobian((q) => boltzmannPolicy(q, temperature, actions), actionValue);
        for (const h of range(pairs)) {
          const expected = tableOf({ states, actions }, (s, b) => {
            if (s !== Math.floor(h / actions)) return 0;
            const same = h === s * actions + b ? 1 : 0;
            return (at(policy, h) * (same - at(policy, s * actions + b))) / temperature;
          });
          expectClose(at(rows, h), expected, tolerance.finiteDifference);
        }
      },
      { states: 2 },
    );
  });

  it('leaves e^(−gap/ε) to the others as ε → 0 (Theorem 1, T5)', () => {
    for (const temperature of [0.05, 0.03]) {
      const [best] = boltzmannPolicy(table(1, 0.4, 0.1), temperature);
      const ratio = (1 - (best as number)) / Math.exp(-0.6 / temperature);
      expect(Math.abs(ratio - 1)).toBeLessThan(1e-2);
    }
  });

  it('tends to the greedy policy as ε → 0 (Theorem 1)', () => {
    forAllCases(({ mdp, actionValue }) => {
      if (!isSmooth(mdp, actionValue)) return;
      const cold = boltzmannPolicy(actionValue, 1e-6, mdp.actions);
      expectClose(cold, greedyPolicy(actionValue, mdp.actions), tolerance.rounding);
    });
  });

  it('tends to the uniform policy as ε → ∞, at the rate (Q − mean Q)/(Aε)', () => {
    const [warm, values] = [1e6, table(1, 2, 6)];
    const rate = boltzmannPolicy(values, warm).map((p) => warm * (p - 1 / 3));
    const expected = values.map((value) => (value - 3) / 3);
    // the next term is Q²/ε
    expectClose(rate, expected, { value: 1e-5 });
  });

  it('is finite where the exponentials are not', () => {
    expect([...boltzmannPolicy(table(1e300, -1e300, 0), 1e-3)]).toEqual([1, 0, 0]);
    expectClose(boltzmannPolicy(table(5e3, 5e3), 1e-3), [0.5, 0.5], tolerance.rounding);
    expectClose(logPartitions(table(5e3, 5e3), 1, 2), [5e3 + Math.LN2], tolerance.rounding);
    expectClose(logPartitions(table(-5e3, -5e3), 1, 2), [-5e3 + Math.LN2], tolerance.rounding);
  });

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('refuses the temperature %d', (value) => {
    for (const call of [
      () => boltzmannPolicy(table(1, 2), value),
      () => logPartitions(table(1, 2), value, 2),
    ]) {
      const error = errorOf(call);
      expect(error).toMatchObject({ code: 'TEMPERATURE_NOT_POSITIVE', where: 'temperature' });
      expect(error.message).toContain(`temperature: expected a number above 0`);
      expect(error.message).toContain(`got ${value}`);
      expect(error.fix).toContain('greedyPolicy');
    }
  });
});

describe('bad input of Boltzmann and greedy policies', () => {
  const calls = [
    (values: Float64Array) => boltzmannPolicy(values, 1, 2),
    (values: Float64Array) => logPartitions(values, 1, 2),
    (values: Float64Array) => greedyPolicy(values, 2),
  ];

  it('is a table of no whole rows', () => {
    for (const call of calls) {
      const short = () => call(table(1, 2, 3));
      expectError(short, 'LENGTH_MISMATCH', 'actionValue: expected rows of 2 values, got 3');
      expectError(() => call(table()), 'LENGTH_MISMATCH', 'actionValue', 'got 0');
    }
  });

  it.each([
    ['NaN', [1, 2, Number.NaN, 3]],
    ['Infinity', [1, 2, 3, Number.POSITIVE_INFINITY]],
    ['-Infinity', [1, 2, Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]],
  ])('is a state whose maximum is %s', (got, values) => {
    for (const call of calls) {
      const broken = () => call(Float64Array.from(values));
      expectError(broken, 'NOT_FINITE', 'actionValue of state 1: expected', `got ${got}`);
    }
  });

  it('is not an action that cannot be taken, −∞ beside one that can', () => {
    const values = table(Number.NEGATIVE_INFINITY, 2, 3, 4);
    const [policy, partitions, greedy] = calls.map((call) => [...call(values)]);
    expect(policy?.slice(0, 2)).toEqual([0, 1]);
    expect(partitions?.[0]).toBe(2);
    expect(greedy).toEqual([0, 1, 0, 1]);
  });
});

describe('log partition', () => {
  it('is log Σ_a exp(Q/ε) of every state', () => {
    forAllCases(({ mdp, actionValue, temperature }) => {
      const got = logPartitions(actionValue, temperature, mdp.actions);
      const expected = range(mdp.states).map((s) =>
        Math.log(
          sumOver(mdp.actions, (a) => Math.exp(at(actionValue, s * mdp.actions + a) / temperature)),
        ),
      );
      expectClose(got, expected, tolerance.rounding);
    });
  });

  it('has the gradient π_w/ε', () => {
    forAllCases(
      ({ mdp, actionValue, temperature }) => {
        const { actions } = mdp;
        const policy = boltzmannPolicy(actionValue, temperature, actions);
        const rows = jacobian((q) => logPartitions(q, temperature, actions), actionValue);
        for (const [s, row] of rows.entries()) {
          const expected = policy.map((p, h) =>
            Math.floor(h / actions) === s ? p / temperature : 0,
          );
          expectClose(row, expected, tolerance.finiteDifference);
        }
      },
      { states: 2 },
    );
  });
});

describe('greedy policy', () => {
  it('chooses the first of the largest values of every state', () => {
    const values = table(1, 3, 3, -2, -5, -2, 0, 0, 0);
    expect([...greedyPolicy(values, 3)]).toEqual([0, 1, 0, 1, 0, 0, 1, 0, 0]);
    expect([...greedyPolicy(table(2, 1, 3, 4), 1)]).toEqual([1, 1, 1, 1]);
  });
});
