/** Gradients of the residual error (26)-(31) by differences, Theorem 4 by its definition, the printed forms by their own. */

import { describe, expect, it } from '@jest/globals';
import {
  bellmanResidual,
  bellmanTarget,
  boltzmannPolicy,
  boltzmannScores,
  boltzmannScoreTerm,
  boltzmannTerms,
  centred,
  directGradient,
  dot,
  drawsOf,
  implicitResidualError,
  optimalActionValue,
  printedAnnealedPullback,
  printedBoltzmannScoreTerm,
  pullBack,
  residualError,
  residualErrorGradient,
  residualPullback,
  type TabularMdp,
  type Target,
  tanhApproximator,
  threeByTwo,
} from '../../src/theory/index.js';
import {
  at,
  type Case,
  differenceOf,
  expectClose,
  expectError,
  expectGradient,
  explicitTargets,
  forAllCases,
  halfMeanSquare,
  isSmooth,
  jacobian,
  largest,
  naiveBoltzmann,
  naiveMean,
  naiveResidual,
  normals,
  range,
  reading,
  sumOver,
  tableOf,
  tolerance,
} from './support.js';

const boltzmann = { kind: 'boltzmann' } as const;

/** The targets of a case that have a derivative there. */
const smoothTargets = (drawn: Case) =>
  explicitTargets(drawn).filter(
    ({ kind }) => kind !== 'optimal' || isSmooth(drawn.mdp, drawn.actionValue),
  );

/** Whether ε_w of T^{π_w} is far enough from 0 and from a fold for differences of its root. */
function isRegular(mdp: TabularMdp, actionValue: Float64Array): boolean {
  const { temperature, operatorOfValue } = boltzmannTerms(mdp, actionValue);
  const slope = 1 + (mdp.discount * operatorOfValue) / temperature ** 2;
  return temperature > 0.02 && slope > 0.2;
}

/** Cases with a regular ε_w; differences of a root cost some hundred operators for every entry. */
const forRegularCases = (check: (drawn: Case) => void) =>
  forAllCases(
    (drawn) => {
      if (isRegular(drawn.mdp, drawn.actionValue)) check(drawn);
    },
    { states: 3, actions: 3, runs: 60 },
  );

/**
 * The parts of Theorem 4 by nested loops over h, s′, a′: ∇Q(h′) is the row of ones at h′, and the mean of β is over pairs.
 */
function naiveTerms({ mdp, actionValue }: Pick<Case, 'mdp' | 'actionValue'>, temperature: number) {
  const { probability, of } = reading(mdp);
  const policy = naiveBoltzmann(mdp, actionValue, temperature);
  const [pi, q] = [of(policy), of(actionValue)];
  const residual = naiveResidual(mdp, actionValue, { kind: 'annealed', floor: temperature });
  const mean = (term: (s: number, a: number) => number) =>
    sumOver(mdp.states, (s) => sumOver(mdp.actions, (a) => term(s, a))) / mdp.pairs;
  /** E_w[f(h′)] after h. */
  const after = (s: number, a: number, f: (next: number, b: number) => number) =>
    sumOver(mdp.states, (next) =>
      sumOver(mdp.actions, (b) => probability(s, a, next) * pi(next, b) * f(next, b)),
    );
  /** E[β E_w[f(h′)]]. */
  const weighted = (f: (next: number, b: number) => number) =>
    mean((s, a) => of(residual)(s, a) * after(s, a, f));
  /** 𝓔[f] = E[β E_w[Q(h′) (f(h′) − E_{b~π_w} f(s′, b))]]. */
  const operator = (f: Float64Array) =>
    weighted((next, b) => q(next, b) * (of(f)(next, b) - naiveMean(mdp, policy, f)(next)));
  const unit = (h: number) => Float64Array.from(range(mdp.pairs), (i) => (i === h ? 1 : 0));
  const table = (entry: (h: number) => number) => Float64Array.from(range(mdp.pairs), entry);
  return {
    policy,
    residual,
    operatorOfValue: operator(actionValue),
    operatorOfGradient: table((h) => operator(unit(h))),
    // δ = γ E_w[∇Q(h′)] − ∇Q(h)
    residualTimesDelta: table((h) =>
      mean(
        (s, a) =>
          of(residual)(s, a) * (mdp.discount * after(s, a, of(unit(h))) - of(unit(h))(s, a)),
      ),
    ),
    residualTimesNextValue: weighted(q),
    weighted,
  };
}

