/** The evidence lower bound (4) by loops over states and actions, and every way of taking it apart (5), (11), (24), (42). */

import { describe, expect, it } from '@jest/globals';
import {
  boltzmannJoint,
  boltzmannPolicy,
  decomposeBound,
  decomposeDivergence,
  entropy,
  evidenceLowerBound,
  klDivergence,
  largestBound,
  logPartition,
  optimalActionValue,
  policyDivergences,
  policyEntropies,
  priorBound,
  residualError,
  threeByTwo,
  uniform,
  uniformPolicy,
  variationalJoint,
  weighted,
} from '../../src/theory/index.js';
import {
  at,
  type Case,
  drawnPolicy,
  expectClose,
  expectError,
  forAllCases,
  largest,
  naiveBoltzmann,
  range,
  reading,
  sumOver,
  tableOf,
  tolerance,
} from './support.js';

/** E_d[E_π[f(s, a)]] by loops. */
const expectation = (
  { mdp, policy, stateWeights }: Case,
  f: (s: number, a: number) => number,
): number =>
  sumOver(mdp.states, (s) =>
    sumOver(mdp.actions, (a) => at(stateWeights, s) * reading(mdp).of(policy)(s, a) * f(s, a)),
  );

/** What the bound rounds with: Q/ε. */
const sizeOf = ({ actionValue, temperature }: Case) => largest(actionValue) / temperature;

