/** The E-step (6), (25), (43): gradients by differences of the bound, optima against other policies, both limits. */

import { describe, expect, it } from '@jest/globals';
import {
  boltzmannPolicy,
  eStep,
  eStepGradient,
  evidenceLowerBound,
  greedyPolicy,
  priorBound,
  scoreGradient,
  softmaxPolicy,
} from '../../src/theory/index.js';
import {
  at,
  drawnPolicy,
  expectClose,
  expectError,
  expectGradient,
  forAllCases,
  isSmooth,
  largest,
  naiveBoltzmann,
  normals,
  range,
  reading,
  sumOver,
  tableOf,
  tolerance,
} from './support.js';

const table = (...values: number[]) => Float64Array.from(values);

describe('complete E-step', () => {
  it('is π_w, and no policy has a larger bound (Theorem 3)', () => {
    forAllCases((drawn) => {
      const { mdp, actionValue, temperature, draw } = drawn;
      const best = eStep({ ...drawn });
      expectClose(best, naiveBoltzmann(mdp, actionValue, temperature), tolerance.rounding);
      const most = evidenceLowerBound({ ...drawn, policy: best });
      for (const _ of range(5)) {
        const other = evidenceLowerBound({ ...drawn, policy: drawnPolicy(draw, mdp) });
        expect(other).toBeLessThanOrEqual(most + 1e-12 * (1 + Math.abs(most)));
      }
    });
  });

  it('with a prior policy is ∝ π_φ exp(Q/ε), worth E_d log Σ π_φ exp(Q/ε) (App. G, T23)', () => {
    forAllCases((drawn) => {
      const { mdp, actionValue, otherPolicy: priorPolicy, stateWeights, temperature, draw } = drawn;
      const [q, prior] = [reading(mdp).of(actionValue), reading(mdp).of(priorPolicy)];
      const best = eStep({ ...drawn, priorPolicy });
      const total = (s: number) =>
        sumOver(mdp.actions, (a) => prior(s, a) * Math.exp(q(s, a) / temperature));
      const expected = tableOf(
        mdp,
        (s, a) => (prior(s, a) * Math.exp(q(s, a) / temperature)) / total(s),
      );
      expectClose(best, expected, tolerance.rounding);
      const most = priorBound({ ...drawn, policy: best }, priorPolicy);
      const value = sumOver(mdp.states, (s) => at(stateWeights, s) * Math.log(total(s)));
      const size = largest(actionValue) / temperature;
      expectClose(most, value, tolerance.rounding, size);
      for (const _ of range(5)) {
        const other = priorBound({ ...drawn, policy: drawnPolicy(draw, mdp) }, priorPolicy);
        expect(other).toBeLessThanOrEqual(most + 1e-12 * (1 + size));
      }
    });
  });

  it('with a prior policy is the prior as ε → ∞ and greedy as ε → 0', () => {
    forAllCases((drawn) => {
      const { mdp, actionValue, otherPolicy: priorPolicy } = drawn;
      const hot = eStep({ ...drawn, priorPolicy, temperature: 1e15 });
      expectClose(hot, priorPolicy, tolerance.rounding);
      if (!isSmooth(mdp, actionValue)) return;
      const cold = eStep({ ...drawn, priorPolicy, temperature: 1e-6 });
      expectClose(cold, greedyPolicy(actionValue, mdp.actions), tolerance.rounding);
    });
  });

  it('at ε = 0 is the greedy policy, among the actions that the prior has', () => {
    const step = {
      actionValue: table(1, 2, 3, 6, 5, 4),
      temperature: 0,
      stateWeights: table(0.5, 0.5),
    };
    expect([...eStep(step)]).toEqual([0, 0, 1, 1, 0, 0]);
    const priorPolicy = table(0.5, 0.5, 0, 0.1, 0.4, 0.5);
    expect([...eStep({ ...step, priorPolicy })]).toEqual([0, 1, 0, 1, 0, 0]);
    expect([...eStep({ ...step, priorPolicy, temperature: 1e-3 })]).toEqual([0, 1, 0, 1, 0, 0]);
  });

  it.each([-1, -1e-300, Number.NaN])('refuses the temperature %d', (temperature) => {
    const step = { actionValue: table(1, 2), temperature, stateWeights: table(1) };
    for (const call of [
      () => eStep(step),
      () => eStep({ ...step, priorPolicy: table(0.5, 0.5) }),
    ]) {
      expectError(call, 'TEMPERATURE_NOT_POSITIVE', 'temperature', `got ${temperature}`);
    }
  });
});

