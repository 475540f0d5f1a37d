/** Appendix A: the evidence and its lower bound. */

import { klDivergence } from '../elbo.js';
import {
  type CoinMixture,
  jensenBound,
  logEvidence,
  mixtureEmStep,
  mixtureLogEvidence,
  posterior,
} from '../evidence.js';
import { drawsOf, simplexOf } from '../examples.js';
import { difference, type NumericClaim, SEEDS, WHY, worst } from './claim.js';
import { divergence, sum } from './independent/nested.js';

const HIDDEN = 5;

/** A joint p(x, h) of one x and a guess q(h). */
function jointOf(seed: number): { joint: Float64Array; guess: Float64Array } {
  const draw = drawsOf(seed);
  const joint = Float64Array.from({ length: HIDDEN }, () => 0.1 + 0.9 * draw());
  return { joint, guess: simplexOf(draw, HIDDEN) };
}

const overJoints = (measure: (seed: number) => number) =>
  worst(Array.from({ length: SEEDS }, (_, seed) => measure(seed)));

/** 60 coins of 6 tosses each, of two kinds. */
function coinsOf(seed: number) {
  const draw = drawsOf(seed);
  const toss = (p: number) => sum(Array.from({ length: 6 }, () => (draw() < p ? 1 : 0)));
  return { tosses: 6, heads: Array.from({ length: 60 }, () => toss(draw() < 0.4 ? 0.8 : 0.25)) };
}

/** One EM step, observation by observation: what EM of a mixture is in a textbook. */
function literalStep(
  { shares, heads }: CoinMixture,
  data: { tosses: number; heads: readonly number[] },
): { shares: number[]; heads: number[] } {
  const coins = [...shares.keys()];
  const likelihood = (coin: number, k: number) => {
    const p = heads[coin] as number;
    return (shares[coin] as number) * p ** k * (1 - p) ** (data.tosses - k);
  };
  const weights = coins.map((coin) =>
    data.heads.map((k) => likelihood(coin, k) / sum(coins.map((other) => likelihood(other, k)))),
  );
  return {
    shares: weights.map((row) => sum(row) / data.heads.length),
    heads: weights.map((row) => {
      return sum(row.map((w, i) => w * (data.heads[i] as number))) / (data.tosses * sum(row));
    }),
  };
}

/** Over 60 EM steps: the largest fall of the evidence by the densities themselves, and how far a step is from its definition. */
function largestFall(seed: number): number {
  const data = coinsOf(seed);
  const evidence = (mixture: { shares: Float64Array; heads: Float64Array }) =>
    sum(
      data.heads.map((k) =>
        Math.log(
          sum(
            [...mixture.shares].map((share, c) => {
              const p = mixture.heads[c] as number;
              return share * p ** k * (1 - p) ** (data.tosses - k);
            }),
          ),
        ),
      ),
    );
  let mixture = { shares: Float64Array.of(0.5, 0.5), heads: Float64Array.of(0.6, 0.4) };
  let before = evidence(mixture);
  let fall = difference(mixtureLogEvidence(mixture, data), before);
  for (let step = 0; step < 60; step++) {
    const exact = literalStep(mixture, data);
    mixture = mixtureEmStep(mixture, data) as typeof mixture;
    fall = worst([
      fall,
      difference(mixture.shares, exact.shares),
      difference(mixture.heads, exact.heads),
    ]);
    const after = evidence(mixture);
    fall = Math.max(fall, (before - after) / Math.abs(before));
    before = after;
  }
  return fall;
}

export const evidenceClaims: readonly NumericClaim[] = [
  {
    id: 'equation-8',
    statement:
      'The log-marginal likelihood is the logarithm of the joint summed over the hidden variable.',
    source: 'App. A, (8)',
    tolerance: 1e-12,
    why: WHY.equality,
    measure: () =>
      overJoints((seed) => {
        const { joint } = jointOf(seed);
        // by the chain rule instead of the sum: p(x) = p(x, h)/p(h|x) for every h
        return (
          difference(
            [...joint].map((value, h) => Math.log(value / (posterior(joint)[h] as number))),
            [...joint].map(() => Math.log(sum([...joint]))),
          ) + difference(logEvidence(joint), Math.log(sum([...joint])))
        );
      }),
    derivation: [
      'A model gives a joint p(x, h) of what is seen and what is hidden. What it says about x alone is p(x) = Σ_h p(x, h), and ℓ(x) = log p(x) is what learning raises.',
      'Bayes: p(h|x) = p(x, h)/p(x), so that p(x, h)/p(h|x) must be the same number for every h. The check draws 100 joints of five hidden values and compares the sum with that quotient at each h.',
    ],
    uses: ['logEvidence', 'posterior'],
  },
  {
    id: 'equation-9',
    statement: 'For every q, log p(x) is the evidence lower bound of q plus KL(q || p(h|x)).',
    source: 'App. A, (9)',
    tolerance: 1e-12,
    why: WHY.equality,
    measure: () =>
      overJoints((seed) => {
        const { joint, guess } = jointOf(seed);
        const evidence = sum([...joint]);
        const rest = divergence(
          [...guess],
          [...joint].map((value) => value / evidence),
        );
        return worst([
          difference(
            jensenBound(joint, guess) + klDivergence(guess, posterior(joint)),
            Math.log(evidence),
          ),
          difference(jensenBound(joint, guess), Math.log(evidence) - rest),
        ]);
      }),
    derivation: [
      'Write p(x) = p(x, h)/p(h|x), multiply and divide by q(h), and average the logarithm over q: log p(x) = Σ q log(p(x, h)/q) + Σ q log(q/p(h|x)) = L(q) + KL(q || p(h|x)).',
      'KL is never negative, so L(q) bounds log p(x) from below, and touches it exactly where q is the posterior. That is the whole idea of variational inference: raise a bound that one can compute instead of an evidence that one cannot.',
      'The check draws 100 joints and guesses; the right side is computed from the sum of the joint and a divergence written out term by term.',
    ],
    uses: ['jensenBound', 'klDivergence', 'posterior'],
  },
  {
    id: 'em-never-lowers-evidence',
    statement: 'A step of EM never lowers the log-marginal likelihood.',
    source: 'App. A, the variational EM algorithm',
    tolerance: 1e-12,
    why: 'the largest relative fall in 60 steps; at the fixed point the evidence stays up to rounding of a sum of 60 terms',
    measure: () => overJoints(largestFall),
    derivation: [
      'E-step: q ← p(h|x) makes the bound tight, L(q) = log p(x). M-step: the parameters that maximise L cannot make it smaller, and log p(x) is at least L. So log p(x) after is at least log p(x) before.',
      'The check is a mixture of two coins: 60 observations of 6 tosses, which coin fell is hidden. 100 data sets, 60 steps each; every step is compared with its definition, and the evidence is computed from the binomial densities directly.',
      'VIREL keeps the scheme and changes the cast: x becomes "the agent acted optimally", h the state and the action, the parameters those of Q.',
    ],
    uses: ['mixtureEmStep', 'mixtureLogEvidence'],
  },
];
