/** Appendix C: the operators whose residual may be minimised. */

import { softmaxPolicy } from '../e-step.js';
import { threeByTwo } from '../examples.js';
import { bellmanResidual, implicitResidualError } from '../residual.js';
import { distanceToOptimality, softnessGap } from '../target-set.js';
import {
  difference,
  failures,
  GOLDEN_VALUE,
  type NumericClaim,
  SEEDS,
  type Situation,
  situationOf,
  WHY,
  worst,
  worstOverSituations,
} from './claim.js';
import {
  boltzmann,
  flat,
  iterate,
  minus,
  nest,
  nestedMdp,
  optimalBackup,
  policyBackup,
  softmax,
  sum,
  tableMap,
} from './independent/nested.js';

/** The smallest distance between the best action and the next, over states. */
export function smallestGap(actionValue: Float64Array, actions: number): number {
  return Math.min(
    ...nest(actionValue, actions).map((row) => {
      const sorted = row.toSorted((a, b) => b - a);
      return (sorted[0] as number) - (sorted[1] as number);
    }),
  );
}

/** Situations of two actions, where the distance to T* has a closed form. */
const overTwoActions = (measure: (situation: Situation) => number) =>
  worst(
    Array.from({ length: 3 * SEEDS }, (_, seed) => situationOf(seed))
      .filter(({ mdp }) => mdp.actions === 2)
      .map(measure),
  );

type Given = Pick<Situation, 'mdp' | 'actionValue'>;

/** Q of Q = T^{π_c} Q by damped backups, c the temperature of the policy. */
function selfConsistent({ mdp, actionValue }: Given, temperature: number) {
  const nested = nestedMdp(mdp);
  return iterate(
    (q) => {
      const next = policyBackup(nested, q, boltzmann(q, temperature));
      return tableMap(next, (value, s, a) => 0.5 * (value + (q[s]?.[a] as number)));
    },
    nest(actionValue, mdp.actions),
  );
}

/** |β| under T^{π_c} at Q = T^{π_c} Q, whose F(c) is then −c; 1 unless the theory's root lies below c. */
function ownValueError(given: Given, temperature: number): number {
  const own = Float64Array.from(flat(selfConsistent(given, temperature)));
  const target = { kind: 'annealed', floor: temperature } as const;
  const residual = bellmanResidual(given.mdp, own, target);
  return worst([
    difference(residual, new Float64Array(residual.length)),
    failures(implicitResidualError(given.mdp, own) < temperature),
  ]);
}

export const targetSetClaims: readonly NumericClaim[] = [
  {
    id: 'boltzmann-target-limit',
    statement:
      'T^{π_w} Q tends to T* Q as ε_w → 0, at the rate γ E[gap σ(−gap/ε)] for two actions.',
    source: 'App. C, the first two displays; Definition 2',
    tolerance: 1e-12,
    why: WHY.equality,
    measure: () =>
      overTwoActions(({ mdp, actionValue, temperature }) => {
        const q = nest(actionValue, 2);
        const gaps = q.map((row) => Math.abs((row[0] as number) - (row[1] as number)));
        const lost = gaps.map((gap) => gap / (1 + Math.exp(gap / temperature)));
        const predicted = nestedMdp(mdp).transition.flatMap((actions) =>
          actions.map((row) => mdp.discount * sum(row.map((p, s) => p * (lost[s] as number)))),
        );
        const nested = nestedMdp(mdp);
        const exact = flat(
          minus(optimalBackup(nested, q), policyBackup(nested, q, boltzmann(q, temperature))),
        );
        const cold = smallestGap(actionValue, 2) / 60;
        return worst([
          difference(softnessGap(mdp, actionValue, temperature), predicted),
          difference(exact, predicted),
          distanceToOptimality(mdp, actionValue, { kind: 'annealed', floor: cold }),
        ]);
      }),
    derivation: [
      'A policy of two actions takes the worse one with probability σ(−gap/ε), and then loses the gap. One backup therefore loses γ E_{s′}[gap σ(−gap/ε)] against T*, which vanishes with ε like e^{−gap/ε}.',
      'That makes T^{π_w} a member of the target set: an operator that becomes T* where the residual error is zero. It also shows that T^{π_w} never backs up more than T*.',
      'The check compares the closed form with both operators, and the distance to T* at a sixtieth of the smallest gap with zero.',
    ],
    uses: ['softnessGap', 'distanceToOptimality'],
  },
  {
    id: 'boltzmann-own-value',
    statement:
      'No Boltzmann policy of temperature above 0 has its own value as Q_w: ε_w would be 0.',
    source: 'App. C, "cannot represent the true Q-function"',
    tolerance: 1e-12,
    why: WHY.equality,
    measure: () =>
      worst([
        worstOverSituations((situation) => ownValueError(situation, situation.temperature)),
        ...[1, 0.5, 0.1, 0.02].map((c) =>
          ownValueError({ mdp: threeByTwo(), actionValue: GOLDEN_VALUE }, c),
        ),
      ]),
    derivation: [
      'Let Q solve Q = T^{π_c} Q for a policy π_c ∝ exp(Q/c) with c > 0. Its residual under that operator is zero (this is what is measured), so that the residual error is zero, not c: F(c) = −c. Since c would have to be ε_w, there is no such Q in the constrained set Ω_c.',
      'The root of F at this Q lies below c: the temperature that VIREL gives to it is smaller than the one that produced it. Only at c = 0, where Q = Q*, do they agree.',
      'The check finds Q by independent damped iterations, in 100 situations and on the 3x2 MDP at c = 1, 0.5, 0.1 and 0.02.',
    ],
    uses: ['implicitResidualError', 'bellmanResidual'],
  },
  {
    id: 'variational-target',
    statement:
      'T^{π_θ} is in the target set only where π_θ = π_w: for a fixed policy its distance to T* stays.',
    source: 'App. C and F.5, T^{π_θ}',
    tolerance: 1e-12,
    why: WHY.equality,
    measure: () =>
      worstOverSituations(({ mdp, actionValue, logits }) => {
        const policy = softmaxPolicy(logits, mdp.actions);
        const q = nest(actionValue, mdp.actions);
        const nested = nestedMdp(mdp);
        const lost = flat(
          minus(
            optimalBackup(nested, q),
            policyBackup(nested, q, softmax(nest(logits, mdp.actions))),
          ),
        );
        const distance = distanceToOptimality(mdp, actionValue, { kind: 'variational', policy });
        return worst([difference(distance, Math.max(...lost)), failures(distance > 1e-6)]);
      }),
    derivation: [
      'T* Q − T^π Q = γ E_{s′}[max Q − E_π Q] is zero only where π is greedy. A fixed π_θ is not, and nothing about ε_w changes that: Definition 2 asks for convergence as ε_w → 0, and π_θ does not know ε_w.',
      'After a complete E-step π_θ = π_w and T^{π_θ} = T^{π_w}, which is a member. F.5 uses the operator in between; the analysis there replaces the constraint by alternation, see equation-39.',
    ],
    uses: ['distanceToOptimality'],
  },
];
