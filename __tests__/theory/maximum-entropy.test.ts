/** Soft values by loops, and the MDP where they mislead: the flip at c*, which VIREL's hard values do not have. */

import { describe, expect, it } from '@jest/globals';
import {
  boltzmannPolicy,
  criticalTemperature,
  goodChoice,
  implicitResidualError,
  maximumEntropyTrap,
  mStep,
  optimalActionValue,
  runExpectationMaximisation,
  softActionValue,
  softOptimalityOperator,
  TabularMdp,
  TRAP_STATES,
  threeByTwo,
} from '../../src/theory/index.js';
import {
  at,
  expectClose,
  expectError,
  forAllCases,
  largest,
  naiveBackup,
  naiveTarget,
  normals,
  range,
  sumOver,
  tolerance,
} from './support.js';

describe('soft optimality operator (2)', () => {
  it('is r + γ E_{s′}[c log Σ_b exp(Q/c)]', () => {
    forAllCases(({ mdp, actionValue, temperature }) => {
      const soft = (s: number) =>
        temperature *
        Math.log(
          sumOver(mdp.actions, (a) => Math.exp(at(actionValue, s * mdp.actions + a) / temperature)),
        );
      const got = softOptimalityOperator(mdp, actionValue, temperature);
      expectClose(got, naiveBackup(mdp, soft), tolerance.rounding);
    });
  });

  it('is a γ-contraction between T* and T* + γ c log A', () => {
    forAllCases(({ mdp, actionValue, temperature, draw }) => {
      const apply = (table: Float64Array) => softOptimalityOperator(mdp, table, temperature);
      const difference = (left: Float64Array, right: Float64Array) =>
        left.map((value, h) => value - at(right, h));
      const other = normals(draw, mdp.pairs, 5);
      const apart = largest(difference(apply(actionValue), apply(other)));
      expect(apart).toBeLessThanOrEqual(
        mdp.discount * largest(difference(actionValue, other)) + 1e-12,
      );
      const bonus = difference(
        apply(actionValue),
        naiveTarget(mdp, actionValue, { kind: 'optimal' }),
      );
      const scale = 1e-12 * (1 + largest(actionValue));
      expect(Math.min(...bonus)).toBeGreaterThanOrEqual(-scale);
      const most = mdp.discount * temperature * Math.log(mdp.actions);
      expect(Math.max(...bonus)).toBeLessThanOrEqual(most + scale);
    });
  });

  it.each([0, -1, Number.NaN])('refuses the temperature %d', (temperature) => {
    const call = () => softOptimalityOperator(threeByTwo(), new Float64Array(6), temperature);
    expectError(call, 'TEMPERATURE_NOT_POSITIVE', 'temperature', `got ${temperature}`);
    const values = () => softActionValue(threeByTwo(), temperature);
    expectError(values, 'TEMPERATURE_NOT_POSITIVE', 'temperature');
  });
});

describe('soft values', () => {
  it('are the fixed point of T_soft, and Q* as c → 0', () => {
    forAllCases(
      ({ mdp, temperature }) => {
        const soft = softActionValue(mdp, temperature);
        expectClose(soft, softOptimalityOperator(mdp, soft, temperature), tolerance.fixedPoint);
        // above Q* by γ c log A/(1 − γ) at most
        const bonus = (1e-12 * mdp.discount * Math.log(mdp.actions)) / (1 - mdp.discount);
        expectClose(
          softActionValue(mdp, 1e-12),
          optimalActionValue(mdp),
          tolerance.fixedPoint,
          bonus,
        );
      },
      { runs: 30 },
    );
  });

  it('of one state are r + γ c log Σ exp(r/c)/(1 − γ)', () => {
    const mdp = new TabularMdp({
      states: 1,
      actions: 2,
      discount: 0.5,
      transition: [[[1], [1]]],
      reward: [[1, 0]],
    });
    // V = c log Σ exp((r + γV)/c) = c log(e^{1/c} + 1) + γV
    const value = (2 * Math.log(Math.exp(1 / 2) + 1)) / (1 - 0.5);
    expectClose(softActionValue(mdp, 2), [1 + 0.5 * value, 0.5 * value], tolerance.fixedPoint);
  });

  it('are k times as large where r and c are, however small or large k', () => {
    const { states, actions, discount, transition, reward } = threeByTwo();
    const soft = softActionValue(threeByTwo(), 0.7);
    for (const k of [1e-9, 1e9]) {
      const scaled = reward.map((value) => k * value);
      const mdp = new TabularMdp({ states, actions, discount, transition, reward: scaled });
      const got = softActionValue(mdp, 0.7 * k).map((value) => value / k);
      expectClose(got, soft, tolerance.rounding);
    }
  });

  it('settle where the last bits go back and forth for ever', () => {
    // two states that lead to each other: the backups of these rewards come back after two
    const mdp = new TabularMdp({
      states: 2,
      actions: 1,
      discount: 0.9,
      transition: [[[0, 1]], [[1, 0]]],
      reward: [[1.0106195403431264], [-0.9131021222781847]],
    });
    const soft = softActionValue(mdp, 9.5017135415885);
    expectClose(soft, optimalActionValue(mdp), tolerance.fixedPoint);
  });

  it('say where they do not settle', () => {
    const mdp = new TabularMdp({
      states: 1,
      actions: 1,
      discount: 1 - 1e-9,
      transition: [[[1]]],
      reward: [[1]],
    });
    expectError(() => softActionValue(mdp, 1), 'NOT_CONVERGED', 'soft values', '50000 backups');
  });
});

