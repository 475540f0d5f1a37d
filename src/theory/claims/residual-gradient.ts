/** Appendix E.3: the gradient of the residual error, and Theorem 4. */

import { optimalActionValue } from '../bellman.js';
import { drawsOf, normalOf, threeByTwo } from '../examples.js';
import { implicitResidualError, residualError } from '../residual.js';
import {
  boltzmannScores,
  boltzmannScoreTerm,
  boltzmannTerms,
  printedAnnealedPullback,
  printedBoltzmannScoreTerm,
  residualErrorGradient,
  residualPullback,
} from '../residual-gradient.js';
import {
  difference,
  failures,
  GOLDEN_VALUE,
  type NumericClaim,
  type Situation,
  WHY,
  withRewards,
  worst,
  worstOverSituations,
} from './claim.js';
import { gradientBy, jacobianBy } from './independent/difference.js';
import {
  boltzmann,
  flat,
  greedy,
  implicitError,
  implicitExcess,
  minus,
  nest,
  nestedMdp,
  optimal,
  optimalBackup,
  policyBackup,
  sum,
  type Table,
  tableMap,
} from './independent/nested.js';
import { targetsOf } from './steps.js';

type Given = Pick<Situation, 'mdp' | 'actionValue'>;

const golden: Given = { mdp: threeByTwo(), actionValue: GOLDEN_VALUE };

/** ∇ε_w of the Boltzmann target, by differences of the root of F. */
function implicitGradient({ mdp, actionValue }: Given): number[] {
  const nested = nestedMdp(mdp);
  return gradientBy((values) => implicitError(nested, nest(values, mdp.actions)), actionValue);
}

/** ∇ log π_w(h), `[N][N]`, by differences of log softmax(Q/ε_w(Q)). */
function numericScores({ mdp, actionValue }: Given): number[][] {
  const nested = nestedMdp(mdp);
  return jacobianBy((values) => {
    const q = nest(values, mdp.actions);
    return flat(boltzmann(q, implicitError(nested, q))).map(Math.log);
  }, actionValue);
}

/** E_w[f(h′)] of every pair: Σ_s′ p Σ_a′ π f, f a table. */
function expectNext({ mdp }: Given, policy: Table, f: Table): Table {
  const { transition } = nestedMdp(mdp);
  const averages = f.map((row, s) =>
    sum(row.map((value, a) => value * (policy[s]?.[a] as number))),
  );
  return transition.map((rows) =>
    rows.map((row) => sum(row.map((p, s) => p * (averages[s] as number)))),
  );
}

/** E[β E_w[(∇ log π_w) Q]], from its definition and given scores: `[N]`. */
function scoreTermBy(given: Given, scores: readonly (readonly number[])[]): number[] {
  const { mdp, actionValue } = given;
  const nested = nestedMdp(mdp);
  const q = nest(actionValue, mdp.actions);
  const policy = boltzmann(q, implicitError(nested, q));
  const residual = minus(policyBackup(nested, q, policy), q);
  return Array.from({ length: mdp.pairs }, (_, by) => {
    const f = tableMap(q, (value, s, a) => value * (scores[s * mdp.actions + a]?.[by] as number));
    const next = expectNext(given, policy, f);
    return (
      sum(flat(tableMap(residual, (beta, s, a) => beta * (next[s]?.[a] as number)))) / mdp.pairs
    );
  });
}

/** Σ_h c(h) ∇β(h) row by row: the Jacobian of β, one unit weight at a time. */
function residualJacobian(
  { mdp }: Given,
  pullback: (weights: Float64Array) => Float64Array,
): number[] {
  return Array.from({ length: mdp.pairs }, (_, pair) => {
    const unit = new Float64Array(mdp.pairs);
    unit[pair] = 1;
    return [...pullback(unit)];
  }).flat();
}

/** ∇β of T_{w,k} by the theory against {@link annealedJacobian}. */
function annealedGradientError(given: Given, floor: number): number {
  const { mdp, actionValue } = given;
  const target = { kind: 'annealed', floor } as const;
  return difference(
    residualJacobian(given, (unit) => residualPullback(mdp, actionValue, target, unit)),
    annealedJacobian(given, floor),
  );
}

/** ∇β of the annealed target by differences, flattened `[N·N]`. */
function annealedJacobian({ mdp, actionValue }: Given, floor: number): number[] {
  const nested = nestedMdp(mdp);
  return jacobianBy((values) => {
    const q = nest(values, mdp.actions);
    return flat(minus(policyBackup(nested, q, boltzmann(q, floor)), q));
  }, actionValue).flat();
}

