/** Appendix E.1, E.2, E.4 and F.3: the gradients of the E-step and of the M-step. */

import { eStep, eStepGradient, scoreGradient, softmaxPolicy } from '../e-step.js';
import { mStepGradient } from '../m-step.js';
import type { Target } from '../residual.js';
import { directGradient } from '../residual-gradient.js';
import {
  difference,
  failures,
  type NumericClaim,
  type Situation,
  WHY,
  worst,
  worstOverSituations,
} from './claim.js';
import { gradientBy } from './independent/difference.js';
import {
  boltzmann,
  bound,
  flat,
  halfMeanSquare,
  implicitError,
  minus,
  type NestedMdp,
  nest,
  nestedMdp,
  optimalBackup,
  policyBackup,
  softmax,
  sum,
  type Table,
} from './independent/nested.js';

/** Explicit and implicit targets with the residual error of each, by its definition. */
export function targetsOf({ mdp, logits, temperature }: Situation): {
  target: Target;
  error: (nested: NestedMdp, q: Table) => number;
}[] {
  const policy = softmax(nest(logits, mdp.actions));
  return [
    {
      target: { kind: 'optimal' },
      error: (nested, q) => halfMeanSquare(minus(optimalBackup(nested, q), q)),
    },
    {
      target: { kind: 'annealed', floor: temperature },
      error: (nested, q) =>
        halfMeanSquare(minus(policyBackup(nested, q, boltzmann(q, temperature)), q)) + temperature,
    },
    {
      target: { kind: 'variational', policy: softmaxPolicy(logits, mdp.actions) },
      error: (nested, q) => halfMeanSquare(minus(policyBackup(nested, q, policy), q)),
    },
    { target: { kind: 'boltzmann' }, error: implicitError },
  ];
}

const expectation = (q: Table, policy: Table, d: ArrayLike<number>) =>
  sum(
    q.map(
      (row, s) => (d[s] as number) * sum(row.map((value, a) => value * (policy[s]?.[a] as number))),
    ),
  );

