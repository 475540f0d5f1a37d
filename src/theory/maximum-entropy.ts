/**
 * Maximum-entropy RL, the objective that VIREL departs from, and an MDP where it is misled.
 *
 *   Σ_t r_t − c log π(a_t|s_t)                                     (2), c > 0 the temperature
 *   (T_soft Q)(h) = r(h) + γ E_{s′}[c log Σ_b exp(Q(s′, b)/c)],    its policy ∝ exp(Q_soft/c)
 *
 * An action is valued by how many ways there are to act after it, too. In {@link maximumEntropyTrap} one way leads to a state
 * with one good action, another to a state with k actions that all pay ρ < 1. Above
 *
 *   c* = (1 − ρ)/log k
 *
 * the soft policy prefers the second; VIREL's π_w, of hard values, never does, and complete EM makes it certain.
 * Equivalent to Figure 1 of the paper, whose own numbers cannot be recovered.
 */

import { VirelError } from '../errors.js';
import { largestMagnitude } from './bellman.js';
import { logPartitions } from './boltzmann.js';
import { expectedNext, outOfRange, TabularMdp } from './tabular-mdp.js';

/** T_soft Q, `[N]`. @param temperature c > 0. @throws VirelError `TEMPERATURE_NOT_POSITIVE`. */
export function softOptimalityOperator(
  mdp: TabularMdp,
  actionValue: Float64Array,
  temperature: number,
): Float64Array {
  const soft = logPartitions(actionValue, temperature, mdp.actions).map(
    (value) => temperature * value,
  );
  return expectedNext(mdp, soft).map((next, pair) => mdp.reward[pair]! + mdp.discount * next);
}

/** More backups than any γ up to 0.999 needs to converge to float64. */
const MOST_BACKUPS = 50_000;

/** Q_soft, the fixed point of T_soft, by iteration from 0. */
export function softActionValue(mdp: TabularMdp, temperature: number): Float64Array {
  let actionValue: Float64Array = new Float64Array(mdp.pairs);
  for (let backup = 0; backup < MOST_BACKUPS; backup++) {
    const held = actionValue;
    actionValue = softOptimalityOperator(mdp, held, temperature);
    const change = largestMagnitude(actionValue.map((value, pair) => value - held[pair]!));
    // a backup rounds by some units of the last place of Q and c log A, which may go back and forth for ever
    const size = largestMagnitude(actionValue) + temperature * Math.log(mdp.actions);
    if (change <= 16 * Number.EPSILON * size) return actionValue;
  }
  throw new VirelError(
    'NOT_CONVERGED',
    `soft values: no fixed point after ${MOST_BACKUPS} backups`,
  );
}

/** The numbers of the trap. */
export interface Trap {
  /** ρ < 1: what each of the many actions pays. */
  payoff: number;
  /** k ≥ 2: actions of every state. */
  branches: number;
  /** What a wrong action pays in the state with one good action, whose good one pays 1. */
  miss: number;
  /** γ. */
  discount: number;
}

/** States of the trap, in their order. */
export const TRAP_STATES = ['start', 'one good action', 'many fair actions', 'end'] as const;

/**
 * From `start` the first half of the actions (of an odd number the larger) lead to `one good action`, the other to
 * `many fair actions`; both lead on to `end`, which pays nothing.
 *
 * @throws VirelError `VALUE_RANGE` unless k is a whole number of at least 2; `MDP_INVALID`.
 */
export function maximumEntropyTrap({ payoff, branches, miss, discount }: Trap): TabularMdp {
  expectBranches(branches);
  const states = TRAP_STATES.length;
  const each = <T>(of: (action: number) => T) => Array.from({ length: branches }, (_, a) => of(a));
  const to = (state: number) => Array.from({ length: states }, (_, s) => (s === state ? 1 : 0));
  return new TabularMdp({
    states,
    actions: branches,
    discount,
    transition: [
      each((a) => to(a < Math.ceil(branches / 2) ? 1 : 2)),
      each(() => to(3)),
      each(() => to(3)),
      each(() => to(3)),
    ],
    reward: [each(() => 0), each((a) => (a === 0 ? 1 : miss)), each(() => payoff), each(() => 0)],
  });
}

function expectBranches(branches: number): void {
  if (Number.isInteger(branches) && branches >= 2) return;
  throw outOfRange('branches', 'a whole number of at least 2', branches);
}

/** c*, above which the soft policy errs; exact where `miss` is far below 0. @throws VirelError `VALUE_RANGE`. */
export function criticalTemperature(payoff: number, branches: number): number {
  expectBranches(branches);
  return (1 - payoff) / Math.log(branches);
}

/** How probable it is that a policy, `[N]`, chooses the good way at the start of the trap. */
export function goodChoice(policy: Float64Array, branches: number): number {
  return policy.subarray(0, Math.ceil(branches / 2)).reduce((sum, p) => sum + p, 0);
}
