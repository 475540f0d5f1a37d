/** Appendix G: MPO as a case of VIREL, with a prior policy. */

import { eStep, eStepGradient, softmaxPolicy } from '../e-step.js';
import { priorBound } from '../elbo.js';
import { normalOf } from '../examples.js';
import { mStepGradient } from '../m-step.js';
import {
  difference,
  type NumericClaim,
  type Situation,
  WHY,
  worst,
  worstOverSituations,
} from './claim.js';
import { gradientBy } from './independent/difference.js';
import {
  divergence,
  flat,
  greedy,
  halfMeanSquare,
  minus,
  nest,
  nestedMdp,
  optimalBackup,
  softmax,
  sum,
  type Table,
  tableMap,
} from './independent/nested.js';
import { smallestGap } from './target-set.js';

/** The logits of a prior policy π_φ. */
const priorLogits = ({ mdp, draw }: Situation) =>
  Float64Array.from({ length: mdp.pairs }, () => normalOf(draw));

/** (42), literally. */
function literalBound(
  { mdp, actionValue, temperature, stateWeights }: Situation,
  policy: Table,
  prior: Table,
): number {
  const q = nest(actionValue, mdp.actions);
  return sum(
    q.map((row, s) => {
      const own = policy[s] as number[];
      const value = sum(row.map((v, a) => v * (own[a] as number))) / temperature;
      return (stateWeights[s] as number) * (value - divergence(own, prior[s] as number[]));
    }),
  );
}

/** π_φ exp(Q/ε), normalised by hand. */
function literalOptimum({ mdp, actionValue }: Situation, prior: Table, temperature: number): Table {
  const weights = tableMap(nest(actionValue, mdp.actions), (value, s, a) => {
    return (prior[s]?.[a] as number) * Math.exp(value / temperature);
  });
  return weights.map((row) => row.map((value) => value / sum(row)));
}

interface Given {
  situation: Situation;
  prior: Table;
  priorPolicy: Float64Array;
}

const overPriors = (measure: (given: Given) => number) =>
  worstOverSituations((situation) => {
    const logits = priorLogits(situation);
    return measure({
      situation,
      prior: softmax(nest(logits, situation.mdp.actions)),
      priorPolicy: softmaxPolicy(logits, situation.mdp.actions),
    });
  });

/** ε² ∇_w of (42) at a fixed prior, with ε_w of T* inside, by differences, against the M-step gradient of the theory. */
function priorGradientError(situation: Situation, policy: Table, prior: Table): number {
  const { mdp, actionValue, logits, stateWeights } = situation;
  const nested = nestedMdp(mdp);
  const errorOf = (q: Table) => halfMeanSquare(minus(optimalBackup(nested, q), q));
  const at = errorOf(nest(actionValue, mdp.actions));
  const numeric = gradientBy((values) => {
    const temperature = errorOf(nest(values, mdp.actions));
    const moved = { ...situation, actionValue: Float64Array.from(values), temperature };
    return literalBound(moved, policy, prior);
  }, actionValue).map((slope) => at ** 2 * slope);
  const held = { policy: softmaxPolicy(logits, mdp.actions), stateWeights };
  return difference(mStepGradient(mdp, actionValue, { kind: 'optimal' }, held), numeric);
}