/** Σ_h c(h) β(h) by nested loops. */
const weightedResidual =
  (mdp: TabularMdp, target: Exclude<Target, { kind: 'boltzmann' }>, weights: Float64Array) =>
  (table: Float64Array): number =>
    dot(weights, naiveResidual(mdp, table, target));

describe('gradient of the residual error, explicit targets', () => {
  it('is E[β ∇β] (26) for T*, T_{w,k} and T^π', () => {
    forAllCases((drawn) => {
      const { mdp, actionValue } = drawn;
      for (const target of smoothTargets(drawn)) {
        const floor = target.kind === 'annealed' ? target.floor : 0;
        expectGradient(
          residualErrorGradient(mdp, actionValue, target),
          (table) => halfMeanSquare(naiveResidual(mdp, table, target)) + floor,
          actionValue,
        );
      }
    });
  });

  it('is Σ c ∇β for any weights c, T_{w,k} as corrected in (31)', () => {
    forAllCases((drawn) => {
      const { mdp, actionValue, draw } = drawn;
      const weights = normals(draw, mdp.pairs);
      for (const target of smoothTargets(drawn)) {
        const got = residualPullback(mdp, actionValue, target, weights);
        expectGradient(got, weightedResidual(mdp, target, weights), actionValue);
      }
    });
  });

  it('of T_{w,k} (31) holds from hot to cold', () => {
    const [mdp, actionValue] = [threeByTwo(), Float64Array.of(1, 2, 0.5, 1.2, 2.2, 0.3)];
    for (const floor of [2, 1, 0.5, 0.1, 0.05]) {
      const target = { kind: 'annealed', floor } as const;
      const got = residualErrorGradient(mdp, actionValue, target);
      expectGradient(got, (q) => residualError(mdp, q, target), actionValue);
      expect(differenceOf(got, directGradient(mdp, actionValue, target))).toBeGreaterThan(1e-2);
    }
  });

  it('by the parameters of an approximator is pulled back by its Jacobian', () => {
    const [mdp, q] = [threeByTwo(), tanhApproximator(3, 2)];
    for (const seed of range(20)) {
      const w = normals(drawsOf(seed), 3);
      const target = { kind: 'annealed', floor: 0.7 } as const;
      const gradient = residualErrorGradient(mdp, q.values(w), target);
      const error = (moved: Float64Array) => residualError(mdp, q.values(moved), target);
      expectGradient(pullBack(q.gradient(w), gradient), error, w);
    }
  });

  it('of the direct method is −E[β ∇Q], the target held (F.3, T20)', () => {
    forAllCases((drawn) => {
      const { mdp, actionValue } = drawn;
      for (const target of [...explicitTargets(drawn), boltzmann]) {
        const held = bellmanTarget(mdp, actionValue, target);
        const error = (table: Float64Array) =>
          halfMeanSquare(table.map((value, h) => at(held, h) - value));
        expectGradient(directGradient(mdp, actionValue, target), error, actionValue);
      }
    });
  });

  it('needs Theorem 4 where the target is implicit', () => {
    const call = () =>
      residualPullback(threeByTwo(), new Float64Array(6), boltzmann, new Float64Array(6));
    expectError(call, 'TARGET_IMPLICIT', 'Boltzmann target');
  });
});