describe('evidence lower bound L (4)', () => {
  it('is E_d[E_π[Q]/ε + H(π)]', () => {
    forAllCases((drawn) => {
      const { mdp, actionValue, policy, temperature } = drawn;
      const [q, pi] = [reading(mdp).of(actionValue), reading(mdp).of(policy)];
      const expected = expectation(drawn, (s, a) => q(s, a) / temperature - Math.log(pi(s, a)));
      expectClose(evidenceLowerBound(drawn), expected, tolerance.rounding, sizeOf(drawn));
    });
  });

  it('is ℓ − KL(q_θ‖p_w) − H(d) (5), (11), (T4)', () => {
    forAllCases((drawn) => {
      const { mdp, actionValue, policy, stateWeights, temperature } = drawn;
      const parts = decomposeBound(drawn);
      const whole = parts.logPartition - parts.divergence - parts.stateEntropy;
      expectClose(whole, evidenceLowerBound(drawn), tolerance.rounding, sizeOf(drawn));

      const [q, pi] = [reading(mdp).of(actionValue), reading(mdp).of(policy)];
      const total = sumOver(mdp.pairs, (h) => Math.exp(at(actionValue, h) / temperature));
      expectClose(parts.logPartition, Math.log(total), tolerance.rounding);
      const divergence = expectation(drawn, (s, a) => {
        const joint = Math.exp(q(s, a) / temperature) / total;
        return Math.log((at(stateWeights, s) * pi(s, a)) / joint);
      });
      expectClose(parts.divergence, divergence, tolerance.rounding, sizeOf(drawn));
      const states = sumOver(
        mdp.states,
        (s) => -at(stateWeights, s) * Math.log(at(stateWeights, s)),
      );
      expectClose(parts.stateEntropy, states, tolerance.rounding);
    });
  });

  it('has KL(q_θ‖p_w) = KL(d‖p_w(s)) + E_d[KL(π_θ‖π_w)] (24), (T8)', () => {
    forAllCases((drawn) => {
      const { mdp, actionValue, policy, stateWeights, temperature } = drawn;
      const { states, policies } = decomposeDivergence(drawn);
      expectClose(
        states + policies,
        decomposeBound(drawn).divergence,
        tolerance.rounding,
        sizeOf(drawn),
      );

      const weight = (h: number) => Math.exp(at(actionValue, h) / temperature);
      const total = sumOver(mdp.pairs, weight);
      const marginal = (s: number) =>
        sumOver(mdp.actions, (a) => weight(s * mdp.actions + a)) / total;
      const byStates = sumOver(
        mdp.states,
        (s) => at(stateWeights, s) * Math.log(at(stateWeights, s) / marginal(s)),
      );
      expectClose(states, byStates, tolerance.rounding, sizeOf(drawn));
      const boltzmann = reading(mdp).of(naiveBoltzmann(mdp, actionValue, temperature));
      const pi = reading(mdp).of(policy);
      const byPolicies = expectation(drawn, (s, a) => Math.log(pi(s, a) / boltzmann(s, a)));
      expectClose(policies, byPolicies, tolerance.rounding, sizeOf(drawn));
    });
  });

  it('is largest at π_w, where it is E_d log Σ_a exp(Q/ε) (Theorem 3)', () => {
    forAllCases((drawn) => {
      const { mdp, actionValue, stateWeights, temperature, draw } = drawn;
      const most = largestBound(drawn);
      const policy = boltzmannPolicy(actionValue, temperature, mdp.actions);
      const size = sizeOf(drawn);
      expectClose(evidenceLowerBound({ ...drawn, policy }), most, tolerance.rounding, size);
      const expected = sumOver(mdp.states, (s) => {
        const row = actionValue.subarray(s * mdp.actions, (s + 1) * mdp.actions);
        return (
          at(stateWeights, s) *
          Math.log(sumOver(mdp.actions, (a) => Math.exp(at(row, a) / temperature)))
        );
      });
      expectClose(most, expected, tolerance.rounding);
      // argmax L is argmin E_d KL: what a policy lacks of the maximum is its divergence
      const other = { ...drawn, policy: drawnPolicy(draw, mdp) };
      const lack = most - evidenceLowerBound(other);
      expectClose(lack, decomposeDivergence(other).policies, tolerance.rounding, size);
      expect(lack).toBeGreaterThanOrEqual(-tolerance.rounding.value * (1 + size));
    });
  });

  it('is finite for a policy that leaves actions out, unlike a delta policy of Lemma 1 i', () => {
    const [mdp, actionValue] = [threeByTwo(), Float64Array.of(1, 2, 0.5, 1.2, 2.2, 0.3)];
    const policy = Float64Array.of(0, 1, 0, 1, 1, 0);
    const bound = { actionValue, policy, temperature: 0.5, stateWeights: uniform(mdp.states) };
    expectClose(evidenceLowerBound(bound), 5.4 / 3 / 0.5, tolerance.rounding);
    const { logPartition: ell, divergence, stateEntropy } = decomposeBound(bound);
    expectClose(ell - divergence - stateEntropy, 3.6, tolerance.rounding);
    const { states, policies } = decomposeDivergence(bound);
    expectClose(states + policies, divergence, tolerance.rounding);
  });

  it('times ε tends to E[Q] as ε → 0, to +∞ or −∞ with its sign (Lemma 1 ii, A22)', () => {
    const mdp = threeByTwo();
    const [actionValue, policy] = [optimalActionValue(mdp), uniformPolicy(mdp)];
    const bound = { policy, temperature: 1e-9, stateWeights: uniform(3) };
    const mean = sumOver(6, (h) => at(actionValue, h)) / 6;
    const scaled = 1e-9 * evidenceLowerBound({ ...bound, actionValue });
    // ε H, the entropy log 2
    expectClose(scaled, mean, { value: 1e-9 });
    const negative = actionValue.map((value) => value - 40);
    expect(evidenceLowerBound({ ...bound, actionValue: negative })).toBeLessThan(-1e9);
  });

  it('times ε tends to E[Q*] along a path to Q*, where ε_w → 0 (Theorem 2, T7)', () => {
    const mdp = threeByTwo();
    const [optimal, policy] = [optimalActionValue(mdp), uniformPolicy(mdp)];
    const along = (t: number) => optimal.map((q, h) => q + t * at([1, -1, 0.5, 0.3, -0.7, 0.2], h));
    const mean = sumOver(6, (h) => at(optimal, h)) / 6;
    const errors = [1e-1, 1e-2, 1e-3].map((t) => {
      const actionValue = along(t);
      const temperature = residualError(mdp, actionValue, { kind: 'boltzmann' });
      const bound = { actionValue, temperature, policy, stateWeights: uniform(3) };
      return Math.abs(temperature * evidenceLowerBound(bound) - mean);
    });
    expect(at(errors, 2)).toBeLessThan(1e-3);
    expect([...errors].sort((a, b) => b - a)).toEqual(errors);
  });

  it.each([0, -1, Number.NaN])('refuses the temperature %d', (temperature) => {
    const [mdp, actionValue] = [threeByTwo(), new Float64Array(6)];
    const policy = uniformPolicy(mdp);
    const bound = { actionValue, policy, temperature, stateWeights: uniform(3) };
    for (const call of [
      () => evidenceLowerBound(bound),
      () => logPartition(bound),
      () => boltzmannJoint(bound),
      () => decomposeBound(bound),
      () => decomposeDivergence(bound),
      () => largestBound(bound),
      () => priorBound(bound, policy),
    ]) {
      expectError(call, 'TEMPERATURE_NOT_POSITIVE', `temperature`, `got ${temperature}`);
    }
  });
});

