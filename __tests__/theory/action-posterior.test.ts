/** The probabilistic reading (App. B): likelihood, Bayes' rule by enumeration, and the bound before constants are left out. */

import { describe, expect, it } from '@jest/globals';
import {
  actionPosterior,
  boltzmannPolicy,
  eStep,
  evidenceLowerBound,
  greedyPolicy,
  optimalityBound,
  optimalityLikelihood,
  pairPosterior,
  uniform,
  variationalJoint,
} from '../../src/theory/index.js';
import {
  at,
  drawnPolicy,
  expectClose,
  expectError,
  forAllCases,
  largest,
  naiveLargest,
  range,
  reading,
  sumOver,
  tableOf,
  tolerance,
} from './support.js';

describe('optimality likelihood y_w', () => {
  it('is exp((Q − max Q)/ε), in (0, 1], 1 exactly at greedy actions (T2)', () => {
    forAllCases(({ mdp, actionValue, temperature }) => {
      const got = optimalityLikelihood(actionValue, temperature, mdp.actions);
      const best = naiveLargest(mdp, actionValue);
      const q = reading(mdp).of(actionValue);
      const expected = tableOf(mdp, (s, a) => Math.exp((q(s, a) - best(s)) / temperature));
      expectClose(got, expected, tolerance.rounding);
      const greedy = greedyPolicy(actionValue, mdp.actions);
      expect(got.map((y) => (y === 1 ? 1 : 0))).toEqual(greedy);
      expect(Math.max(...got)).toBe(1);
      expect(Math.min(...got)).toBeGreaterThanOrEqual(0);
    });
  });

  it.each([0, -2, Number.NaN])('refuses the temperature %d', (temperature) => {
    const call = () => optimalityLikelihood(Float64Array.of(1, 2), temperature, 2);
    expectError(call, 'TEMPERATURE_NOT_POSITIVE', 'temperature', `got ${temperature}`);
  });
});

describe('posteriors given optimality', () => {
  it('p(h|O) (10) is y p(h) over its sum, whatever the prior', () => {
    forAllCases((drawn) => {
      const { mdp, actionValue, temperature } = drawn;
      const likelihood = optimalityLikelihood(actionValue, temperature, mdp.actions);
      for (const prior of [uniform(mdp.pairs), variationalJoint(drawn)]) {
        const evidence = sumOver(mdp.pairs, (h) => at(likelihood, h) * at(prior, h));
        const expected = range(mdp.pairs).map((h) => (at(likelihood, h) * at(prior, h)) / evidence);
        expectClose(pairPosterior(likelihood, prior), expected, tolerance.rounding);
      }
    });
  });

  it('p(a|s, O) is π_w of a uniform prior (T2)', () => {
    forAllCases(({ mdp, actionValue, temperature }) => {
      const likelihood = optimalityLikelihood(actionValue, temperature, mdp.actions);
      const posterior = pairPosterior(likelihood, uniform(mdp.pairs));
      const policy = boltzmannPolicy(actionValue, temperature, mdp.actions);
      expectClose(actionPosterior(posterior, mdp.actions), policy, tolerance.rounding);
    });
  });

  it('p(a|s, O) is ∝ π_φ exp(Q/ε) of a prior d(s) π_φ(a|s) (App. G)', () => {
    forAllCases((drawn) => {
      const { mdp, actionValue, stateWeights, temperature, draw } = drawn;
      const priorPolicy = drawnPolicy(draw, mdp);
      const prior = variationalJoint({ policy: priorPolicy, stateWeights });
      const likelihood = optimalityLikelihood(actionValue, temperature, mdp.actions);
      const got = actionPosterior(pairPosterior(likelihood, prior), mdp.actions);
      const expected = eStep({ actionValue, temperature, stateWeights, priorPolicy });
      expectClose(got, expected, tolerance.rounding);
    });
  });

  it('p(a|s, O) divides by the marginal of its state', () => {
    const posterior = Float64Array.of(0.1, 0.3, 0.15, 0.45);
    expectClose(actionPosterior(posterior, 2), [0.25, 0.75, 0.25, 0.75], tolerance.rounding);
    expectClose(actionPosterior(posterior, 4), posterior, tolerance.rounding);
  });
});

describe('bad input of a posterior', () => {
  it('is a prior that does not fit, or that leaves no evidence', () => {
    const likelihood = Float64Array.of(1, 0.5, 0);
    const short = () => pairPosterior(likelihood, uniform(2));
    expectError(short, 'LENGTH_MISMATCH', 'prior: expected 3 values, got 2');
    const broken = () => pairPosterior(likelihood, Float64Array.of(0, Number.NaN, 1));
    expectError(broken, 'NOT_FINITE', 'prior[1]');
    const nothing = () => pairPosterior(likelihood, Float64Array.of(0, 0, 1));
    expectError(nothing, 'VALUE_RANGE', 'evidence p(O): expected a number above 0, got 0');
  });
});

describe('bound of App. B', () => {
  it('is E_q[log(y_w/q)], and L + E_d[log(y_w(s)/d(s))] (T2)', () => {
    forAllCases((drawn) => {
      const { mdp, actionValue, temperature, stateWeights } = drawn;
      const likelihood = optimalityLikelihood(actionValue, temperature, mdp.actions);
      // y may round to 0 far below the best action
      if (Math.min(...likelihood) === 0) return;
      const joint = variationalJoint(drawn);
      const expected = sumOver(
        mdp.pairs,
        (h) => at(joint, h) * (Math.log(at(likelihood, h)) - Math.log(at(joint, h))),
      );
      const got = optimalityBound(drawn);
      const size = largest(actionValue) / temperature;
      expectClose(got, expected, tolerance.rounding, size);

      const best = naiveLargest(mdp, actionValue);
      const constant = sumOver(mdp.states, (s) => {
        const likely = Math.exp(-best(s) / temperature);
        return at(stateWeights, s) * Math.log(likely / at(stateWeights, s));
      });
      expectClose(got, evidenceLowerBound(drawn) + constant, tolerance.rounding, size);
    });
  });

  it('differs from L by the same constant for every policy', () => {
    forAllCases((drawn) => {
      const other = { ...drawn, policy: drawn.otherPolicy };
      const [here, there] = [drawn, other].map(
        (bound) => optimalityBound(bound) - evidenceLowerBound(bound),
      );
      const size = largest(drawn.actionValue) / drawn.temperature;
      expectClose(here as number, there as number, tolerance.rounding, size);
    });
  });
});
