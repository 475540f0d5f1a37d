/** Appendix D.3: what maximises the bound is an optimal policy. */

import { optimalActionValue } from '../bellman.js';
import { boltzmannPolicy, greedyPolicy } from '../boltzmann.js';
import { gaussianBound, gaussianEntropy } from '../boltzmann-density.js';
import { softmaxPolicy } from '../e-step.js';
import { evidenceLowerBound } from '../elbo.js';
import { drawsOf, normalOf } from '../examples.js';
import { implicitResidualError } from '../residual.js';
import { uniform } from '../tabular-mdp.js';
import {
  difference,
  failures,
  type NumericClaim,
  SEEDS,
  type Situation,
  situationOf,
  WHY,
  withRewards,
  worst,
  worstOverSituations,
} from './claim.js';
import {
  boltzmann,
  bound,
  flat,
  greedy,
  nest,
  nestedMdp,
  optimal,
  softmax,
  sum,
} from './independent/nested.js';
import { simpson } from './independent/simpson.js';
import { smallestGap } from './target-set.js';

/** The situation's MDP with rewards moved up to at least 0.1, so that every value is positive. */
function positive({ mdp }: Situation) {
  const lowest = Math.min(...mdp.reward);
  return withRewards(mdp, (reward) => reward - lowest + 0.1);
}

/** ∫ π (Q/ε − log π) da of a Gaussian policy and Q = 1 − a², by equal steps over 12 deviations. */
function literalBound(mean: number, deviation: number, temperature: number): number {
  return simpson(
    (z) => {
      const a = mean + deviation * z;
      const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
      return density * ((1 - a * a) / temperature - Math.log(density / deviation));
    },
    -12,
    12,
    2000,
  );
}

const overPolicies = (measure: (mean: number, deviation: number, temperature: number) => number) =>
  worst(
    Array.from({ length: SEEDS }, (_, seed) => {
      const draw = drawsOf(seed);
      return measure(2 * draw() - 1, 10 ** (-3 * draw()), 0.2 + draw());
    }),
  );

/** max_h |Q* + tD − Q*| = t, D a random direction of sup norm 1. */
function besideOptimum(optimum: readonly number[], seed: number, distance: number): Float64Array {
  const draw = drawsOf(seed);
  const direction = optimum.map(() => normalOf(draw));
  const largest = Math.max(...direction.map(Math.abs));
  return Float64Array.from(optimum, (value, h) => {
    return value + (distance * (direction[h] as number)) / largest;
  });
}

