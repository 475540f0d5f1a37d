/** The tables of a finite MDP: their layout, their sums against nested loops, and what the constructor refuses. */

import { describe, expect, it } from '@jest/globals';
import { TabularMdp, threeByTwo, uniform, uniformPolicy } from '../../src/theory/index.js';
import {
  actionsPerState,
  expectDistribution,
  expectedNext,
  expectedUnder,
  expectPolicy,
  expectRows,
  expectTable,
  largestOf,
  type MdpDefinition,
  mean,
  nextStateWeights,
} from '../../src/theory/tabular-mdp.js';
import {
  at,
  errorOf,
  expectClose,
  expectError,
  forAllCases,
  naiveLargest,
  naiveMean,
  normals,
  range,
  reading,
  sumOver,
  tolerance,
} from './support.js';

/** Two states, three actions; every number occurs once in its list. */
const definition = {
  states: 2,
  actions: 3,
  discount: 0.5,
  transition: [
    [
      [0.125, 0.875],
      [0.25, 0.75],
      [0.375, 0.625],
    ],
    [
      [0.5, 0.5],
      [0.0625, 0.9375],
      [1, 0],
    ],
  ],
  reward: [
    [1, 2, 3],
    [4, 5, -6],
  ],
} satisfies MdpDefinition;

const made = (changes: Partial<MdpDefinition>) => new TabularMdp({ ...definition, ...changes });
const flat = new TabularMdp(definition).transition;

/** The flat transition table with one entry replaced. */
const withProbability = (entry: number, value: number) =>
  made({ transition: flat.map((old, i) => (i === entry ? value : old)) });