describe('Theorem 4', () => {
  it('is made of sums over pairs, next states and next actions', () => {
    forAllCases(
      ({ mdp, actionValue }) => {
        const terms = boltzmannTerms(mdp, actionValue);
        const { weighted: _, ...naive } = naiveTerms({ mdp, actionValue }, terms.temperature);
        for (const name of Object.keys(naive) as (keyof typeof naive)[]) {
          // 𝓔 has β Q² in it
          expectClose(terms[name], naive[name], tolerance.rounding, largest(actionValue) ** 2);
        }
        expect(terms.temperature).toBe(implicitResidualError(mdp, actionValue));
      },
      { states: 3, actions: 3 },
    );
  });

  it('as corrected, (30), is the gradient of the root of F (T13)', () => {
    forRegularCases(({ mdp, actionValue }) => {
      const got = residualErrorGradient(mdp, actionValue, boltzmann);
      expectGradient(got, (table) => implicitResidualError(mdp, table), actionValue);
      expect(residualErrorGradient(mdp, actionValue, boltzmann, 'corrected')).toEqual(got);
    });
  });

  it('as corrected: X = E[β E_w[(∇ log π_w) Q(h′)]], ∇ log π_w = M_w[∇Q]/ε − (∇ε) M_w[Q]/ε² (29)', () => {
    forRegularCases(({ mdp, actionValue }) => {
      const terms = boltzmannTerms(mdp, actionValue);
      const scores = jacobian((table) => {
        const error = implicitResidualError(mdp, table);
        return boltzmannPolicy(table, error, mdp.actions).map(Math.log);
      }, actionValue);

      const gradient = residualErrorGradient(mdp, actionValue, boltzmann);
      const got = boltzmannScores(mdp, actionValue, terms, gradient);
      const rows = scores.flatMap((row) => [...row]);
      const { finiteDifference } = tolerance;
      expectClose(got, rows, finiteDifference, largest(actionValue) / terms.temperature);

      const { weighted } = naiveTerms({ mdp, actionValue }, terms.temperature);
      const { of } = reading(mdp);
      const expected = range(mdp.pairs).map((j) =>
        weighted((next, b) => at(at(scores, next * mdp.actions + b), j) * of(actionValue)(next, b)),
      );
      const byTerms = boltzmannScoreTerm(mdp, terms);
      expectClose(byTerms, expected, finiteDifference, largest(actionValue) ** 2);
    });
  });

  it('and (30) agree: ∇ε = γX + E[βδ]', () => {
    forRegularCases(({ mdp, actionValue }) => {
      const terms = boltzmannTerms(mdp, actionValue);
      const sum = boltzmannScoreTerm(mdp, terms).map(
        (x, h) => mdp.discount * x + at(terms.residualTimesDelta, h),
      );
      const got = residualErrorGradient(mdp, actionValue, boltzmann);
      expectClose(got, sum, tolerance.fixedPoint);
    });
  });

  it('as printed is X = (ε E[βδ] 𝓔[Q] + 𝓔[∇Q]) / (ε²(1 + γ E[β E_w[Q]])) and ∇ε = X + E[βδ]', () => {
    forRegularCases(({ mdp, actionValue }) => {
      const terms = boltzmannTerms(mdp, actionValue);
      const ε = terms.temperature;
      const naive = naiveTerms({ mdp, actionValue }, ε);
      const below = ε * ε * (1 + mdp.discount * naive.residualTimesNextValue);
      const printed = range(mdp.pairs).map((h) => {
        const [delta, operator] = [
          at(naive.residualTimesDelta, h),
          at(naive.operatorOfGradient, h),
        ];
        return (ε * delta * naive.operatorOfValue + operator) / below;
      });
      // the printed denominator may be near 0: one more digit is lost for each of its own
      const limit = { value: tolerance.fixedPoint.value * (1 + ε ** 2 / Math.abs(below)) };
      expectClose(printedBoltzmannScoreTerm(mdp, terms), printed, limit, largest(actionValue) ** 2);
      const sum = printed.map((x, h) => x + at(naive.residualTimesDelta, h));
      const got = residualErrorGradient(mdp, actionValue, boltzmann, 'printed');
      expectClose(got, sum, limit, largest(actionValue) ** 2);
    });
  });

  it('neglected is E[βδ], and the three readings differ', () => {
    const [mdp, actionValue] = [threeByTwo(), Float64Array.of(1, 2, 0.5, 1.2, 2.2, 0.3)];
    const by = (reading: 'corrected' | 'printed' | 'neglect') =>
      residualErrorGradient(mdp, actionValue, boltzmann, reading);
    expect(by('neglect')).toEqual(boltzmannTerms(mdp, actionValue).residualTimesDelta);
    expect(differenceOf(by('neglect'), by('corrected'))).toBeGreaterThan(1e-2);
    expect(differenceOf(by('printed'), by('corrected'))).toBeGreaterThan(1e-2);
    expect(differenceOf(by('printed'), by('neglect'))).toBeGreaterThan(1e-2);
  });

  it('is read by the Boltzmann target alone', () => {
    const [mdp, actionValue] = [threeByTwo(), Float64Array.of(1, 2, 0.5, 1.2, 2.2, 0.3)];
    const optimal = { kind: 'optimal' } as const;
    const corrected = residualErrorGradient(mdp, actionValue, optimal, 'corrected');
    expect(residualErrorGradient(mdp, actionValue, optimal, 'printed')).toEqual(corrected);
  });

  it('has no temperature to differentiate at Q*', () => {
    const mdp = threeByTwo();
    const optimal = optimalActionValue(mdp);
    expectError(() => boltzmannTerms(mdp, optimal), 'RESIDUAL_ZERO', 'residual error is 0');
    const call = () => residualErrorGradient(mdp, optimal, boltzmann);
    expectError(call, 'RESIDUAL_ZERO', 'temperature');
  });

  it('holds where the values do not depend on the policy', () => {
    forAllCases(
      ({ mdp, actionValue, policy }) => {
        if (implicitResidualError(mdp, actionValue) < 1e-6) return;
        const got = residualErrorGradient(mdp, actionValue, boltzmann);
        const plain = residualErrorGradient(mdp, actionValue, { kind: 'variational', policy });
        expectClose(got, plain, tolerance.rounding);
      },
      { actions: 1 },
    );
  });
});