export const optimalityClaims: readonly NumericClaim[] = [
  {
    id: 'lemma-1-i',
    statement: 'For continuous actions and ε_w > 0, L = −∞ for a deterministic policy.',
    source: 'App. D.3, Lemma 1 i',
    tolerance: 1e-7,
    why: 'what is left of the fall per decade beside log 10 is σ²/ε at σ = 1e-4',
    measure: () =>
      overPolicies((mean, _, temperature) => {
        const fall =
          gaussianBound(mean, 1e-4, temperature) - gaussianBound(mean, 1e-5, temperature);
        return worst([
          difference(fall, Math.LN10),
          difference(gaussianBound(mean, 1e-4, temperature), literalBound(mean, 1e-4, temperature)),
        ]);
      }),
    derivation: [
      'A policy of width σ has the differential entropy H(1) + log σ, without a lower bound, while E[Q]/ε stays finite. So L falls by log 10 with every decade of σ, to −∞ at a delta.',
      'The check measures that fall, and the bound itself against a quadrature of π (Q/ε − log π), for 100 policies.',
      'This keeps VIREL from collapsing too early: as long as there is a residual, a deterministic policy is infinitely bad.',
    ],
    uses: ['gaussianBound'],
  },
  {
    id: 'lemma-1-i-discrete',
    statement:
      'For finitely many actions a deterministic policy has the finite L = E_d[Q(s, a)]/ε_w.',
    source: 'App. D.3, Lemma 1 i, for discrete actions',
    tolerance: 1e-12,
    why: WHY.equality,
    measure: () =>
      worstOverSituations(({ mdp, actionValue, temperature, stateWeights }) => {
        const policy = greedyPolicy(actionValue, mdp.actions);
        const best = nest(actionValue, mdp.actions).map((row) => Math.max(...row));
        return difference(
          evidenceLowerBound({ actionValue, temperature, policy, stateWeights }),
          sum(best.map((value, s) => (stateWeights[s] as number) * value)) / temperature,
        );
      }),
    printed: {
      statement: 'L = −∞, that is exp(L − max L) = 0; the error is exp(L − max L)',
      measure: () =>
        worstOverSituations(({ mdp, actionValue, temperature, stateWeights }) => {
          const given = { actionValue, temperature, stateWeights };
          const at = (policy: Float64Array) => evidenceLowerBound({ ...given, policy });
          const onehot = at(greedyPolicy(actionValue, mdp.actions));
          const q = nest(actionValue, mdp.actions);
          return Math.exp(onehot - bound(q, temperature, boltzmann(q, temperature), stateWeights));
        }),
    },
    derivation: [
      'The proof uses differential entropy. The entropy of a distribution on finitely many actions is never below 0, and 0 log 0 = 0, so that a one-hot policy has entropy 0 and a finite bound.',
      'Nothing else in the paper needs the lemma for discrete actions; the theorems that follow hold there as well.',
    ],
    uses: ['evidenceLowerBound', 'greedyPolicy'],
  },
  {
    id: 'equation-20',
    statement: 'For a policy of width σ around a*, L is E[Q]/ε_w plus its entropy.',
    source: 'App. D.3, (20)',
    tolerance: 1e-9,
    why: 'quadrature of a Gaussian by equal steps is exact to rounding; values reach 1e3',
    measure: () =>
      overPolicies((mean, deviation, temperature) =>
        difference(
          gaussianBound(mean, deviation, temperature),
          literalBound(mean, deviation, temperature),
        ),
      ),
    derivation: [
      '(4) for one state, Q(a) = 1 − a² and π = N(m, σ²): E[Q] = 1 − m² − σ². As σ → 0 the first term tends to Q(a*)/ε and the second to −∞.',
    ],
    uses: ['gaussianBound'],
  },
  {
    id: 'equation-21',
    statement: 'A density squeezed by σ has its entropy plus log σ.',
    source: 'App. D.3, (21)',
    tolerance: 1e-10,
    why: 'quadrature of a Gaussian by equal steps is exact to rounding',
    measure: () =>
      overPolicies((_, deviation) => {
        const density = (z: number) => Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
        const literal = simpson(
          (z) => -density(z) * Math.log(density(z) / deviation),
          -12,
          12,
          2000,
        );
        return difference(gaussianEntropy(deviation), literal);
      }),
    printed: {
      statement:
        'H = −log p(−a*) + log σ, the integral of δ(a*) log p, at a* = 0.2 and p standard normal',
      measure: () => {
        const logDensity = -(0.2 ** 2) / 2 - Math.log(2 * Math.PI) / 2;
        const steps = simpson(
          (z) => {
            const p = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
            return -p * Math.log(p);
          },
          -12,
          12,
          2000,
        );
        return Math.abs(-logDensity - steps);
      },
    },
    derivation: [
      'With a = σx + a*, −∫ (1/σ) p log((1/σ) p) da = −∫ p(x) log p(x) dx + log σ. The first term is the entropy of p, ½ log(2πe) for a Gaussian.',
      'The print has −log p(−a*) in its place: it lets (1/σ) p become a delta inside the integral while the logarithm keeps p at one point. The constant is wrong by ½ − a*²/2 for a Gaussian, the conclusion H → −∞ is not touched.',
    ],
    uses: ['gaussianEntropy'],
  },
  {
    id: 'lemma-1-ii',
    statement: 'For Q > 0 and a fixed policy, ε_w L → E[Q] > 0, so that L → ∞ as ε_w → 0.',
    source: 'App. D.3, Lemma 1 ii',
    tolerance: 1e-7,
    why: 'at ε = 1e-9 what is left is ε times an entropy',
    measure: () =>
      worstOverSituations((situation) => {
        const { mdp, logits, stateWeights } = situation;
        const optimum = optimal(nestedMdp(positive(situation)));
        const policy = softmax(nest(logits, mdp.actions));
        const value = sum(
          optimum.map(
            (row, s) =>
              (stateWeights[s] as number) * sum(row.map((q, a) => q * (policy[s]?.[a] as number))),
          ),
        );
        const given = {
          policy: softmaxPolicy(logits, mdp.actions),
          stateWeights,
          temperature: 1e-9,
        };
        const actionValue = Float64Array.from(flat(optimum));
        const below = actionValue.map((q) => q - 2 * Math.max(...actionValue));
        return worst([
          difference(1e-9 * evidenceLowerBound({ ...given, actionValue }), value),
          failures(value > 0),
          failures(evidenceLowerBound({ ...given, actionValue: below }) < -1e6),
        ]);
      }),
    derivation: [
      'L = E[Q]/ε + E[H], and H of a policy that is not deterministic is finite: ε L → E[Q].',
      'The sign matters. With Q < 0 the same limit is −∞, and the argument of Theorem 2 would turn around. A shift of all rewards by k makes every value positive and changes neither policy nor residual: see reward-shift.',
      'The check takes Q* of 100 MDPs of positive rewards, and the same values moved below zero.',
    ],
    uses: ['evidenceLowerBound'],
  },
  {
    id: 'theorem-2',
    statement:
      'Where Q_w > 0, what maximises L has ε_w = 0 and Q_w = Q*, and π_θ = π_w, which is optimal there.',
    source: 'App. D.3, Theorem 2',
    tolerance: 1e-3,
    why: 'a path that ends at distance 1e-3 of Q*: |E[Q] − E[Q*]| is at most that, relative to 1 + E[Q*]',
    measure: () => worst(Array.from({ length: SEEDS }, (_, seed) => worstOverPath(seed))),
    derivation: [
      'ε_w > 0 leaves L finite; Assumption 2 gives a Q_w with ε_w = 0, where L = ∞ by Lemma 1 ii if Q_w > 0. So a maximiser has ε_w = 0. Without Q_w > 0 the limit would be −∞; a shift of the rewards provides it, see reward-shift. There the Boltzmann policy is greedy (Theorem 1), the operator is T* (Definition 2), and T* Q = Q has one solution, Q*.',
      'Numbers cannot reach infinity, but they can walk there: along Q* + tD, D a random direction, ε_w falls with t², L grows without bound, ε_w L tends to E[Q*], and the Boltzmann policy becomes greedy for Q*.',
      "At each point π_θ = π_w has a larger bound than a uniform policy: a maximiser over θ, the theorem's last sentence.",
      'The check walks 100 such paths, t = 1e-1 to 1e-3, each in an MDP of its own with positive rewards.',
    ],
    uses: ['implicitResidualError', 'evidenceLowerBound'],
  },
  {
    id: 'equation-22',
    statement: 'At ε_w → 0 the Boltzmann policy of Q* is greedy, and so optimal.',
    source: 'App. D.3, (22)',
    tolerance: 1e-12,
    why: 'at a fortieth of the smallest gap a worse action keeps e^−40 of the probability',
    measure: () =>
      worstOverSituations(({ mdp }) => {
        const optimum = optimal(nestedMdp(mdp));
        const actionValue = optimalActionValue(mdp);
        const cold = smallestGap(Float64Array.from(flat(optimum)), mdp.actions) / 40;
        return difference(boltzmannPolicy(actionValue, cold, mdp.actions), flat(greedy(optimum)));
      }),
    derivation: [
      'Theorem 1 for Q*, whose maximum over actions is unique by Assumption 3. Over finitely many actions 1 − π(a*) is about e^{−gap/ε}.',
    ],
    uses: ['boltzmannPolicy', 'optimalActionValue'],
  },
];

