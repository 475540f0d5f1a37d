/** Appendix D.1 and D.4: the bound, its decompositions, and its maximum over θ. */

import { eStep, softmaxPolicy } from '../e-step.js';
import {
  type Bound,
  decomposeBound,
  decomposeDivergence,
  evidenceLowerBound,
  largestBound,
} from '../elbo.js';
import {
  difference,
  type NumericClaim,
  type Situation,
  WHY,
  worst,
  worstOverSituations,
} from './claim.js';
import {
  boltzmann,
  bound,
  divergence,
  flat,
  nest,
  softmax,
  sum,
  tableMap,
} from './independent/nested.js';

/** The bound's arguments in a situation, for the theory. */
function boundOf({ mdp, actionValue, temperature, logits, stateWeights }: Situation): Bound {
  return { actionValue, temperature, policy: softmaxPolicy(logits, mdp.actions), stateWeights };
}

/** The same in nested lists, with p_w(h), q_θ(h) and the right sides of (11) and (24), by enumeration. */
function enumerated({ mdp, actionValue, temperature, logits, stateWeights }: Situation) {
  const [q, policy] = [nest(actionValue, mdp.actions), softmax(nest(logits, mdp.actions))];
  const exponentials = flat(q).map((value) => Math.exp(value / temperature));
  const total = sum(exponentials);
  const joint = flat(tableMap(policy, (p, s) => (stateWeights[s] as number) * p));
  const boltzmannJoint = exponentials.map((value) => value / total);
  const optimum = boltzmann(q, temperature);
  const policies = sum(
    policy.map((row, s) => (stateWeights[s] as number) * divergence(row, optimum[s] as number[])),
  );
  const marginal = nest(boltzmannJoint, mdp.actions).map(sum);
  return {
    value: bound(q, temperature, policy, stateWeights),
    logPartition: Math.log(total),
    divergence: divergence(joint, boltzmannJoint),
    stateEntropy: -sum([...stateWeights].map((d) => d * Math.log(d))),
    policies,
    states: divergence([...stateWeights], marginal),
    largest: bound(q, temperature, optimum, stateWeights),
  };
}

