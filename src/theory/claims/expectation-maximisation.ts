/** Appendix F.5: EM as policy iteration and as Q-iteration; the operators as contractions. */

import {
  optimalActionValue,
  optimalityOperator,
  policyActionValue,
  policyEvaluationOperator,
} from '../bellman.js';
import { softmaxPolicy } from '../e-step.js';
import { normalOf } from '../examples.js';
import { type EmOptions, runExpectationMaximisation } from '../expectation-maximisation.js';
import {
  difference,
  failures,
  type NumericClaim,
  type Situation,
  WHY,
  worst,
  worstOverSituations,
} from './claim.js';
import {
  evaluate,
  flat,
  greedy,
  nest,
  nestedMdp,
  optimal,
  optimalBackup,
  policyBackup,
  softmax,
  type Table,
} from './independent/nested.js';

/** Q_k and π_k of EM from the situation's Q and a uniform policy. */
function emAfter(
  { mdp, actionValue }: Situation,
  options: Omit<EmOptions, 'iterations'>,
  k: number,
) {
  return runExpectationMaximisation(mdp, { ...options, actionValue, iterations: k, tolerance: 0 });
}

const POLICY_ITERATION = {
  target: 'variational',
  schedule: { kind: 'complete', mStep: 'solve' },
} as const;
const Q_ITERATION = {
  target: 'variational',
  schedule: { kind: 'complete', mStep: 'backup' },
} as const;
const STEPS = [1, 2, 3, 4] as const;

const uniformTable = ({ mdp }: Situation): Table =>
  Array.from({ length: mdp.states }, () => new Array<number>(mdp.actions).fill(1 / mdp.actions));

/** Policy iteration from the uniform policy: Q_1 = Q^uniform, Q_2, ... */
function policyIteration(situation: Situation): { value: Table; policy: Table }[] {
  const nested = nestedMdp(situation.mdp);
  let policy = uniformTable(situation);
  return STEPS.map(() => {
    const value = evaluate(nested, policy);
    policy = greedy(value);
    return { value, policy };
  });
}

/** Value iteration whose first backup is that of the uniform policy. */
function valueIteration(situation: Situation): Table[] {
  const { mdp, actionValue } = situation;
  const nested = nestedMdp(mdp);
  let value = policyBackup(nested, nest(actionValue, mdp.actions), uniformTable(situation));
  return STEPS.map((k) => {
    if (k > 1) value = optimalBackup(nested, value);
    return value;
  });
}

