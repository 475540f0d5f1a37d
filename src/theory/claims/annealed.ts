/** Appendix F.2: the annealed operator and Theorem 5. */

import { annealedBoltzmannOperator } from '../bellman.js';
import { threeByTwo } from '../examples.js';
import { mStep } from '../m-step.js';
import { residualError } from '../residual.js';
import { distanceToOptimality } from '../target-set.js';
import {
  difference,
  failures,
  GOLDEN_VALUE,
  type NumericClaim,
  type Situation,
  situationOf,
  WHY,
  worst,
  worstOverSituations,
} from './claim.js';
import {
  boltzmann,
  flat,
  halfMeanSquare,
  minus,
  nest,
  nestedMdp,
  optimal,
  optimalBackup,
  policyBackup,
} from './independent/nested.js';
import { smallestGap } from './target-set.js';

/** ε_k so small that the Boltzmann policy of this Q is greedy to e^−60. */
const cold = ({ mdp, actionValue }: Situation) => smallestGap(actionValue, mdp.actions) / 60;

/** ½ mean (T* Q − Q)². */
function optimalError({ mdp, actionValue }: Situation): number {
  const q = nest(actionValue, mdp.actions);
  return halfMeanSquare(minus(optimalBackup(nestedMdp(mdp), q), q));
}

/** The floors along which minimisers are followed to Q*. */
const FLOORS = [1, 0.5, 0.1, 0.02] as const;

/** ε_{w,k} by its definition. */
function annealedError({ mdp }: Situation, values: Float64Array, floor: number): number {
  const q = nest(values, mdp.actions);
  const next = policyBackup(nestedMdp(mdp), q, boltzmann(q, floor));
  return halfMeanSquare(minus(next, q)) + floor;
}

/** Q with T_{w,k} Q = Q, and how far it is from Q*, floor by floor. */
function minimisers({ mdp, actionValue }: Situation) {
  const best = flat(optimal(nestedMdp(mdp)));
  return FLOORS.map((floor) => {
    const solved = mStep(mdp, actionValue, { kind: 'annealed', floor });
    const distance = Math.max(...best.map((value, h) => Math.abs(value - (solved[h] as number))));
    return { floor, solved, distance };
  });
}

/** ‖Q_k − Q*‖ ≤ γ ε_k log A/(1 − γ): one backup of a Boltzmann policy loses at most γ ε log A. */
const withinBound =
  ({ mdp }: Situation) =>
  ({ floor, distance }: { floor: number; distance: number }) =>
    distance <= (mdp.discount * floor * Math.log(mdp.actions)) / (1 - mdp.discount);