/** E[β ∇β] of T* with ∇β as E.3 prints it, γ missing. */
function printedOptimalGradient({ mdp, actionValue }: Given): number[] {
  const nested = nestedMdp(mdp);
  const q = nest(actionValue, mdp.actions);
  const residual = minus(optimalBackup(nested, q), q);
  const best = flat(greedy(q));
  return Array.from({ length: mdp.pairs }, (_, by) => {
    const state = Math.floor(by / mdp.actions);
    const terms = tableMap(residual, (beta, s, a) => {
      const own = s * mdp.actions + a === by ? 1 : 0;
      const next = (nested.transition[s]?.[a]?.[state] as number) * (best[by] as number);
      return beta * (next - own);
    });
    return sum(flat(terms)) / mdp.pairs;
  });
}

/** Temperatures from 1e-3 to 1e4, a third apart. */
const TEMPERATURES = Array.from({ length: 56 }, (_, i) => 1e-3 * 1e7 ** (i / 55));

/** Whether F has one sign change and no fold at each of 3,000 random tables of the 3x2 MDP. */
function randomRoots(): boolean {
  const mdp = threeByTwo();
  const nested = nestedMdp(mdp);
  const draw = drawsOf(0);
  return [0.5, 2, 10].every((scale) =>
    Array.from({ length: 1000 }, () => 0).every(() => {
      const q = tableMap(nested.reward, () => scale * normalOf(draw));
      const signs = TEMPERATURES.map((t) => Math.sign(implicitExcess(nested, q, t)));
      const changes = signs.filter((sign, i) => i > 0 && sign !== signs[i - 1]).length;
      const terms = boltzmannTerms(mdp, Float64Array.from(flat(q)));
      const slope = 1 + (mdp.discount * terms.operatorOfValue) / terms.temperature ** 2;
      return changes === 1 && slope > 0;
    }),
  );
}

/** The 3x2 MDP with rewards times 30. */
function scaledGolden() {
  const nested = nestedMdp(threeByTwo());
  return { ...nested, reward: tableMap(nested.reward, (reward) => 30 * reward) };
}

/** A root of a function between two points of opposite sign, by halving. */
function rootBetween(f: (x: number) => number, start: number, end: number): number {
  let [low, high] = [start, end];
  for (;;) {
    const middle = (low + high) / 2;
    if (middle === low || middle === high) return middle;
    if (Math.sign(f(middle)) === Math.sign(f(low))) low = middle;
    else high = middle;
  }
}