export const emClaims: readonly NumericClaim[] = [
  {
    id: 'contraction',
    statement: 'T* and T^π are γ-contractions in the sup norm; their fixed points are Q* and Q^π.',
    source: 'Section 2; used throughout',
    tolerance: 1e-11,
    why: 'a fixed point of backups that stop at rounding is exact to 1e-16/(1 − γ) times its size',
    measure: () =>
      worstOverSituations((situation) => {
        const { mdp, actionValue, logits, draw } = situation;
        const other = Float64Array.from({ length: mdp.pairs }, () => 5 * normalOf(draw));
        const policy = softmaxPolicy(logits, mdp.actions);
        const nested = nestedMdp(mdp);
        const spread = (a: Float64Array, b: Float64Array) =>
          Math.max(...a.map((value, h) => Math.abs(value - (b[h] as number))));
        const most = mdp.discount * spread(actionValue, other);
        const best = optimal(nested);
        return worst([
          spread(optimalityOperator(mdp, actionValue), optimalityOperator(mdp, other)) - most,
          spread(
            policyEvaluationOperator(mdp, actionValue, policy),
            policyEvaluationOperator(mdp, other, policy),
          ) - most,
          difference(optimalActionValue(mdp), flat(best)),
          difference(
            policyActionValue(mdp, policy),
            flat(evaluate(nested, softmax(nest(logits, mdp.actions)))),
          ),
          difference(flat(evaluate(nested, greedy(best))), flat(best)),
        ]);
      }),
    derivation: [
      '|max Q − max Q′| ≤ max |Q − Q′|, and a mean is no larger than its largest term; γ times that is left after a backup. So each operator has one fixed point, and iterating it gets there.',
      'T_{w,k} and T^{π_w} are not contractions in general: a Boltzmann policy may react to Q more than γ forgives.',
      'The check compares pairs of tables, and the fixed points by linear solve and policy iteration with those by iteration alone.',
    ],
    uses: [
      'optimalityOperator',
      'policyEvaluationOperator',
      'optimalActionValue',
      'policyActionValue',
    ],
  },
  {
    id: 'equation-39',
    statement: 'Complete EM with T^{π_θ} following w: Q_k = Q^{π_{k−1}}.',
    source: 'App. F.5, (39)',
    tolerance: 1e-11,
    why: 'a linear solve against backups that stop at rounding, exact to 1e-16/(1 − γ) times the size of Q',
    measure: () =>
      worstOverSituations((situation) => {
        const exact = policyIteration(situation);
        return worst(
          STEPS.map((k) =>
            difference(
              emAfter(situation, POLICY_ITERATION, k).actionValue,
              flat((exact[k - 1] as { value: Table }).value),
            ),
          ),
        );
      }),
    derivation: [
      'The M-step can bring ε_w to 0 by T^{π_{k−1}} Q = Q, which is solved by the value of that policy alone: policy evaluation.',
    ],
    uses: ['runExpectationMaximisation'],
  },
  {
    id: 'equation-40',
    statement:
      'Complete EM with T^{π_θ} following w: π_k is greedy for Q^{π_{k−1}}, so that EM is policy iteration.',
    source: 'App. F.5, (40)',
    tolerance: 0,
    why: WHY.order,
    measure: () =>
      worstOverSituations((situation) => {
        const exact = policyIteration(situation);
        return worst(
          STEPS.map((k) =>
            difference(
              emAfter(situation, POLICY_ITERATION, k).policy,
              flat((exact[k - 1] as { policy: Table }).policy),
            ),
          ),
        );
      }),
    derivation: [
      'At ε_w = 0 the E-step is the limit of the Boltzmann policy, the greedy one (Theorem 1). Evaluate, be greedy, evaluate: policy iteration, which ends at the optimal policy after finitely many rounds.',
      'So even without the constraint that Ω_c puts on w, the optimum attracts.',
    ],
    uses: ['runExpectationMaximisation'],
  },
  {
    id: 'equation-41',
    statement:
      'Complete EM with the target held: Q_k = T* Q_{k−1} for k ≥ 2, Q-iteration; at k = 1 it is T^{π_0}.',
    source: 'App. F.5, (41)',
    tolerance: 1e-13,
    why: WHY.equality,
    measure: () =>
      worstOverSituations((situation) => {
        const exact = valueIteration(situation);
        return worst(
          STEPS.map((k) =>
            difference(emAfter(situation, Q_ITERATION, k).actionValue, flat(exact[k - 1] as Table)),
          ),
        );
      }),
    printed: {
      statement: 'Q_k = r + E[max Q_{k−1}], γ missing, and only for k > 2: its error at k = 3',
      measure: () =>
        worstOverSituations((situation) => {
          const [, second, third] = valueIteration(situation) as [Table, Table, Table];
          const printed = optimalBackup({ ...nestedMdp(situation.mdp), discount: 1 }, second);
          return difference(flat(printed), flat(third));
        }),
    },
    derivation: [
      'With the target held, the M-step sets Q_k = T^{π_{k−1}} Q_{k−1}, after which the residual against that target is zero, and the E-step is greedy. From k = 2 on the policy is greedy for Q_{k−1} itself: T^{π_{k−1}} Q_{k−1} = T* Q_{k−1}.',
      'The print omits γ before the mean over s′, and says k > 2 where k ≥ 2 is true: π_1 is greedy already.',
    ],
    uses: ['runExpectationMaximisation'],
  },
  {
    id: 'incremental-em',
    statement: 'EM with a floor ε_k that is annealed ends at Q* and at the optimal policy.',
    source: 'App. F.2, last paragraph; F.5',
    tolerance: 1e-6,
    why: 'after 400 backups γ^400 of the first distance is left, at most 1e-8, and the floor is 1e-9',
    measure: () =>
      worstOverSituations((situation) => {
        const best = optimal(nestedMdp(situation.mdp));
        const annealing = { start: 1, factor: 0.95, every: 1 };
        const run = emAfter(
          situation,
          { target: 'annealed', schedule: { kind: 'incremental' }, annealing },
          400,
        );
        return worst([
          difference(run.actionValue, flat(best)),
          failures(run.policy.every((p, h) => Math.round(p) === (flat(greedy(best))[h] as number))),
        ]);
      }),
    derivation: [
      'One backup of T_{w,k} and one complete E-step per round, ε_k = 0.95^k. The operator tends to T*, whose backups contract, so that Q follows to Q*; the temperature ε_{w,k} tends to 0 and the policy becomes greedy.',
    ],
    uses: ['runExpectationMaximisation'],
  },
  {
    id: 'partial-em',
    statement: 'EM with partial steps, along gradients, approaches Q* on the same MDPs.',
    source: 'App. F.3, F.5, last paragraph',
    tolerance: 5e-3,
    why: 'logits of a worse action fall like log t: it keeps about 1/(16 · 300) of the probability over its gap, a loss of 2e-4 a backup, up to 1/(1 − γ) = 20 times in all',
    measure: () =>
      worstOverSituations((situation) => {
        const { mdp } = situation;
        const schedule = {
          kind: 'partial',
          mSteps: 2,
          eSteps: 4,
          valueStep: 0.8 * mdp.pairs,
          policyStep: 4 * mdp.states,
          gradient: 'direct',
        } as const;
        const run = emAfter(situation, { target: 'variational', schedule }, 300);
        return difference(run.actionValue, flat(optimal(nestedMdp(mdp))));
      }),
    derivation: [
      'The practical algorithms take one gradient step each, here it is two and four. Nothing in general guarantees that (generalised alternating maximisation has conditions of its own). On tables the direct method is a damped backup of T^{π_θ}, and π_θ follows π_w, whose temperature falls with the residual.',
    ],
    uses: ['runExpectationMaximisation'],
  },
];