export const elboClaims: readonly NumericClaim[] = [
  {
    id: 'equation-4',
    statement: 'L(w,θ) is the mean of Q_w/ε_w under d and π_θ plus the mean entropy of π_θ.',
    source: 'Section 3.1, (4)',
    tolerance: 1e-12,
    why: WHY.equality,
    measure: () =>
      worstOverSituations((situation) =>
        difference(evidenceLowerBound(boundOf(situation)), enumerated(situation).value),
      ),
    derivation: [
      'The definition of the objective: one term wants actions of high value, weighed by 1/ε_w, the other an open policy. As ε_w falls, value takes over.',
      'The check sums π (Q/ε − log π) over states and actions one by one.',
    ],
    uses: ['evidenceLowerBound'],
  },
  {
    id: 'equation-5',
    statement: 'L(w,θ) = ℓ(w) − KL(q_θ || p_w) − H(d) for every θ and d.',
    source: 'Section 3.1, (5)',
    tolerance: 1e-12,
    why: WHY.equality,
    measure: () =>
      worstOverSituations((situation) => {
        const parts = decomposeBound(boundOf(situation));
        const exact = enumerated(situation);
        return worst([
          difference(parts.logPartition - parts.divergence - parts.stateEntropy, exact.value),
          difference(parts.logPartition, exact.logPartition),
          difference(parts.divergence, exact.divergence),
          difference(parts.stateEntropy, exact.stateEntropy),
        ]);
      }),
    derivation: [
      'ℓ(w) = log Σ_h exp(Q_w/ε_w) is the evidence; p_w(h) = exp(Q_w/ε_w − ℓ) its posterior over pairs; q_θ(h) = d(s) π_θ(a|s) the guess. Inserting Q_w/ε_w = log p_w + ℓ into (4) gives E_q[log p_w] + ℓ + E_d[H(π_θ)], and E_d[H(π_θ)] = −E_q[log q_θ] − H(d).',
      'Every part is held against its own enumeration, and their sum against (4).',
    ],
    uses: ['decomposeBound'],
  },
  {
    id: 'equation-11',
    statement: 'The same, derived in D.1: the divergence is that of the joints, KL(q_θ || p_w).',
    source: 'App. D.1, (11)',
    tolerance: 1e-12,
    why: WHY.equality,
    measure: () =>
      worstOverSituations((situation) => {
        const exact = enumerated(situation);
        return difference(
          evidenceLowerBound(boundOf(situation)),
          exact.logPartition - exact.divergence - exact.stateEntropy,
        );
      }),
    printed: {
      statement: 'two intermediate lines of D.1 have KL(π_θ || π_w) in the place of KL(q_θ || p_w)',
      measure: () =>
        worstOverSituations((situation) => {
          const exact = enumerated(situation);
          return difference(exact.logPartition - exact.policies - exact.stateEntropy, exact.value);
        }),
    },
    derivation: [
      'D.1 starts from (4), writes the entropy as −E[log π_θ] and multiplies and divides by p_w(h)/d(s). What appears is E_q[log(q_θ/p_w)], the divergence of the joints over pairs.',
      'In two intermediate lines it is printed as that of the policies. The two differ by KL(d || p_w(s)), see (24); the first and the last line are right.',
    ],
    uses: ['evidenceLowerBound'],
  },
  {
    id: 'theorem-3',
    statement: 'Over θ, L is largest exactly where E_d KL(π_θ || π_w) is smallest: at π_θ = π_w.',
    source: 'App. D.4, Theorem 3',
    tolerance: 1e-12,
    why: WHY.equality,
    measure: () =>
      worstOverSituations((situation) => {
        const exact = enumerated(situation);
        const { actionValue, temperature, stateWeights } = situation;
        const policy = eStep({ actionValue, temperature, stateWeights });
        const atOptimum = evidenceLowerBound({ ...boundOf(situation), policy });
        return worst([
          difference(atOptimum, exact.largest),
          difference(largestBound({ actionValue, temperature, stateWeights }), exact.largest),
          // what any other policy lacks is its divergence
          difference(atOptimum - exact.policies, exact.value),
        ]);
      }),
    printed: {
      statement: 'max_θ L = min_θ E_d KL(π_θ || π_w), an equality of the values',
      measure: () =>
        worstOverSituations((situation) => difference(enumerated(situation).largest, 0)),
    },
    derivation: [
      'By (5), L = ℓ(w) − H(d) − KL(q_θ || p_w), where the first two hold no θ; by (24) the divergence is KL(d || p_w(s)) + E_d KL(π_θ || π_w), where the first holds no θ. So L(π_θ) = L(π_w) − E_d KL(π_θ || π_w), and the maximum is E_d log Σ_a exp(Q_w/ε_w).',
      'The theorem prints an equality of the values. It holds for the arguments: the least divergence is 0, the largest L is not.',
      'The check takes the complete E-step of the theory and compares its bound, and the bound of 100 other policies, with enumeration.',
    ],
    uses: ['eStep', 'largestBound', 'evidenceLowerBound'],
  },
  {
    id: 'equation-23',
    statement: 'Maximising L over θ is minimising KL(q_θ || p_w): their sum does not depend on θ.',
    source: 'App. D.4, (23)',
    tolerance: 1e-12,
    why: WHY.equality,
    measure: () =>
      worstOverSituations((situation) => {
        const given = boundOf(situation);
        const other = boundOf({ ...situation, logits: situation.logits.map((x) => 1 - 2 * x) });
        const exact = enumerated(situation);
        const constant = exact.value + exact.divergence;
        return worst([
          difference(evidenceLowerBound(given) + decomposeBound(given).divergence, constant),
          difference(evidenceLowerBound(other) + decomposeBound(other).divergence, constant),
        ]);
      }),
    printed: {
      statement: 'max_θ L = min_θ KL(q_θ || p_w), an equality of the values',
      measure: () =>
        worstOverSituations((situation) => {
          const { largest, states } = enumerated(situation);
          return difference(largest, states);
        }),
    },
    derivation: [
      'L + KL(q_θ || p_w) = ℓ(w) − H(d), without θ. So one falls as the other rises, by the same amount, and their optima are at the same θ.',
      'As an equality of values it is off by ℓ(w) − H(d), and by a sign.',
    ],
    uses: ['evidenceLowerBound', 'decomposeBound'],
  },
  {
    id: 'equation-24',
    statement: 'KL(q_θ || p_w) = KL(d || p_w(s)) + E_d KL(π_θ || π_w).',
    source: 'App. D.4, (24)',
    tolerance: 1e-12,
    why: WHY.equality,
    measure: () =>
      worstOverSituations((situation) => {
        const { states, policies } = decomposeDivergence(boundOf(situation));
        const exact = enumerated(situation);
        return worst([
          difference(states + policies, exact.divergence),
          difference(states, exact.states),
          difference(policies, exact.policies),
        ]);
      }),
    derivation: [
      'Both joints are a distribution of states times a policy: q_θ = d π_θ and p_w(h) = p_w(s) π_w(a|s), with p_w(s) the sum of p_w(h) over actions. The logarithm of the quotient splits, and so does its mean.',
      'Only the second part holds θ: fitting the joint is fitting the policy, state by state.',
    ],
    uses: ['decomposeDivergence'],
  },
];