export const stepClaims: readonly NumericClaim[] = [
  {
    id: 'equation-6',
    statement: 'Following the E-step gradient raises L, towards π_w, where the gradient is zero.',
    source: 'Section 4, (6)',
    tolerance: 1e-12,
    why: 'the gradient at the closed form is a difference of equal numbers of order 10',
    measure: () =>
      worstOverSituations(({ mdp, actionValue, temperature, logits, stateWeights }) => {
        const step = { actionValue, temperature, stateWeights };
        const q = nest(actionValue, mdp.actions);
        const optimum = boltzmann(q, temperature);
        const best = bound(q, temperature, optimum, stateWeights);
        let theta = logits;
        const bounds = Array.from({ length: 50 }, () => {
          theta = theta.map(ascendBy(eStepGradient(step, theta), 0.1));
          return bound(q, temperature, softmax(nest(theta, mdp.actions)), stateWeights);
        });
        const logOptimum = Float64Array.from(flat(optimum), Math.log);
        const slopeAtOptimum = eStepGradient(step, logOptimum);
        return worst([
          difference(eStep(step), flat(optimum)),
          difference(slopeAtOptimum, new Float64Array(mdp.pairs)),
          failures(bounds.every((value, i) => i === 0 || value > (bounds[i - 1] as number))),
          failures(bounds.every((value) => value < best)),
        ]);
      }),
    derivation: [
      'θ ← θ + α_actor ε_w ∇_θ L: gradient ascent on the bound at fixed w. With logits for θ the bound has one maximum, π_w, and the gradient vanishes there: f = Q_w − ε_w log π_w is the same for every action of a state.',
      'The check follows the gradient for 50 steps from 100 random policies: the bound, written out, rises at every step and stays below that of π_w, found by enumeration.',
    ],
    uses: ['eStep', 'eStepGradient'],
  },
  {
    id: 'equation-25',
    statement: 'ε_w ∇_θ L = E_d[E_π[Q_w ∇ log π] + ε_w ∇H(π)].',
    source: 'App. E.1, (25)',
    tolerance: 1e-9,
    why: WHY.finiteDifference,
    measure: () =>
      worstOverSituations(({ mdp, actionValue, temperature, logits, stateWeights }) => {
        const q = nest(actionValue, mdp.actions);
        const numeric = gradientBy(
          (theta) =>
            temperature * bound(q, temperature, softmax(nest(theta, mdp.actions)), stateWeights),
          logits,
        );
        return difference(
          eStepGradient({ actionValue, temperature, stateWeights }, logits),
          numeric,
        );
      }),
    derivation: [
      'The derivative of (4) by θ: the log-derivative trick for the first term, the gradient of the entropy for the second. Multiplied by ε_w, so that a small residual does not blow it up.',
      'For logits it takes the short form d(s) π(a|s) (f − E_π f) with f = Q_w − ε_w log π: an action gains weight where its value, less a price on certainty, is above average.',
    ],
    uses: ['eStepGradient'],
  },
  {
    id: 'e-step-e4',
    statement:
      'E[Q_w ∇ log π] = ∇E_π[Q_w]: ∇_θ may leave the integral, since Q_w does not depend on π_θ.',
    source: 'App. E.4',
    tolerance: 1e-9,
    why: WHY.finiteDifference,
    measure: () =>
      worstOverSituations(({ mdp, actionValue, logits, stateWeights }) => {
        const q = nest(actionValue, mdp.actions);
        const numeric = gradientBy(
          (theta) => expectation(q, softmax(nest(theta, mdp.actions)), stateWeights),
          logits,
        );
        return difference(
          scoreGradient(softmaxPolicy(logits, mdp.actions), actionValue, stateWeights),
          numeric,
        );
      }),
    derivation: [
      'In the policy gradient theorem Q^π depends on the policy and so does the state distribution: the gradient cannot be moved out. Here Q_w and d are fixed during the E-step, so that it can. This is what permits reparametrised gradients, ã = tanh(μ + σξ), in the algorithms.',
    ],
    uses: ['scoreGradient'],
  },
  {
    id: 'equation-7',
    statement: 'ε_w² ∇_w L = ε_w E_{d,π}[∇Q_w] − E_{d,π}[Q_w] ∇ε_w, for all four targets.',
    source: 'Section 4, (7); App. E.2',
    tolerance: 1e-8,
    why: 'differences of L, times ε_w² up to 1e2',
    measure: () =>
      worstOverSituations((situation) => {
        const { mdp, actionValue, logits, stateWeights } = situation;
        const nested = nestedMdp(mdp);
        const policy = softmax(nest(logits, mdp.actions));
        const held = { policy: softmaxPolicy(logits, mdp.actions), stateWeights };
        return worst(
          targetsOf(situation).map(({ target, error }) => {
            const at = error(nested, nest(actionValue, mdp.actions));
            const numeric = gradientBy((values) => {
              const q = nest(values, mdp.actions);
              return bound(q, error(nested, q), policy, stateWeights);
            }, actionValue).map((slope) => at ** 2 * slope);
            return difference(mStepGradient(mdp, actionValue, target, held), numeric);
          }),
        );
      }),
    derivation: [
      'The quotient rule on Q_w/ε_w, both of which depend on w: ∇(Q_w/ε_w) = ∇Q_w/ε_w − Q_w ∇ε_w/ε_w². The entropy holds no w. Multiplied by ε_w².',
      'The first term raises values, the second lowers the residual error, in proportion to the value already there. Near the optimum the second rules, and where Q_w > 0 it lowers ε_w: M-steps are residual minimisation. (With Q_w < 0 it would raise it; see reward-shift for the remedy.)',
      'The check differentiates L with ε_w inside it, for the Boltzmann target too, where ε_w is the root of F.',
    ],
    uses: ['mStepGradient'],
  },
  {
    id: 'direct-method',
    statement: 'With the target held, ∇ε_w = −E[β_w ∇Q_w].',
    source: 'App. F.3',
    tolerance: 1e-9,
    why: WHY.finiteDifference,
    measure: () =>
      worstOverSituations((situation) => {
        const { mdp, actionValue } = situation;
        const { numeric } = heldTarget(situation);
        return difference(directGradient(mdp, actionValue, { kind: 'optimal' }), numeric);
      }),
    printed: {
      statement:
        'the first display: −E[(Q_w − T_w Q_w) ∇Q_w], the other sign; its M-step line is right',
      measure: () =>
        worstOverSituations((situation) => {
          const { numeric, residual } = heldTarget(situation);
          return difference(
            residual.map((value) => value / residual.length),
            numeric,
          );
        }),
    },
    derivation: [
      'The direct method treats T_w Q_w as a number. Then ε_w = ½ E[(y − Q_w)²] has the gradient −E[(y − Q_w) ∇Q_w] = E[(Q_w − T_w Q_w) ∇Q_w]: what every practical algorithm descends, and J_Q of Appendix H is.',
      'The first display of F.3 has a minus before E[(Q_w − T_w Q_w) ∇Q_w]; the M-step printed below it has none.',
    ],
    uses: ['directGradient'],
  },
  {
    id: 'm-step-order',
    statement: 'A step along the M-step gradient of any target raises L, however small the step.',
    source: 'Section 4, the variational M-step',
    tolerance: 0,
    why: WHY.order,
    measure: () =>
      worstOverSituations((situation) => {
        const { mdp, actionValue, logits, stateWeights } = situation;
        const nested = nestedMdp(mdp);
        const policy = softmax(nest(logits, mdp.actions));
        const held = { policy: softmaxPolicy(logits, mdp.actions), stateWeights };
        const rises = targetsOf(situation).map(({ target, error }) => {
          const slope = mStepGradient(mdp, actionValue, target, held);
          const length = Math.hypot(...slope);
          const at = (size: number) => {
            const q = nest(
              actionValue.map((value, h) => value + (size * (slope[h] as number)) / length),
              mdp.actions,
            );
            return bound(q, error(nested, q), policy, stateWeights);
          };
          return at(1e-5) > at(0);
        });
        return failures(rises.every(Boolean));
      }),
    derivation: [
      'w ← w + α_critic ε_w² ∇_w L: gradient ascent on the bound at fixed θ. ε_w² > 0 scales the step and does not turn it.',
    ],
    uses: ['mStepGradient'],
  },
];

/** x + α g. */
const ascendBy = (gradient: Float64Array, stepSize: number) => (value: number, i: number) =>
  value + stepSize * (gradient[i] as number);

/** The gradient of ½ mean (y − Q)² with y = T* Q as a number, by differences; and β = y − Q. */
function heldTarget({ mdp, actionValue }: Situation): { numeric: number[]; residual: number[] } {
  const q = nest(actionValue, mdp.actions);
  const target = optimalBackup(nestedMdp(mdp), q);
  const error = (values: readonly number[]) =>
    halfMeanSquare(minus(target, nest(values, mdp.actions)));
  return { numeric: gradientBy(error, actionValue), residual: flat(minus(target, q)) };
}
