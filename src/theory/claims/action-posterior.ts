/** Appendix B: VIREL as inference of an action given that it is optimal. */

import {
  actionPosterior,
  optimalityBound,
  optimalityLikelihood,
  pairPosterior,
} from '../action-posterior.js';
import { boltzmannPolicy } from '../boltzmann.js';
import { softmaxPolicy } from '../e-step.js';
import { evidenceLowerBound } from '../elbo.js';
import { uniform } from '../tabular-mdp.js';
import {
  difference,
  failures,
  type NumericClaim,
  WHY,
  worst,
  worstOverSituations,
} from './claim.js';
import {
  boltzmann,
  bound,
  flat,
  greedy,
  nest,
  softmax,
  sum,
  tableMap,
} from './independent/nested.js';

export const actionPosteriorClaims: readonly NumericClaim[] = [
  {
    id: 'optimality-likelihood',
    statement: 'p(O=1|h) lies in (0, 1] and is 1 exactly at the greedy actions.',
    source: 'App. B.1',
    tolerance: 0,
    why: WHY.order,
    measure: () =>
      worstOverSituations(({ mdp, actionValue, temperature }) => {
        const likelihood = optimalityLikelihood(actionValue, temperature, mdp.actions);
        const best = flat(greedy(nest(actionValue, mdp.actions)));
        return failures(
          likelihood.every((y, h) => y > 0 && y <= 1 && (y === 1) === (best[h] === 1)),
        );
      }),
    derivation: [
      'O = 1 stands for "this action is optimal under Q_w". Its likelihood y_w(h) = exp((Q_w(h) − max Q_w(s, ·))/ε_w) has an exponent that is never positive, and zero only where the action is the greedy one.',
      'ε_w says how much the model trusts Q_w: at a large residual every action may well be optimal, at a small one only the greedy action is. At ε_w = 0 the likelihood is not defined.',
    ],
    uses: ['optimalityLikelihood'],
  },
  {
    id: 'equation-10',
    statement: 'The posterior p(h|O) is exp(Q_w/ε_w) y_w(s), normalised over all pairs.',
    source: 'App. B.1, (10)',
    tolerance: 1e-12,
    why: WHY.equality,
    measure: () =>
      worstOverSituations(({ mdp, actionValue, temperature }) => {
        const likelihood = optimalityLikelihood(actionValue, temperature, mdp.actions);
        const got = pairPosterior(likelihood, uniform(mdp.pairs));
        // (10), literally
        const q = nest(actionValue, mdp.actions);
        const terms = flat(
          tableMap(
            q,
            (value, s) =>
              Math.exp(value / temperature) *
              Math.exp(-Math.max(...(q[s] as number[])) / temperature),
          ),
        );
        return difference(
          got,
          terms.map((term) => term / sum(terms)),
        );
      }),
    derivation: [
      "Bayes' rule with a uniform prior on pairs: p(h|O) = p(O|h) p(h)/p(O). The uniform prior cancels, and p(O|h) = exp(Q_w(h)/ε_w) y_w(s) with y_w(s) = exp(−max Q_w(s, ·)/ε_w).",
      'The check applies the rule to likelihood and prior on one side and evaluates the quotient of (10) term by term on the other.',
    ],
    uses: ['optimalityLikelihood', 'pairPosterior'],
  },
  {
    id: 'action-posterior',
    statement: "The posterior of the action, p(a|s,O), is Boltzmann's policy π_w.",
    source: 'App. B.1, after (10); (3)',
    tolerance: 1e-12,
    why: WHY.equality,
    measure: () =>
      worstOverSituations(({ mdp, actionValue, temperature }) => {
        const likelihood = optimalityLikelihood(actionValue, temperature, mdp.actions);
        const got = actionPosterior(pairPosterior(likelihood, uniform(mdp.pairs)), mdp.actions);
        return difference(got, flat(boltzmann(nest(actionValue, mdp.actions), temperature)));
      }),
    derivation: [
      'Divide p(h|O) by its sum over actions, p(s|O): y_w(s) and the normaliser cancel, exp(Q_w/ε_w)/Σ_b exp(Q_w/ε_w) is left. That is (3).',
      'So the policy that EM learns is not an arbitrary softmax. It is what one should believe about the optimal action, given how wrong Q_w still is.',
    ],
    uses: ['actionPosterior'],
  },
  {
    id: 'equation-3',
    statement: "Boltzmann's policy is exp(Q_w/ε_w), normalised over the actions of a state.",
    source: 'Section 3.1, (3)',
    tolerance: 1e-13,
    why: WHY.equality,
    measure: () =>
      worstOverSituations(({ mdp, actionValue, temperature }) =>
        difference(
          boltzmannPolicy(actionValue, temperature, mdp.actions),
          nest(actionValue, mdp.actions).flatMap((row) => {
            const exponentials = row.map((value) => Math.exp(value / temperature));
            return exponentials.map((value) => value / sum(exponentials));
          }),
        ),
      ),
    derivation: [
      'The definition, computed with the maximum of each row subtracted before the exponential, so that it cannot overflow; the other side takes the exponentials as they are.',
      'ε_w, the residual error, is the temperature: the policy becomes greedy exactly as fast as Q_w comes to satisfy its Bellman equation.',
    ],
    uses: ['boltzmannPolicy'],
  },
  {
    id: 'appendix-b-bound',
    statement: 'The bound of App. B is L(w,θ) of (4) plus E_d[log(y_w(s)/d(s))], which holds no θ.',
    source: 'App. B.1, the last display; (4)',
    tolerance: 1e-12,
    why: WHY.equality,
    measure: () =>
      worstOverSituations(({ mdp, actionValue, temperature, logits, stateWeights }) => {
        const [q, policy] = [nest(actionValue, mdp.actions), softmax(nest(logits, mdp.actions))];
        // E_q[log(exp(Q/ε) y(s) / q_θ(h))], literally
        const literal = sum(
          flat(
            tableMap(q, (value, s, a) => {
              const joint = (stateWeights[s] as number) * (policy[s]?.[a] as number);
              const top = Math.max(...(q[s] as number[]));
              return joint * ((value - top) / temperature - Math.log(joint));
            }),
          ),
        );
        const given = {
          actionValue,
          temperature,
          policy: softmaxPolicy(logits, mdp.actions),
          stateWeights,
        };
        const constant = sum(
          [...stateWeights].map(
            (d, s) => d * (-Math.max(...(q[s] as number[])) / temperature - Math.log(d)),
          ),
        );
        return worst([
          difference(optimalityBound(given), literal),
          difference(evidenceLowerBound(given), literal - constant),
          difference(evidenceLowerBound(given), bound(q, temperature, policy, stateWeights)),
        ]);
      }),
    derivation: [
      'The evidence lower bound of the model of App. B is E_q[log(p(O|h)/q_θ(h))] with q_θ(h) = d(s) π_θ(a|s), the uniform prior left out. Written out: E_d[E_π[Q_w]/ε_w + H(π_θ)] + E_d[log y_w(s) − log d(s)].',
      'The second mean does not depend on θ, so that raising L(w, θ) over θ is exactly variational inference of the action posterior.',
    ],
    uses: ['optimalityBound', 'evidenceLowerBound'],
  },
];