describe('bad input of a bound', () => {
  const bound = {
    actionValue: Float64Array.of(1, 2, 3, 4),
    temperature: 1,
    policy: Float64Array.of(0.5, 0.5, 0.5, 0.5),
    stateWeights: Float64Array.of(0.25, 0.75),
  };
  const calls = (changes: object) => [
    () => evidenceLowerBound({ ...bound, ...changes }),
    () => decomposeBound({ ...bound, ...changes }),
    () => decomposeDivergence({ ...bound, ...changes }),
    () => priorBound({ ...bound, ...changes }, bound.policy),
  ];

  it.each([
    ['POLICY_INVALID', 'policy of state 1', { policy: Float64Array.of(0.5, 0.5, 0.5, 0.6) }],
    ['LENGTH_MISMATCH', 'policy: expected 4 values, got 2', { policy: Float64Array.of(0, 1) }],
    ['DISTRIBUTION_INVALID', 'stateWeights[0]', { stateWeights: Float64Array.of(-0.5, 1.5) }],
    ['LENGTH_MISMATCH', 'actionValue: expected', { actionValue: new Float64Array(5) }],
    ['NOT_FINITE', 'actionValue[2]', { actionValue: Float64Array.of(0, 0, Number.NaN, 0) }],
  ])('is named: %s, %s', (code, named, changes) => {
    for (const call of calls(changes)) expectError(call, code, named);
  });

  it('is a prior that is no policy', () => {
    const prior = (...values: number[]) => priorBound(bound, Float64Array.from(values));
    expectError(() => prior(0.5, 0.5, 2, -1), 'POLICY_INVALID', 'priorPolicy of state 1', '-1');
    expectError(() => prior(0.5, 0.5), 'LENGTH_MISMATCH', 'priorPolicy: expected 4');
  });
});