describe('(31) as printed', () => {
  it('lacks γ and Q(h′): Σ c (E_{w,k}[∇Q(h′)] − ∇Q)', () => {
    forAllCases(({ mdp, actionValue, temperature, draw }) => {
      const weights = normals(draw, mdp.pairs);
      const { probability, of } = reading(mdp);
      const policy = naiveBoltzmann(mdp, actionValue, temperature);
      // the mean of M_{w,k}[∇Q] under π_{w,k} is 0, so that its division by ε_k is nothing
      const expected = tableOf(mdp, (next, b) => {
        const reached = sumOver(mdp.states, (s) =>
          sumOver(mdp.actions, (a) => of(weights)(s, a) * probability(s, a, next)),
        );
        return reached * of(policy)(next, b) - of(weights)(next, b);
      });
      const got = printedAnnealedPullback(mdp, actionValue, temperature, weights);
      expectClose(got, expected, tolerance.rounding);
    });
  });

  it('is not the gradient', () => {
    const [mdp, actionValue] = [threeByTwo(), Float64Array.of(1, 2, 0.5, 1.2, 2.2, 0.3)];
    const target = { kind: 'annealed', floor: 0.5 } as const;
    const weights = bellmanResidual(mdp, actionValue, target).map((value) => value / mdp.pairs);
    const printed = printedAnnealedPullback(mdp, actionValue, 0.5, weights);
    const corrected = residualErrorGradient(mdp, actionValue, target);
    expect(differenceOf(printed, corrected)).toBeGreaterThan(0.03);
  });
});

describe('helpers', () => {
  it('M_π[f] is f less its mean under π in its state', () => {
    forAllCases(({ mdp, actionValue, policy }) => {
      const { of } = reading(mdp);
      const expected = tableOf(
        mdp,
        (s, a) => of(actionValue)(s, a) - naiveMean(mdp, policy, actionValue)(s),
      );
      expectClose(centred(actionValue, policy, mdp.actions), expected, tolerance.rounding);
    });
  });

  it('Σ f g', () => {
    expect(dot(Float64Array.of(1, 2, 3), Float64Array.of(4, 5, -6))).toBe(-4);
  });
});