export const annealedClaims: readonly NumericClaim[] = [
  {
    id: 'equation-36',
    statement:
      'T_{w,k} is the Bellman operator of the Boltzmann policy at ε_k, a number free of w.',
    source: 'App. F.2, (36)',
    tolerance: 1e-12,
    why: WHY.equality,
    measure: () =>
      worstOverSituations(({ mdp, actionValue, temperature }) => {
        const q = nest(actionValue, mdp.actions);
        return difference(
          annealedBoltzmannOperator(mdp, actionValue, temperature),
          flat(policyBackup(nestedMdp(mdp), q, boltzmann(q, temperature))),
        );
      }),
    derivation: [
      'T^{π_w} constrains w, since ε_w is in it; T* needs a maximum over actions. T_{w,k} avoids both: a Boltzmann policy whose temperature is a number of the schedule, ε_k → 0.',
    ],
    uses: ['annealedBoltzmannOperator'],
  },
  {
    id: 'equation-37',
    statement: 'lim ε_{w,k} is the residual error of T* at the same w.',
    source: 'App. F.2, (37)',
    tolerance: 1e-12,
    why: 'at a sixtieth of the smallest gap the policy is greedy to e^−60, and ε_k itself is taken off',
    measure: () =>
      worstOverSituations((situation) => {
        const { mdp, actionValue } = situation;
        const floor = cold(situation);
        const annealed = residualError(mdp, actionValue, { kind: 'annealed', floor });
        return difference(annealed - floor, optimalError(situation));
      }),
    derivation: [
      'ε_{w,k} = ½ mean (T_{w,k} Q − Q)² + ε_k. The norm is continuous, so that the limit may go inside: T_{w,k} Q → T* Q. ε_k itself vanishes.',
    ],
    uses: ['residualError'],
  },
  {
    id: 'theorem-5-i',
    statement: 'T_{w,k} is in the target set: T_{w,k} Q → T* Q as ε_k → 0.',
    source: 'App. F.2, Theorem 5 i',
    tolerance: 1e-12,
    why: 'at a sixtieth of the smallest gap the policy is greedy to e^−60',
    measure: () =>
      worstOverSituations((situation) => {
        const { mdp, actionValue } = situation;
        const at = (floor: number) =>
          distanceToOptimality(mdp, actionValue, { kind: 'annealed', floor });
        const q = nest(actionValue, mdp.actions);
        const nested = nestedMdp(mdp);
        const exact = Math.max(
          ...flat(minus(optimalBackup(nested, q), policyBackup(nested, q, boltzmann(q, 0.5)))),
        );
        const floors = [2, 1, 0.5, 0.25, 0.1].map(at);
        return worst([
          at(cold(situation)),
          difference(at(0.5), exact),
          failures(floors.every((distance, i) => i === 0 || distance < (floors[i - 1] as number))),
        ]);
      }),
    derivation: [
      'Theorem 1 at every next state: the Boltzmann policy becomes greedy as ε_k → 0, and its average of Q becomes the maximum. The distance to T* Q falls with ε_k, monotonically, since the mean of Q under a Boltzmann policy rises as it cools.',
    ],
    uses: ['distanceToOptimality'],
  },
  {
    id: 'theorem-5-ii',
    statement: 'min_w lim ε_{w,k} = min_w ε_w: both are 0, at Q*.',
    source: 'App. F.2, Theorem 5 ii',
    tolerance: 1e-12,
    why: 'at a fortieth of the smallest gap of Q* a worse action keeps e^−40 of the probability',
    measure: () =>
      worstOverSituations((situation) => {
        const { mdp } = situation;
        const best = Float64Array.from(flat(optimal(nestedMdp(mdp))));
        const floor = smallestGap(best, mdp.actions) / 40;
        return worst([
          difference(residualError(mdp, best, { kind: 'annealed', floor }), floor),
          residualError(mdp, best, { kind: 'boltzmann' }),
          failures(optimalError(situation) > 0),
        ]);
      }),
    derivation: [
      'By (37) the limit is the residual error of T*, whose minimum under Assumption 2 is 0 and is taken at Q* alone; and ε_w of any member of the target set is zero there, too.',
    ],
    uses: ['residualError'],
  },
  {
    id: 'equation-38',
    statement:
      'The minimisers have no larger ε_{w,k} than any other w, at every k and in the limit; theirs is ε_k.',
    source: 'App. F.2, (38)',
    tolerance: 1e-7,
    why: 'the square root of the rounding, 1e-16, in which a residual of 0 is lost beside ε_k',
    measure: () =>
      worstOverSituations((situation) => {
        const { actionValue } = situation;
        const limit = optimalError(situation);
        return worst(
          minimisers(situation).flatMap(({ floor, solved }) => {
            const least = annealedError(situation, solved, floor);
            return [
              // what is left of the residual beside ε_k
              Math.sqrt(2 * Math.abs(least - floor)),
              failures(least < annealedError(situation, actionValue, floor)),
              failures(floor > 0.1 || least < limit),
            ];
          }),
        );
      }),
    derivation: [
      'ε_{w,k} is ε_k plus something that is not negative, so that ε_k is a lower bound. It is reached: T_{w,k} Q = Q has a solution, by the fixed-point theorem of Brouwer on a ball of radius max|r|/(1−γ).',
      'Taking the limit on both sides gives (38): the minimisers end no higher than the residual error of T* at any w.',
      'The check finds the minimisers at four ε_k in 100 MDPs, and measures their residual by definition.',
    ],
    uses: ['mStep'],
  },
  {
    id: 'theorem-5-iii',
    statement: 'min and lim commute: min_w ε_{w,k} → 0, and the minimisers tend to Q*.',
    source: 'App. F.2, Theorem 5 iii',
    tolerance: 1e-3,
    why: 'the distance to Q* that is left at ε_k = 0.02 on the 3x2 MDP; in the limit it is 0',
    measure: () => {
      const golden = { ...situationOf(0), mdp: threeByTwo(), actionValue: GOLDEN_VALUE };
      const left = minimisers(golden).map(({ distance }) => distance);
      return worst([
        left.at(-1) as number,
        failures(left.every((distance, i) => i === 0 || distance < (left[i - 1] as number))),
        worstOverSituations((situation) =>
          failures(minimisers(situation).every(withinBound(situation))),
        ),
      ]);
    },
    derivation: [
      'min_w ε_{w,k} = ε_k → 0, and 0 is min_w lim ε_{w,k}: the order of min and lim does not matter. So one may minimise at one ε_k, lower it, and go on from there.',
      'The minimisers tend to Q*, and how fast can be said: E_π Q of a Boltzmann policy is within ε log A of the maximum, so that ‖Q_k − Q*‖ ≤ γ ε_k log A/(1 − γ).',
      'The number is the distance on the 3x2 MDP at ε_k = 0.02, after 1, 0.5 and 0.1 with falling distances. That the bound holds is checked in 100 MDPs at the four ε_k.',
    ],
    uses: ['mStep'],
  },
];