/** Theorem 2 along one path: how far ε_w L ends from E[Q*], and whether ε_w, L and the policy went the right way. */
function worstOverPath(seed: number): number {
  const situation = situationOf(seed);
  const mdp = positive(situation);
  const optimum = flat(optimal(nestedMdp(mdp)));
  const stateWeights = uniform(mdp.states);
  const policy = new Float64Array(mdp.pairs).fill(1 / mdp.actions);
  const points = [1e-1, 1e-2, 1e-3].map((distance) => {
    const actionValue = besideOptimum(optimum, seed, distance);
    const temperature = implicitResidualError(mdp, actionValue);
    const given = { actionValue, temperature, policy, stateWeights };
    const own = boltzmannPolicy(actionValue, temperature, mdp.actions);
    const atOwn = evidenceLowerBound({ ...given, policy: own });
    return { temperature, bound: evidenceLowerBound(given), atOwn, actionValue };
  });
  const [far, near, end] = points as [Point, Point, Point];
  const boltzmannPolicyAtEnd = boltzmannPolicy(end.actionValue, end.temperature, mdp.actions);
  const best = flat(greedy(nest(optimum, mdp.actions)));
  // an action may be as good as the best one up to the distance walked; there the policy may still be open
  const clear = smallestGap(Float64Array.from(optimum), mdp.actions) > 0.01;
  return worst([
    difference(end.temperature * end.bound, sum(optimum) / optimum.length),
    failures(far.temperature > near.temperature && near.temperature > end.temperature),
    failures(far.bound < near.bound && near.bound < end.bound),
    failures([far, near, end].every((point) => point.atOwn > point.bound)),
    clear ? difference(boltzmannPolicyAtEnd, best) : 0,
  ]);
}

interface Point {
  temperature: number;
  /** L of the uniform policy. */
  bound: number;
  /** L of π_w. */
  atOwn: number;
  actionValue: Float64Array;
}