describe('a finite MDP', () => {
  it('has p(s′|h) at (s·A + a)·S + s′ and r(h) at s·A + a, nested or flat', () => {
    const mdp = new TabularMdp(definition);
    expect([mdp.states, mdp.actions, mdp.pairs, mdp.discount]).toEqual([2, 3, 6, 0.5]);
    for (const s of range(2)) {
      for (const a of range(3)) {
        const row = mdp.transition.subarray((s * 3 + a) * 2, (s * 3 + a) * 2 + 2);
        expect([...row]).toEqual(at(at(definition.transition, s), a));
        expect(mdp.reward[s * 3 + a]).toBe(at(at(definition.reward, s), a));
      }
    }
    const again = made({ transition: mdp.transition, reward: mdp.reward });
    expect(again).toEqual(mdp);
  });

  it('does not change with the arrays that it was made of', () => {
    const [transition, reward] = [flat.slice(), Float64Array.of(1, 2, 3, 4, 5, 6)];
    const mdp = made({ transition, reward });
    transition.fill(7);
    reward.fill(7);
    expect(mdp.transition).toEqual(flat);
    expect([...mdp.reward]).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('may have one state, one action and γ = 0', () => {
    const mdp = new TabularMdp({
      states: 1,
      actions: 1,
      discount: 0,
      transition: [[[1]]],
      reward: [[2]],
    });
    expect(mdp.pairs).toBe(1);
  });

  it.each([
    ['states', 0],
    ['states', 1.5],
    ['states', Number.NaN],
    ['actions', -1],
    ['actions', Number.POSITIVE_INFINITY],
    ['discount', 1],
    ['discount', -1e-300],
    ['discount', Number.NaN],
  ] as const)('refuses %s = %d', (name, value) => {
    const error = errorOf(() => made({ [name]: value }));
    expect(error).toMatchObject({ code: 'MDP_INVALID', where: name, got: String(value) });
    expect(error.message).toMatch(new RegExp(`^${name}: expected .+, got ${value}$`));
  });

  it('names the row that does not sum to one, either way by more than 1e-12', () => {
    const row = 'transition[1][1]: expected probabilities that sum to 1';
    for (const off of [1e-3, 2e-12]) {
      expectError(() => withProbability(9, 0.9375 + off), 'MDP_INVALID', row);
      expectError(() => withProbability(9, 0.9375 - off), 'MDP_INVALID', row);
    }
    expect(withProbability(9, 0.9375 + 5e-13).pairs).toBe(6);
    expect(withProbability(9, 0.9375 - 5e-13).pairs).toBe(6);
  });

  it('names the probability that is negative, above one or no number', () => {
    const named = (entry: number, value: number) => errorOf(() => withProbability(entry, value));
    expect(named(5, -0.5)).toMatchObject({ code: 'MDP_INVALID', where: 'transition[0][2][1]' });
    expect(named(8, 1.5)).toMatchObject({ code: 'MDP_INVALID', where: 'transition[1][1][0]' });
    expect(named(0, Number.NaN)).toMatchObject({ where: 'transition[0][0][0]', got: 'NaN' });
    expect(named(11, -1).message).toBe(
      'transition[1][2][1]: expected a probability in [0, 1], got -1',
    );
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    'names the reward that is %d',
    (value) => {
      const reward = [
        [1, 2, 3],
        [4, value, 6],
      ];
      expectError(() => made({ reward }), 'MDP_INVALID', `reward[1][1]: expected`, String(value));
    },
  );

  it('names the list that has another length, though the number of entries be right', () => {
    expectError(() => made({ reward: Float64Array.of(1) }), 'MDP_INVALID', 'reward: expected 6');
    expectError(
      () => made({ transition: flat.subarray(2) }),
      'MDP_INVALID',
      'transition',
      '12',
      '10',
    );
    const reward = [
      [1, 2, 3, 4],
      [5, 6],
    ];
    expectError(() => made({ reward }), 'MDP_INVALID', 'reward[0]: expected 3', 'got 4');
    const transition = definition.transition.map((rows) => rows.map((row) => [...row, 0]));
    expectError(() => made({ transition }), 'MDP_INVALID', 'transition[0][0]: expected 2', 'got 3');
    expectError(() => made({ transition: [] }), 'MDP_INVALID', 'transition: expected 2', 'got 0');
  });
});

describe('what is no list of numbers', () => {
  it.each([
    ['nothing', undefined],
    ['number', 3],
    ['object', { 0: [1] }],
    ['string', 'abc'],
  ])('is refused as a table: %s', (got, value) => {
    for (const name of ['transition', 'reward']) {
      const call = () => made({ [name]: value } as never);
      expectError(call, 'MDP_INVALID', `${name}: expected nested lists`, `got ${got}`);
      expect(errorOf(call).where).toBe(name);
    }
  });

  it('but another array of numbers is copied to float64', () => {
    const mdp = made({ reward: Float32Array.of(1, 2, 3, 4, 5, 6) as never });
    expect(mdp.reward).toEqual(Float64Array.of(1, 2, 3, 4, 5, 6));
  });
});

describe('sums over an MDP', () => {
  it('E_{s′}[v] is that of nested loops', () => {
    forAllCases(({ mdp, draw }) => {
      const value = normals(draw, mdp.states);
      const { probability } = reading(mdp);
      const expected = range(mdp.pairs).map((h) => {
        const [s, a] = [Math.floor(h / mdp.actions), h % mdp.actions];
        return sumOver(mdp.states, (next) => probability(s, a, next) * at(value, next));
      });
      expectClose(expectedNext(mdp, value), expected, tolerance.rounding);
    });
  });

  it('Σ_h c(h) p(s′|h) is that of nested loops', () => {
    forAllCases(({ mdp, actionValue }) => {
      const { probability, of } = reading(mdp);
      const weights = range(mdp.states).map((next) =>
        sumOver(mdp.states, (s) =>
          sumOver(mdp.actions, (a) => of(actionValue)(s, a) * probability(s, a, next)),
        ),
      );
      expectClose(nextStateWeights(mdp, actionValue), weights, tolerance.rounding);
    });
  });

  it('E_π[f], max f and the mean are those of nested loops', () => {
    forAllCases(({ mdp, actionValue, policy }) => {
      const states = range(mdp.states);
      const averages = states.map(naiveMean(mdp, policy, actionValue));
      expectClose(expectedUnder(policy, actionValue, mdp.actions), averages, tolerance.rounding);
      const best = states.map(naiveLargest(mdp, actionValue));
      expect([...largestOf(actionValue, mdp.actions)]).toEqual(best);
      const all = sumOver(mdp.pairs, (h) => at(actionValue, h)) / mdp.pairs;
      expectClose(mean(actionValue), all, tolerance.rounding);
    });
  });

  it('uniform weights and policies are 1/S and 1/A', () => {
    expect([...uniform(4)]).toEqual([0.25, 0.25, 0.25, 0.25]);
    expect([...uniformPolicy(threeByTwo())]).toEqual([0.5, 0.5, 0.5, 0.5, 0.5, 0.5]);
    expect(uniformPolicy(new TabularMdp(definition))).toEqual(new Float64Array(6).fill(1 / 3));
  });
});

describe('checks of tables', () => {
  const mdp = threeByTwo();
  const checked = (...policy: number[]) => expectPolicy('π', Float64Array.from(policy), mdp);

  it('name the table of a wrong length and the entry that is not finite', () => {
    expectError(
      () => expectTable('Q', new Float64Array(5), 6),
      'LENGTH_MISMATCH',
      'Q: expected 6',
      '5',
    );
    for (const value of [Number.NaN, Number.NEGATIVE_INFINITY]) {
      const table = Float64Array.of(0, 1, value, 2);
      expectError(() => expectTable('Q', table, 4), 'NOT_FINITE', 'Q[2]', String(value));
    }
    expect(errorOf(() => expectTable('Q', Float64Array.of(Number.NaN), 1)).where).toBe('Q[0]');
  });

  it('name the state whose row is no distribution', () => {
    checked(0, 1, 1, 0, 0.25, 0.75);
    expectError(
      () => checked(0, 1, 0.5, 0.6, 1, 0),
      'POLICY_INVALID',
      'π of state 1',
      'a sum of 1.1',
    );
    expectError(
      () => checked(0, 1, 1, 0, 1.5, -0.5),
      'POLICY_INVALID',
      'π of state 2',
      'entry of -0.5',
    );
    expectError(() => checked(0, 1, 1, 0), 'LENGTH_MISMATCH', 'π: expected 6 values, got 4');
    expectError(() => checked(0, 1, 1, 0, Number.NaN, 1), 'NOT_FINITE', 'π[4]');
  });

  it('name a distribution that is negative somewhere, or does not sum to one', () => {
    const call =
      (...weights: number[]) =>
      () =>
        expectDistribution('d', Float64Array.from(weights), 3);
    call(0.25, 0.75, 0)();
    call(0.5, 0.5 + 5e-13, 0)();
    call(0.5, 0.5 - 5e-13, 0)();
    expectError(call(0.5, 0.6, 0), 'DISTRIBUTION_INVALID', 'd: expected', 'a sum of 1.1');
    expectError(call(0.5, 0.5 + 2e-12, 0), 'DISTRIBUTION_INVALID', 'd: expected');
    expectError(call(0.5, 0.5 - 2e-12, 0), 'DISTRIBUTION_INVALID', 'd: expected');
    expectError(call(1.25, 0, -0.25), 'DISTRIBUTION_INVALID', 'd[2]: expected', 'got -0.25');
    expectError(call(-0.25, 0.25, 1), 'DISTRIBUTION_INVALID', 'd[0]: expected', 'got -0.25');
    expectError(call(0.5, 0.5), 'LENGTH_MISMATCH', 'd: expected 3 values, got 2');
    expectError(call(0.5, 0.5, Number.NaN), 'NOT_FINITE', 'd[2]');
  });

  it('find the number of actions, or say that there is none', () => {
    const d = Float64Array.of(0.5, 0.5);
    expect(actionsPerState(new Float64Array(6), d)).toBe(3);
    expect(actionsPerState(new Float64Array(2), d)).toBe(1);
    for (const length of [5, 0]) {
      const call = () => actionsPerState(new Float64Array(length), d);
      expectError(call, 'LENGTH_MISMATCH', 'actionValue: expected', '2 states', `got ${length}`);
    }
    const wrong = () => actionsPerState(new Float64Array(4), Float64Array.of(0.5, 0.4));
    expectError(wrong, 'DISTRIBUTION_INVALID', 'stateWeights');
  });

  it('refuse a table that is no whole number of rows', () => {
    expectRows('Q', new Float64Array(6), 3);
    expectRows('Q', new Float64Array(3), 3);
    for (const [length, actions] of [
      [5, 3],
      [0, 3],
      [4, 0],
    ] as const) {
      const call = () => expectRows('Q', new Float64Array(length), actions);
      expectError(
        call,
        'LENGTH_MISMATCH',
        `Q: expected rows of ${actions}`,
        `got ${length} values`,
      );
    }
  });

  it('leave a rounding of the sum alone, either way up to 1e-12', () => {
    checked(0.5, 0.5 + 5e-13, 0.5, 0.5 - 5e-13, 1, 0);
    expectError(() => checked(0.5, 0.5 + 2e-12, 1, 0, 1, 0), 'POLICY_INVALID', 'state 0');
    expectError(() => checked(1, 0, 0.5, 0.5 - 2e-12, 1, 0), 'POLICY_INVALID', 'state 1');
  });
});