describe('the MDP where soft values mislead (6.2)', () => {
  const trap = { payoff: 0.9, branches: 20, miss: -1e3, discount: 0.9 };

  it('has half its actions lead to one good action, half to k fair ones, and both to an end', () => {
    const mdp = maximumEntropyTrap({ payoff: 0.5, branches: 4, miss: -2, discount: 0.3 });
    expect([mdp.states, mdp.actions, mdp.discount]).toEqual([4, 4, 0.3]);
    expect(TRAP_STATES).toHaveLength(4);
    const next = range(16).map((h) => mdp.transition.subarray(4 * h, 4 * h + 4).indexOf(1));
    expect(next).toEqual([1, 1, 2, 2, ...new Array(12).fill(3)]);
    const rewards = [0, 0, 0, 0, 1, -2, -2, -2, 0.5, 0.5, 0.5, 0.5, 0, 0, 0, 0];
    expect([...mdp.reward]).toEqual(rewards);
  });

  it.each([
    [0.9, 20],
    [0.5, 4],
    [0.95, 100],
  ])(
    'has the soft policy flip exactly at c* = (1 − ρ)/log k, ρ = %d, k = %d (T25)',
    (payoff, branches) => {
      const critical = criticalTemperature(payoff, branches);
      expectClose(critical, (1 - payoff) / Math.log(branches), tolerance.rounding);
      const mdp = maximumEntropyTrap({ ...trap, payoff, branches });
      const good = (c: number) =>
        goodChoice(boltzmannPolicy(softActionValue(mdp, c), c, branches), branches);
      expect(good(critical * (1 - 1e-6))).toBeGreaterThan(0.5);
      expect(good(critical * (1 + 1e-6))).toBeLessThan(0.5);
      // γ(1 − ρ − c log k)/c is what the ways differ by at the start
      for (const c of [critical / 2, 2 * critical]) {
        const expected = 1 / (1 + Math.exp((-0.9 * (1 - payoff - c * Math.log(branches))) / c));
        expectClose(good(c), expected, tolerance.fixedPoint);
      }
    },
  );

  it('never has π_w prefer the fair ones, and complete EM makes it certain (T25)', () => {
    const mdp = maximumEntropyTrap(trap);
    const optimal = mStep(mdp, new Float64Array(mdp.pairs), { kind: 'optimal' });
    for (const temperature of [1e-3, 0.1, 1, 10, 1e3]) {
      const policy = boltzmannPolicy(optimal, temperature, trap.branches);
      expect(goodChoice(policy, trap.branches)).toBeGreaterThan(0.5);
    }
    const { policy } = runExpectationMaximisation(mdp, {
      schedule: { kind: 'complete', mStep: 'solve' },
      target: 'variational',
    });
    expect(goodChoice(policy, trap.branches)).toBe(1);
    expect(implicitResidualError(mdp, optimal)).toBe(0);
  });

  it('has the larger half of an odd number of actions lead to the good one', () => {
    const mdp = maximumEntropyTrap({ payoff: 0.5, branches: 3, miss: 0, discount: 0.3 });
    const next = range(3).map((a) => mdp.transition.subarray(4 * a, 4 * a + 4).indexOf(1));
    expect(next).toEqual([1, 1, 2]);
    expectClose(goodChoice(Float64Array.of(0.1, 0.2, 0.7), 3), 0.3, tolerance.rounding);
    expect(criticalTemperature(0.5, 2)).toBeCloseTo(0.5 / Math.LN2, 14);
  });

  it.each([1, 0, 2.5, Number.NaN])('needs at least two actions, not %d', (branches) => {
    for (const call of [
      () => maximumEntropyTrap({ ...trap, branches }),
      () => criticalTemperature(0.5, branches),
    ]) {
      expectError(call, 'VALUE_RANGE', 'branches: expected a whole number', `got ${branches}`);
    }
  });

  it('counts the good way by the first half of the actions at the start', () => {
    const policy = Float64Array.of(0.1, 0.2, 0.3, 0.4, 1, 0, 0, 0);
    expectClose(goodChoice(policy, 4), 0.3, tolerance.rounding);
  });
});
