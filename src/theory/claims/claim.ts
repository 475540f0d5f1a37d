/** What a claim of the paper is, and how it is checked. */

import { drawsOf, normalOf, randomMdp, simplexOf } from '../examples.js';
import { TabularMdp } from '../tabular-mdp.js';

/** A claim with a number beside it. */
export interface NumericClaim {
  /** `theorem-4`, `equation-30`, `lemma-1-ii`, or a name where the paper has no number. */
  id: string;
  /** In words, one sentence. */
  statement: string;
  /** Where it stands in the paper. */
  source: string;
  /** What `measure` may be at most. */
  tolerance: number;
  /** Why this tolerance. */
  why: string;
  /** The largest difference between the theory room and a computation that shares nothing with it but the MDP. */
  measure: () => number;
  /** Where the paper prints another thing: what it prints, and the size of its error. */
  printed?: {
    /** In words. */
    statement: string;
    /** The size of its error. */
    measure: () => number;
  };
  /** The derivation, one paragraph a line. */
  derivation: readonly string[];
  /** Functions of `theory` that the claim is about. */
  uses: readonly string[];
}

/** A definition or an assumption: nothing that a number could confirm. */
export interface DescribedClaim {
  /** As that of a claim with a number. */
  id: string;
  /** In words, one sentence. */
  statement: string;
  /** Where it stands in the paper. */
  source: string;
  /** Why no number can. */
  reason: string;
}

/** An entry of `verify`. */
export type Claim = NumericClaim | DescribedClaim;

/** Whether a number stands beside it. */
export function isNumeric(claim: Claim): claim is NumericClaim {
  return 'measure' in claim;
}

/** Seeds of a claim over random MDPs. */
export const SEEDS = 100;

/** A random situation: everything that a claim may be about. */
export interface Situation {
  mdp: TabularMdp;
  /** Q, `[N]`: normal, of deviation 2. */
  actionValue: Float64Array;
  /** θ, `[N]`: standard normal logits. */
  logits: Float64Array;
  /** d, `[S]`. */
  stateWeights: Float64Array;
  /** A temperature between 0.3 and 3. */
  temperature: number;
  draw: () => number;
}

/** The situation of a seed: 2 to 4 states, 2 or 3 actions, γ between 0.5 and 0.95. */
export function situationOf(seed: number): Situation {
  const draw = drawsOf(seed);
  const states = 2 + Math.floor(3 * draw());
  const actions = 2 + Math.floor(2 * draw());
  const discount = 0.5 + 0.45 * draw();
  const mdp = randomMdp(draw, { states, actions, discount });
  const normals = (scale: number) =>
    Float64Array.from({ length: mdp.pairs }, () => scale * normalOf(draw));
  return {
    mdp,
    actionValue: normals(2),
    logits: normals(1),
    stateWeights: simplexOf(draw, states),
    temperature: 0.3 * 10 ** draw(),
    draw,
  };
}

/** The largest measurement over {@link SEEDS} random situations; NaN stays NaN, which passes nothing. */
export function worstOverSituations(measure: (situation: Situation) => number): number {
  return worst(Array.from({ length: SEEDS }, (_, seed) => measure(situationOf(seed))));
}

/** The largest of some measurements. */
export function worst(measurements: readonly number[]): number {
  return measurements.reduce((most, value) => Math.max(most, value), 0);
}

type Numbers = readonly number[] | Float64Array;

/** max_i |a_i − b_i|/(1 + |b_i|): absolute for small numbers, relative for large ones; NaN where the lengths differ. */
export function difference(left: Numbers | number, right: Numbers | number): number {
  const [a, b] = [listOf(left), listOf(right)];
  if (a.length !== b.length) return Number.NaN;
  return worst(a.map((value, i) => Math.abs(value - b[i]!) / (1 + Math.abs(b[i]!))));
}

const listOf = (values: Numbers | number): number[] =>
  typeof values === 'number' ? [values] : [...values];

/** 0 where a fact holds, 1 where it does not: for claims about order, with tolerance 0. */
export const failures = (holds: boolean): number => (holds ? 0 : 1);

/** The golden Q of the 3x2 MDP. */
export const GOLDEN_VALUE = Float64Array.of(1, 2, 0.5, 1.2, 2.2, 0.3);

/** `mdp` with every reward changed. */
export function withRewards(mdp: TabularMdp, change: (reward: number) => number): TabularMdp {
  return new TabularMdp({ ...mdp, reward: mdp.reward.map(change) });
}

/** Reasons for tolerances that many claims share. */
export const WHY = {
  equality: 'two float64 computations of one number: some hundred roundings of 1.1e-16',
  finiteDifference:
    'fourth-order differences, step 1e-5: truncation below 1e-15, rounding ε64·|f|/1e-5 of about 1e-10',
  order: 'a statement about order: exact, no rounding can turn it at these distances',
} as const;