describe('bad input of the E-step', () => {
  const step = {
    actionValue: table(1, 2, 3, 4),
    temperature: 0.5,
    stateWeights: table(0.25, 0.75),
  };
  const halves = table(0.5, 0.5, 0.5, 0.5);

  it('is named by both of its forms', () => {
    const calls = (changes: object) => [
      () => eStep({ ...step, ...changes }),
      () => eStepGradient({ ...step, ...changes }, new Float64Array(4)),
    ];
    for (const call of calls({ stateWeights: table(0.5, 0.6) })) {
      expectError(call, 'DISTRIBUTION_INVALID', 'stateWeights: expected', '1.1');
    }
    for (const call of calls({ actionValue: table(1, 2, 3) })) {
      expectError(call, 'LENGTH_MISMATCH', 'actionValue: expected', '2 states', 'got 3');
    }
    for (const call of calls({ actionValue: table(1, 2, Number.NaN, 3) })) {
      expectError(call, 'NOT_FINITE', 'actionValue', 'NaN');
    }
    for (const call of calls({ priorPolicy: table(0.5, 0.5, 0.5, 0.6) })) {
      expectError(call, 'POLICY_INVALID', 'priorPolicy of state 1', '1.1');
    }
    for (const call of calls({ priorPolicy: table(0.5, 0.5) })) {
      expectError(call, 'LENGTH_MISMATCH', 'priorPolicy: expected 4 values, got 2');
    }
  });

  it('of the gradient alone is a prior without an action, or logits that do not fit', () => {
    const priorPolicy = table(0.5, 0.5, 1, 0);
    const zero = () => eStepGradient({ ...step, priorPolicy }, new Float64Array(4));
    expectError(zero, 'VALUE_RANGE', 'priorPolicy[3]: expected a probability above 0, got 0');
    const first = { ...step, priorPolicy: table(0, 1, 1, 0) };
    expectError(() => eStepGradient(first, new Float64Array(4)), 'VALUE_RANGE', 'priorPolicy[0]');
    const short = () => eStepGradient(step, new Float64Array(3));
    expectError(short, 'LENGTH_MISMATCH', 'logits: expected 4 values, got 3');
    const broken = () => eStepGradient(step, table(0, 0, 0, Number.NaN));
    expectError(broken, 'NOT_FINITE', 'logits[3]');
    const huge = () => eStepGradient(step, table(0, Number.POSITIVE_INFINITY, 0, 0));
    expectError(huge, 'NOT_FINITE', 'logits[1]');
    expect(eStepGradient({ ...step, priorPolicy: halves }, new Float64Array(4))).toHaveLength(4);
  });
});

describe('gradient of the E-step', () => {
  it('is ε∇_θ L of a softmax policy (25), (T9)', () => {
    forAllCases((drawn) => {
      const { mdp, temperature } = drawn;
      const logits = normals(drawn.draw, mdp.pairs);
      const bound = (θ: Float64Array) =>
        temperature * evidenceLowerBound({ ...drawn, policy: softmaxPolicy(θ, mdp.actions) });
      expectGradient(eStepGradient(drawn, logits), bound, logits);
    });
  });

  it('with a prior policy is ε∇_θ of (42): (43), (T23)', () => {
    forAllCases((drawn) => {
      const { mdp, temperature, otherPolicy: priorPolicy } = drawn;
      const logits = normals(drawn.draw, mdp.pairs);
      const bound = (θ: Float64Array) =>
        temperature * priorBound({ ...drawn, policy: softmaxPolicy(θ, mdp.actions) }, priorPolicy);
      expectGradient(eStepGradient({ ...drawn, priorPolicy }, logits), bound, logits);
    });
  });

  it('vanishes at the optimum', () => {
    forAllCases((drawn) => {
      const { mdp, actionValue, temperature, otherPolicy: priorPolicy } = drawn;
      const zero = new Float64Array(mdp.pairs);
      const plain = actionValue.map((value) => value / temperature);
      expectClose(eStepGradient(drawn, plain), zero, tolerance.rounding, 10);
      const shifted = plain.map((value, h) => value + Math.log(at(priorPolicy, h)));
      expectClose(eStepGradient({ ...drawn, priorPolicy }, shifted), zero, tolerance.rounding, 10);
    });
  });

  it('does not change with a uniform prior, and follows E_π[Q] alone at ε = 0', () => {
    forAllCases((drawn) => {
      const { mdp, actionValue, stateWeights } = drawn;
      const logits = normals(drawn.draw, mdp.pairs);
      const priorPolicy = new Float64Array(mdp.pairs).fill(1 / mdp.actions);
      const got = eStepGradient({ ...drawn, priorPolicy }, logits);
      expectClose(got, eStepGradient(drawn, logits), tolerance.rounding);
      const policy = softmaxPolicy(logits, mdp.actions);
      const cold = eStepGradient({ ...drawn, temperature: 0 }, logits);
      expectClose(cold, scoreGradient(policy, actionValue, stateWeights), tolerance.rounding);
    });
  });

  it('is finite where the policy of the logits rounds to 0', () => {
    const step = { actionValue: table(1, 2), temperature: 0.5, stateWeights: table(1) };
    const priorPolicy = table(0.5, 0.5);
    for (const got of [
      eStepGradient(step, table(0, 800)),
      eStepGradient({ ...step, priorPolicy }, table(800, 0)),
    ]) {
      expectClose(got, [0, 0], tolerance.rounding);
    }
  });

  it('E_d[E_π[f ∇ log π]] is d(s) π (f − E_π f), the gradient of E_d[E_π[f]] (E.4)', () => {
    forAllCases(({ mdp, actionValue, stateWeights, draw }) => {
      const logits = normals(draw, mdp.pairs);
      const value = (θ: Float64Array) => {
        const pi = naiveBoltzmann(mdp, θ, 1);
        return sumOver(
          mdp.pairs,
          (h) => at(stateWeights, Math.floor(h / mdp.actions)) * at(pi, h) * at(actionValue, h),
        );
      };
      const policy = softmaxPolicy(logits, mdp.actions);
      expectGradient(scoreGradient(policy, actionValue, stateWeights), value, logits);
    });
  });
});

describe('softmax policy', () => {
  it('is the Boltzmann policy of its logits at temperature 1', () => {
    forAllCases(({ mdp, actionValue }) => {
      const got = softmaxPolicy(actionValue, mdp.actions);
      expectClose(got, naiveBoltzmann(mdp, actionValue, 1), tolerance.rounding);
      expect(got).toEqual(boltzmannPolicy(actionValue, 1, mdp.actions));
    });
  });
});