export const mpoClaims: readonly NumericClaim[] = [
  {
    id: 'equation-42',
    statement: 'With a prior policy the bound is E_d[E_π[Q_w]/ε_w − KL(π_θ || π_φ)].',
    source: 'App. G, (42)',
    tolerance: 1e-12,
    why: WHY.equality,
    measure: () =>
      overPriors(({ situation, prior, priorPolicy }) => {
        const { mdp, logits } = situation;
        const policy = softmaxPolicy(logits, mdp.actions);
        return difference(
          priorBound({ ...situation, policy }, priorPolicy),
          literalBound(situation, softmax(nest(logits, mdp.actions)), prior),
        );
      }),
    derivation: [
      'Appendix B with p(h) = U(s) π_φ(a|s) in the place of the uniform prior: log π_φ joins −log π_θ, and the entropy becomes −KL(π_θ || π_φ). A uniform π_φ gives (4) back, less log A.',
    ],
    uses: ['priorBound'],
  },
  {
    id: 'mpo-e-step',
    statement:
      'The E-step optimum is π_φ exp(Q/ε), normalised, and the bound there is E_d log Σ_a π_φ exp(Q/ε).',
    source: 'App. G, the action-posterior and the E-step',
    tolerance: 1e-10,
    why: 'limits at ε = 1e12 and at a sixtieth of the smallest gap are exact to 1e-11',
    measure: () =>
      overPriors(({ situation, prior, priorPolicy }) => {
        const { mdp, actionValue, temperature, stateWeights } = situation;
        const at = (t: number) => eStep({ actionValue, temperature: t, stateWeights, priorPolicy });
        const optimum = literalOptimum(situation, prior, temperature);
        const best = literalBound(situation, optimum, prior);
        const partition = sum(
          nest(actionValue, mdp.actions).map(
            (row, s) =>
              (stateWeights[s] as number) *
              Math.log(
                sum(row.map((v, a) => (prior[s]?.[a] as number) * Math.exp(v / temperature))),
              ),
          ),
        );
        const others = Array.from({ length: 10 }, () => {
          const logits = situation.logits.map(() => 2 * normalOf(situation.draw));
          return literalBound(situation, softmax(nest(logits, mdp.actions)), prior);
        });
        const cold = smallestGap(actionValue, mdp.actions) / 60;
        return worst([
          difference(at(temperature), flat(optimum)),
          difference(best, partition),
          difference(priorBound({ ...situation, policy: at(temperature) }, priorPolicy), best),
          Math.max(0, ...others.map((other) => other - best)),
          difference(at(1e12), flat(prior)),
          difference(at(cold), flat(greedy(nest(actionValue, mdp.actions)))),
        ]);
      }),
    derivation: [
      '(42) is E_d log Σ_a π_φ exp(Q/ε) − E_d KL(π_θ || posterior): the same split as Theorem 3. The posterior is its maximum, above ten random policies in each of 100 situations.',
      'ε_w decides how far the policy may go from the old one: ε → ∞ leaves π_φ, ε → 0 is greedy. In MPO that number is a constant or a dual variable; here it is the residual error.',
    ],
    uses: ['eStep', 'priorBound'],
  },
  {
    id: 'equation-43',
    statement: 'ε_w ∇_θ L = E_d[E_π[Q_w ∇ log π] − ε_w ∇KL(π_θ || π_φ)].',
    source: 'App. G, (43)',
    tolerance: 1e-9,
    why: WHY.finiteDifference,
    measure: () =>
      overPriors(({ situation, prior, priorPolicy }) => {
        const { mdp, logits, temperature } = situation;
        const numeric = gradientBy(
          (theta) =>
            temperature * literalBound(situation, softmax(nest(theta, mdp.actions)), prior),
          logits,
        );
        return difference(eStepGradient({ ...situation, priorPolicy }, logits), numeric);
      }),
    derivation: [
      'As (25), with f = Q_w − ε_w log(π_θ/π_φ) for logits. Following it to the end is a full E-step here; MPO motivates the same update as a partial one.',
    ],
    uses: ['eStepGradient'],
  },
  {
    id: 'mpo-m-step',
    statement: 'The M-step over φ sets π_φ = π_θ, where the divergence is 0; over w it is (7).',
    source: 'App. G, M-Step (MPO)',
    tolerance: 1e-8,
    why: 'differences of L by w, times ε_w² up to 1e2; the equalities hold to 1e-15',
    measure: () =>
      overPriors(({ situation, prior, priorPolicy }) => {
        const { mdp, actionValue, temperature, logits, stateWeights } = situation;
        const policy = softmaxPolicy(logits, mdp.actions);
        const q = nest(actionValue, mdp.actions);
        const own = softmax(nest(logits, mdp.actions));
        const value = sum(
          q.map(
            (row, s) =>
              (stateWeights[s] as number) * sum(row.map((v, a) => v * (own[s]?.[a] as number))),
          ),
        );
        const set = priorBound({ ...situation, policy }, policy);
        return worst([
          difference(set, value / temperature),
          Math.max(0, priorBound({ ...situation, policy }, priorPolicy) - set),
          Math.max(0, literalBound(situation, own, prior) - set),
          priorGradientError(situation, own, prior),
        ]);
      }),
    derivation: [
      'φ stands in −KL(π_θ || π_φ) alone, which is never positive and 0 at π_φ = π_θ: the old policy becomes the new prior. What is left, E[Q_w]/ε_w, is raised over w by (7), the policy evaluation that MPO does apart.',
    ],
    uses: ['priorBound', 'mStepGradient'],
  },
];