export const residualGradientClaims: readonly NumericClaim[] = [
  {
    id: 'implicit-residual-error',
    statement:
      'The residual error of T^{π_w} is a root of F(ε) = ½ mean β_ε² − ε; there is one, for random Q only one.',
    source: 'App. C and E.3, the recursive definition of ε_w',
    tolerance: 1e-14,
    why: WHY.equality,
    measure: () =>
      worstOverSituations((situation) => {
        const { mdp, actionValue } = situation;
        const nested = nestedMdp(mdp);
        const root = implicitResidualError(mdp, actionValue);
        return worst([
          difference(root, implicitError(nested, nest(actionValue, mdp.actions))),
          Math.abs(implicitExcess(nested, nest(actionValue, mdp.actions), root)) / (1 + root),
        ]);
      }) + failures(randomRoots()),
    derivation: [
      'T^{π_w} needs the policy, the policy the temperature, the temperature is the residual error of T^{π_w}. The definition is not circular but implicit: ε_w is where F(ε) = ½ mean (T^{π_ε} Q − Q)² − ε is zero.',
      'At ε → 0 the operator is T* and F is its residual error, not negative; as ε → ∞ the policy becomes uniform, the first term stays bounded and −ε wins. So there is a root. For random Q it is the only one, and 1 + γ𝓔[Q]/ε² is positive there: counted for 3,000 tables of three scales on the 3x2 MDP. It is not always so: see implicit-residual-error-ambiguous.',
      'The check finds it twice, by two bisections that share no code, and evaluates F.',
    ],
    uses: ['implicitResidualError'],
  },
  {
    id: 'implicit-residual-error-ambiguous',
    statement:
      'F may have several roots: at Q* of the 3x2 MDP with rewards times 30 they are 0, 54.3 and 147.4.',
    source: 'App. C and E.3, the recursive definition of ε_w',
    tolerance: 1e-10,
    why: 'roots of order 100 by halving, in a residual of order 10',
    measure: () => {
      const nested = scaledGolden();
      const mdp = withRewards(threeByTwo(), (reward) => 30 * reward);
      const q = optimal(nested);
      const roots = [
        [50, 60],
        [140, 155],
      ].map(([low, high]) =>
        rootBetween((t) => implicitExcess(nested, q, t), low as number, high as number),
      );
      const values = optimalActionValue(mdp);
      return worst([
        ...roots.map((root) =>
          difference(residualError(mdp, values, { kind: 'annealed', floor: root }) - root, root),
        ),
        residualError(mdp, values, { kind: 'boltzmann' }),
        difference(roots.map(Math.round), [54, 147]),
      ]);
    },
    derivation: [
      'The definition of ε_w by itself does not single out one number. At Q* the residual of T* is zero, so that ε = 0 is a root. At a temperature of 100 the policy is nearly uniform, Q* is far from its value, and the residual is worth about 100 as well: other roots, in pairs.',
      'So ε_w(w) can jump where two roots meet, at a fold, 1 + γ𝓔[Q]/ε² = 0, and the gradient of Theorem 4 has no value there. The functions of this room take the root next to the residual error of T*, which is 0 at Q*.',
      'Smaller rewards, or a larger c in the norm, remove it: the paper sets c = 1 and scales rewards instead. Nothing of this touches T*, T_{w,k} or the direct method, whose ε_w is explicit.',
    ],
    uses: ['residualError'],
  },
  {
    id: 'equation-26',
    statement: '∇ε_w = E[β_w ∇β_w].',
    source: 'App. E.3, (26)',
    tolerance: 1e-9,
    why: WHY.finiteDifference,
    measure: () =>
      worstOverSituations((situation) => {
        const { mdp, actionValue } = situation;
        const nested = nestedMdp(mdp);
        const explicit = targetsOf(situation).filter(({ target }) => target.kind !== 'boltzmann');
        return worst(
          explicit.map(({ target, error }) =>
            difference(
              residualErrorGradient(mdp, actionValue, target),
              gradientBy((values) => error(nested, nest(values, mdp.actions)), actionValue),
            ),
          ),
        );
      }),
    derivation: [
      'The chain rule on ½ E[β²]. For targets without π_w the rest is direct: ∇β is γ times a mean of ∇Q at the next pairs, less ∇Q(h). For T^{π_w} see equation-27 and theorem-4.',
      'The check differentiates the residual error of T*, T_{w,k} and T^{π_θ}, each written out by its definition.',
    ],
    uses: ['residualErrorGradient'],
  },
  {
    id: 'e3-optimal-example',
    statement: 'For T*, ∇β = γ E_{s′}[∇Q(s′, a*(s′))] − ∇Q(h).',
    source: 'App. E.3, the example after (26)',
    tolerance: 1e-9,
    why: WHY.finiteDifference,
    measure: () =>
      worstOverSituations((situation) => {
        const { mdp, actionValue } = situation;
        const optimal = targetsOf(situation)[0] as ReturnType<typeof targetsOf>[number];
        const nested = nestedMdp(mdp);
        return difference(
          residualErrorGradient(mdp, actionValue, { kind: 'optimal' }),
          gradientBy((values) => optimal.error(nested, nest(values, mdp.actions)), actionValue),
        );
      }),
    printed: {
      statement: 'the same without γ',
      measure: () =>
        worstOverSituations((situation) => {
          const { mdp, actionValue } = situation;
          const optimal = targetsOf(situation)[0] as ReturnType<typeof targetsOf>[number];
          const nested = nestedMdp(mdp);
          return difference(
            printedOptimalGradient(situation),
            gradientBy((values) => optimal.error(nested, nest(values, mdp.actions)), actionValue),
          );
        }),
    },
    derivation: [
      'max_b Q(s′, b) has the gradient of Q at the maximising action, where that is unique. T* carries γ before the mean over s′, and so does its gradient; the print has lost it.',
    ],
    uses: ['residualErrorGradient'],
  },
  {
    id: 'equation-27',
    statement: 'For T^{π_w}, ∇β = γ E_w[(∇ log π_w) Q(h′)] + δ(h), δ = γ E_w[∇Q(h′)] − ∇Q(h).',
    source: 'App. E.3, (27)',
    tolerance: 1e-9,
    why: 'differences of β, whose ε_w is a root found at every point',
    measure: () =>
      worstOverSituations((situation) => {
        const { mdp, actionValue } = situation;
        const nested = nestedMdp(mdp);
        const terms = boltzmannTerms(mdp, actionValue);
        const gradient = residualErrorGradient(mdp, actionValue, { kind: 'boltzmann' });
        const scores = nest(boltzmannScores(mdp, actionValue, terms, gradient), mdp.pairs);
        const q = nest(actionValue, mdp.actions);
        const policy = nest(terms.policy, mdp.actions);
        const columns = Array.from({ length: mdp.pairs }, (_, by) => {
          const unit = (s: number, a: number) => (s * mdp.actions + a === by ? 1 : 0);
          const next = expectNext(
            situation,
            policy,
            tableMap(
              q,
              (value, s, a) => value * (scores[s * mdp.actions + a]?.[by] as number) + unit(s, a),
            ),
          );
          return flat(tableMap(next, (value, s, a) => mdp.discount * value - unit(s, a)));
        });
        const numeric = jacobianBy((values) => {
          const table = nest(values, mdp.actions);
          const temperature = implicitError(nested, table);
          return flat(minus(policyBackup(nested, table, boltzmann(table, temperature)), table));
        }, actionValue);
        const got = numeric.map((row, h) => row.map((_, by) => columns[by]?.[h] as number));
        return difference(got.flat(), numeric.flat());
      }),
    derivation: [
      'Differentiate r + γ E_w[Q(h′)] − Q(h): the policy inside E_w moves with w, which the log-derivative trick turns into (∇ log π_w) Q, and Q itself moves, which is δ.',
      '∇ log π_w holds ∇ε_w, and that holds ∇β again. Theorem 4 cuts the circle.',
    ],
    uses: ['boltzmannTerms', 'boltzmannScores'],
  },
  {
    id: 'equation-28',
    statement: '∇ε_w = γ E[β E_w[(∇ log π_w) Q(h′)]] + E[βδ].',
    source: 'App. E.3, (28)',
    tolerance: 1e-9,
    why: WHY.finiteDifference,
    measure: () =>
      worstOverSituations((situation) => {
        const { mdp, actionValue } = situation;
        const terms = boltzmannTerms(mdp, actionValue);
        const score = boltzmannScoreTerm(mdp, terms);
        const got = score.map(
          (value, h) => mdp.discount * value + (terms.residualTimesDelta[h] as number),
        );
        return difference(got, implicitGradient(situation));
      }),
    derivation: [
      '(27) put into (26). The first mean is the X of Theorem 4, here by its corrected form.',
    ],
    uses: ['boltzmannTerms', 'boltzmannScoreTerm'],
  },
  {
    id: 'equation-29',
    statement: 'π_w ∇ log π_w = π_w (∇(Q/ε_w) − E_{a~π_w}[∇(Q/ε_w)]).',
    source: 'App. E.3, (29)',
    tolerance: 1e-9,
    why: 'differences of log π_w, whose ε_w is a root found at every point',
    measure: () =>
      worstOverSituations((situation) => {
        const { mdp, actionValue } = situation;
        const terms = boltzmannTerms(mdp, actionValue);
        const gradient = residualErrorGradient(mdp, actionValue, { kind: 'boltzmann' });
        return difference(
          boltzmannScores(mdp, actionValue, terms, gradient),
          numericScores(situation).flat(),
        );
      }),
    derivation: [
      'The derivative of a softmax of Q/ε_w. With ∇(Q/ε) = (ε ∇Q − Q ∇ε)/ε² it becomes ∇ log π_w = M_w[∇Q]/ε − (∇ε) M_w[Q]/ε², M_w[f] = f − E_{a~π_w}[f]: the temperature moves with w as well as the values.',
    ],
    uses: ['boltzmannScores'],
  },
  {
    id: 'theorem-4',
    statement: 'E[β E_w[(∇ log π_w) Q]] = (ε 𝓔[∇Q] − E[βδ] 𝓔[Q]) / (ε² + γ 𝓔[Q]).',
    source: 'App. E.3, Theorem 4',
    tolerance: 1e-9,
    why: 'differences of log π_w, whose ε_w is a root found at every point',
    measure: () =>
      worst([
        worstOverSituations((situation) =>
          difference(
            boltzmannScoreTerm(situation.mdp, boltzmannTerms(situation.mdp, situation.actionValue)),
            scoreTermBy(situation, numericScores(situation)),
          ),
        ),
        difference(
          boltzmannScoreTerm(golden.mdp, boltzmannTerms(golden.mdp, golden.actionValue)),
          scoreTermBy(golden, numericScores(golden)),
        ),
      ]),
    printed: {
      statement: '(ε E[βδ] 𝓔[Q] + 𝓔[∇Q]) / (ε² (1 + γ E[β E_w[Q]])), on the 3x2 MDP',
      measure: () => {
        const { mdp, actionValue } = golden;
        const printed = printedBoltzmannScoreTerm(mdp, boltzmannTerms(mdp, actionValue));
        const exact = scoreTermBy(golden, numericScores(golden));
        return Math.max(...exact.map((value, h) => Math.abs(value - (printed[h] as number))));
      },
    },
    derivation: [
      'Write X for the left side and 𝓔[f] = E[β E_w[Q M_w f]]. Multiply ∇ log π_w = M_w[∇Q]/ε − (∇ε) M_w[Q]/ε² by Q, average with E_w, multiply by β, average: X = 𝓔[∇Q]/ε − (∇ε) 𝓔[Q]/ε². By (28) ∇ε = γX + E[βδ]. So X (1 + γ 𝓔[Q]/ε²) = 𝓔[∇Q]/ε − E[βδ] 𝓔[Q]/ε², which is the statement.',
      'The printed proof loses three things: the sign of E[βδ] M_w Q when (27) is substituted, the factor M_w Q/ε² that should multiply X on the left, and ε on the other term of the last line.',
      'It is the same number as the implicit derivative of ε = G(w, ε): ∂G/∂w at fixed ε over 1 − ∂G/∂ε. Where the denominator is zero ε_w has a fold and no gradient.',
      'The check computes X from its definition, with ∇ log π_w by differences through the root of F, in 100 situations and on the golden MDP.',
    ],
    uses: ['boltzmannTerms', 'boltzmannScoreTerm'],
  },
  {
    id: 'equation-30',
    statement: '∇ε_w = (E[βδ] + (γ/ε) 𝓔[∇Q]) / (1 + γ 𝓔[Q]/ε²) for the Boltzmann target.',
    source: 'App. E.3, (30)',
    tolerance: 1e-9,
    why: WHY.finiteDifference,
    measure: () =>
      worst([
        worstOverSituations((situation) =>
          difference(
            residualErrorGradient(situation.mdp, situation.actionValue, { kind: 'boltzmann' }),
            implicitGradient(situation),
          ),
        ),
        difference(
          residualErrorGradient(golden.mdp, golden.actionValue, { kind: 'boltzmann' }),
          implicitGradient(golden),
        ),
      ]),
    printed: {
      statement: "Theorem 4's printed X, without γ, plus E[βδ], on the 3x2 MDP",
      measure: () => {
        const { mdp, actionValue } = golden;
        const printed = residualErrorGradient(mdp, actionValue, { kind: 'boltzmann' }, 'printed');
        const exact = implicitGradient(golden);
        return Math.max(...exact.map((value, h) => Math.abs(value - (printed[h] as number))));
      },
    },
    derivation: [
      '(28) with Theorem 4 put in, both corrected. The radical approach of E.3 leaves X out: ∇ε ≈ E[βδ], theorem4: neglect in the functions of this room. The direct method leaves out γ E_w[∇Q] as well.',
      'From samples, products of two means E_w need independent samples, or one of them learned.',
      'The check differentiates the root of F itself.',
    ],
    uses: ['residualErrorGradient'],
  },
  {
    id: 'equation-31',
    statement: '∇β_{w,k} = γ E_{w,k}[Q(h′) M_{w,k}[∇Q(h′)]/ε_k + ∇Q(h′)] − ∇Q(h).',
    source: 'App. E.3, (31) and the display after it',
    tolerance: 1e-9,
    why: WHY.finiteDifference,
    measure: () =>
      worst([
        worstOverSituations((situation) => annealedGradientError(situation, situation.temperature)),
        ...[2, 1, 0.5, 0.1].map((floor) => annealedGradientError(golden, floor)),
      ]),
    printed: {
      statement: 'the same without γ and without Q(h′) before ∇ log p_{w,k}',
      measure: () =>
        worstOverSituations((situation) => {
          const { mdp, actionValue, temperature } = situation;
          return difference(
            residualJacobian(situation, (unit) =>
              printedAnnealedPullback(mdp, actionValue, temperature, unit),
            ),
            annealedJacobian(situation, temperature),
          );
        }),
    },
    derivation: [
      'ε_k is a number of the schedule, so that p_{w,k} can be differentiated directly: ∇ log p_{w,k} = M_{w,k}[∇Q]/ε_k. By the log-derivative trick ∇E_{w,k}[Q] = E_{w,k}[(∇ log p) Q + ∇Q].',
      'The print loses γ and the factor Q. Without Q the first term is the mean of a score, which is zero: the policy would seem not to move at all.',
      'Mind that two policies are near each other here: p_{w,k} has the temperature ε_k, the E-step of the annealed target has ε_{w,k}.',
    ],
    uses: ['residualPullback'],
  },
];