describe('distributions', () => {
  it('p_w(h) is exp(Q/ε) over the sum of all pairs, q_θ(h) = d(s) π_θ(a|s)', () => {
    forAllCases((drawn) => {
      const { mdp, actionValue, policy, stateWeights, temperature } = drawn;
      const all = naiveBoltzmann({ states: 1, actions: mdp.pairs }, actionValue, temperature);
      expectClose(boltzmannJoint(drawn), all, tolerance.rounding);
      expectClose(
        logPartition(drawn),
        -Math.log(at(all, 0)) + at(actionValue, 0) / temperature,
        tolerance.rounding,
      );
      const pi = reading(mdp).of(policy);
      const joint = tableOf(mdp, (s, a) => at(stateWeights, s) * pi(s, a));
      expectClose(variationalJoint(drawn), joint, tolerance.rounding);
    });
  });

  it('have the entropy −Σ p log p, 0 log 0 = 0', () => {
    expectClose(entropy(Float64Array.of(0.5, 0, 0.25, 0.25)), 1.5 * Math.LN2, tolerance.rounding);
    expect(entropy(Float64Array.of(1, 0))).toBe(0);
    const policy = Float64Array.of(0.5, 0.5, 1, 0, 0.125, 0.875);
    const last = -0.125 * Math.log(0.125) - 0.875 * Math.log(0.875);
    expectClose(policyEntropies(policy, 2), [Math.LN2, 0, last], tolerance.rounding);
  });

  it('have the divergence Σ q log(q/p), 0 log 0 = 0, infinite where p lacks what q has', () => {
    const [q, p] = [Float64Array.of(0.5, 0, 0.5), Float64Array.of(0.25, 0.25, 0.5)];
    expectClose(klDivergence(q, p), 0.5 * Math.LN2, tolerance.rounding);
    expect(klDivergence(p, q)).toBe(Number.POSITIVE_INFINITY);
    const rows = [Float64Array.of(0.5, 0.5, 0, 1), Float64Array.of(0.25, 0.75, 0, 1)] as const;
    const first = 0.5 * Math.log(2) + 0.5 * Math.log(2 / 3);
    expectClose(policyDivergences(...rows, 2), [first, 0], tolerance.rounding);
    const [sure, other] = [Float64Array.of(1, 0), Float64Array.of(0, 1)];
    expect([...policyDivergences(sure, other, 2)]).toEqual([Number.POSITIVE_INFINITY]);
  });

  it('have divergences that are 0 between the same and positive between others', () => {
    forAllCases(({ mdp, policy, otherPolicy }) => {
      const own = policyDivergences(policy, policy, mdp.actions);
      expectClose(own, new Float64Array(mdp.states), tolerance.rounding);
      for (const s of range(mdp.states)) {
        const row = (table: Float64Array) => table.subarray(s * mdp.actions, (s + 1) * mdp.actions);
        const divergence = klDivergence(row(policy), row(otherPolicy));
        expect(divergence).toBeGreaterThanOrEqual(-1e-15);
        const all = policyDivergences(policy, otherPolicy, mdp.actions);
        expectClose(at(all, s), divergence, tolerance.rounding);
      }
    });
  });

  it('weigh values of states as E_d', () => {
    expect(weighted(Float64Array.of(0.25, 0.75), (s) => at([8, 4], s))).toBe(5);
  });
});

describe('bound with a prior policy (42), App. G', () => {
  it('is E_d[E_π[Q]/ε − KL(π_θ‖π_φ)]', () => {
    forAllCases((drawn) => {
      const { mdp, actionValue, policy, otherPolicy, temperature } = drawn;
      const [q, pi, prior] = [actionValue, policy, otherPolicy].map(reading(mdp).of) as [
        (s: number, a: number) => number,
        (s: number, a: number) => number,
        (s: number, a: number) => number,
      ];
      const expected = expectation(
        drawn,
        (s, a) => q(s, a) / temperature - Math.log(pi(s, a) / prior(s, a)),
      );
      expectClose(priorBound(drawn, otherPolicy), expected, tolerance.rounding, sizeOf(drawn));
    });
  });

  it('of a uniform prior is (4) less log A', () => {
    forAllCases((drawn) => {
      const got = priorBound(drawn, uniformPolicy(drawn.mdp));
      const expected = evidenceLowerBound(drawn) - Math.log(drawn.mdp.actions);
      expectClose(got, expected, tolerance.rounding, sizeOf(drawn));
    });
  });

  it('is E_d[E_π[Q]]/ε where the policy is the prior: φ ← θ leaves no divergence (T23)', () => {
    forAllCases((drawn) => {
      const value = expectation(drawn, reading(drawn.mdp).of(drawn.actionValue));
      const got = priorBound(drawn, drawn.policy);
      expectClose(got, value / drawn.temperature, tolerance.rounding, sizeOf(drawn));
    });
  });
});
