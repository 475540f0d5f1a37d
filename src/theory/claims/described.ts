/** Definitions and assumptions: what the claims stand on, and no number can confirm. */

import type { DescribedClaim } from './claim.js';

export const describedClaims: readonly DescribedClaim[] = [
  {
    id: 'definition-1',
    statement: 'A function of actions is locally smooth with a unique maximum: C² near it.',
    source: 'Section 3.1, Definition 1',
    reason: 'a definition: it names a class of functions, which theorem-1 is about',
  },
  {
    id: 'definition-2',
    statement: 'The target set: operators T_w with T_w Q → T* Q as ε_w → 0.',
    source: 'Section 3.1, Definition 2',
    reason:
      'a definition; who belongs to it is boltzmann-target-limit, theorem-5-i and variational-target',
  },
  {
    id: 'assumption-1',
    statement: 'The first assumption of the main text.',
    source: 'Section 3',
    reason: 'an assumption, and the appendix does not restate it',
  },
  {
    id: 'assumption-2',
    statement: 'Some w* represents the optimal action values, Q_{w*} = Q*.',
    source: 'Section 3.1, Assumption 2',
    reason:
      'an assumption on the approximator; tables satisfy it, and projected-fixed-point is about one that does not',
  },
  {
    id: 'assumption-3',
    statement: 'Q_{w*} has a unique maximum over actions, near which it is C².',
    source: 'Section 3.1, Assumption 3',
    reason: 'an assumption; F.4 reaches it by lowering the reward of all optimal policies but one',
  },
  {
    id: 'assumption-4',
    statement: 'Every Boltzmann policy is some π_θ.',
    source: 'Section 3.2, Assumption 4',
    reason: 'an assumption on the policy class; a softmax with one logit a pair satisfies it',
  },
  {
    id: 'assumption-5',
    statement: 'Q_w(h) is three times differentiable in w.',
    source: 'App. F.1, Assumption 5',
    reason:
      'an assumption on the approximator; the approximators of this room have derivatives of every order',
  },
  {
    id: 'generalised-em',
    statement:
      'Partial E- and M-steps are generalised alternating maximisation (Gunawardana and Byrne).',
    source: 'App. F.3',
    reason:
      'a frame, whose guarantees depend on approximator and MDP; partial-em and em-never-lowers-evidence are cases',
  },
  {
    id: 'local-smoothness',
    statement: 'A ReLU network may have no second derivative at its maximum.',
    source: 'App. F.4',
    reason:
      'a remark without a consequence for a computation: the density still gathers at the maximum',
  },
];
