/** What the tests of the theory share: cases by seed, naive oracles, derivatives by differences, tolerances with reasons. */

import { expect } from '@jest/globals';
import fc from 'fast-check';
import type { VirelError } from '../../src/errors.js';
import {
  drawsOf,
  normalOf,
  randomMdp,
  simplexOf,
  TabularMdp,
  type Target,
} from '../../src/theory/index.js';

/**
 * Numbers and why they are what they are; ε64 = 1.1e-16 is the rounding of one operation. The error of a table is
 * max |got − expected| / (1 + max |expected|), see {@link expectClose}.
 */
export const tolerance = {
  rounding: {
    value: 1e-12,
    why: 'the same real number by two orders of some hundred float64 operations, cancelling by a factor of 10 at most',
  },
  fixedPoint: {
    value: 1e-10,
    why: 'linear systems and iterations: γ ≤ 0.95 magnifies their rounding by up to (1 + γ)/(1 − γ) = 39, twice where squared',
  },
  finiteDifference: {
    value: 1e-8,
    why: 'h = 1e-5: truncation h⁴ f⁗′/30 below 1e-11, rounding 1.5 ε64 |f|/h of 2e-11 |f|, by up to 100 where f is a root',
  },
  golden: {
    value: 1e-13,
    why: 'the same formula in numpy and here on values of order 1 to 15: some tens of roundings',
  },
  goldenSolve: {
    value: 1e-12,
    why: 'a linear solve of γ = 0.9, or damped backups ended at 1e-15, whose distance is 20 times their last change',
  },
  goldenQuotient: {
    value: 1e-9,
    why: 'the golden sum of 4e5 terms rounds by 1e-15, which is divided by ε = 1e-4: measured 8e-12',
  },
  goldenRun: {
    value: 1e-9,
    why: '8,000 steps forget their roundings, but for two runs that end where E[bbᵀ] has a condition of 7e7: measured 5e-13',
  },
  condition: {
    value: 1e-9,
    why: 'normal equations: drawn features have a condition of up to 1e3, E[bbᵀ] of its square',
  },
} as const;

type Tolerance = { readonly value: number };

/** Entries that must be there: an index beyond the end is a mistake of the test, not NaN. */
export function at<T>(values: ArrayLike<T>, index: number): T {
  if (!(index >= 0 && index < values.length)) throw new Error(`no ${index} of ${values.length}`);
  return values[index] as T;
}

export const range = (size: number): number[] => Array.from({ length: size }, (_, i) => i);

export function sumOver(size: number, term: (i: number) => number): number {
  let sum = 0;
  for (let i = 0; i < size; i++) sum += term(i);
  return sum;
}

export const largest = (values: ArrayLike<number>): number => Math.max(0, ...magnitudes(values));

const magnitudes = (values: ArrayLike<number>) => Array.from(values, Math.abs);

/** Fails where an entry is further off than the tolerance, in units of 1 + the largest expected one, and where one is NaN. */
export function expectClose(
  got: ArrayLike<number> | number,
  expected: ArrayLike<number> | number,
  { value: limit }: Tolerance,
  scale = 0,
): void {
  const [left, right] = [listOf(got), listOf(expected)];
  expect(left).toHaveLength(right.length);
  const allowed = limit * (1 + largest(right) + scale);
  const wrong = right.findIndex((value, i) => !(Math.abs(at(left, i) - value) <= allowed));
  if (wrong < 0) return;
  expect({ entry: wrong, value: left[wrong] }).toEqual({ entry: wrong, value: right[wrong] });
}

const listOf = (values: ArrayLike<number> | number) =>
  typeof values === 'number' ? [values] : Array.from(values);

/** How far apart two tables are, as {@link expectClose} counts; for what must differ. */
export const differenceOf = (left: Float64Array, right: Float64Array): number =>
  largest(left.map((value, i) => value - at(right, i))) / (1 + largest(right));

/** The error that a call ends with. */
export function errorOf(call: () => unknown): VirelError {
  try {
    call();
  } catch (error) {
    return error as VirelError;
  }
  throw new Error('the call was to fail');
}

/** Code and message of the error that a call ends with; the message has to name what is wrong. */
export function expectError(call: () => unknown, code: string, ...named: string[]): void {
  const error = errorOf(call);
  expect(error.code).toBe(code);
  for (const name of named) expect(error.message).toContain(name);
}

/** An MDP and tables on it, all by one seed. */
export interface Case {
  mdp: TabularMdp;
  actionValue: Float64Array;
  /** Two policies, every action possible in both. */
  policy: Float64Array;
  otherPolicy: Float64Array;
  stateWeights: Float64Array;
  /** Between 0.1 and 10. */
  temperature: number;
  draw: () => number;
}

interface CaseOptions {
  runs?: number;
  states?: number;
  actions?: number;
  /** The least number of actions. */
  fewest?: number;
}

/** A property of every {@link Case}: 1 to 5 states, 1 to 4 actions, γ in [0, 0.95], unless said otherwise. */
export function forAllCases(check: (drawn: Case) => void, options: CaseOptions = {}): void {
  const { runs = 100, states = 5, actions = 4, fewest = 1 } = options;
  const sizes = fc.record({
    seed: fc.nat(),
    states: fc.integer({ min: 1, max: states }),
    actions: fc.integer({ min: fewest, max: actions }),
    discount: fc.oneof(fc.double({ min: 0, max: 0.95, noNaN: true }), fc.constant(0.9)),
    scale: fc.constantFrom(0.5, 2, 10),
    transitions: fc.constantFrom('dense' as const, 'certain' as const),
  });
  fc.assert(
    fc.property(sizes, (drawn) => check(caseOf(drawn))),
    { numRuns: runs },
  );
}

interface CaseSizes {
  seed: number;
  states: number;
  actions: number;
  discount: number;
  /** Of action values, in units of rewards. */
  scale: number;
  transitions: 'dense' | 'certain';
}

export function caseOf({ seed, scale, transitions, ...sizes }: CaseSizes): Case {
  const draw = drawsOf(seed);
  const dense = randomMdp(draw, sizes);
  const mdp = transitions === 'dense' ? dense : certain(dense);
  return {
    mdp,
    actionValue: normals(draw, mdp.pairs, scale),
    policy: drawnPolicy(draw, mdp),
    otherPolicy: drawnPolicy(draw, mdp),
    stateWeights: simplexOf(draw, mdp.states),
    temperature: 10 ** (2 * draw() - 1),
    draw,
  };
}

/** Each action leads to its most probable state: rows of zeros and a one. */
function certain({ states, actions, pairs, discount, transition, reward }: TabularMdp): TabularMdp {
  const sharp = range(pairs).flatMap((pair) => {
    const row = [...transition.subarray(pair * states, (pair + 1) * states)];
    return row.map((_, next) => (next === row.indexOf(Math.max(...row)) ? 1 : 0));
  });
  const rows = Float64Array.from(sharp);
  return new TabularMdp({ states, actions, discount, transition: rows, reward });
}

export const normals = (draw: () => number, length: number, scale = 1): Float64Array =>
  Float64Array.from({ length }, () => scale * normalOf(draw));

export const drawnPolicy = (draw: () => number, { states, actions }: TabularMdp): Float64Array =>
  Float64Array.from(range(states).flatMap(() => [...simplexOf(draw, actions)]));

/** A table by states and actions. */
export const tableOf = (
  { states, actions }: Pick<TabularMdp, 'states' | 'actions'>,
  entry: (state: number, action: number) => number,
): Float64Array =>
  Float64Array.from(range(states).flatMap((s) => range(actions).map((a) => entry(s, a))));

/** Reads an MDP and its tables by states and actions, by the layout that tabular-mdp.ts states. */
export const reading = (mdp: TabularMdp) => ({
  probability: (s: number, a: number, next: number) =>
    at(mdp.transition, (s * mdp.actions + a) * mdp.states + next),
  reward: (s: number, a: number) => at(mdp.reward, s * mdp.actions + a),
  of: (table: Float64Array) => (s: number, a: number) => at(table, s * mdp.actions + a),
});

/** r + γ Σ p v by nested loops: every operator, once the value of a state is known. */
export function naiveBackup(mdp: TabularMdp, value: (state: number) => number): Float64Array {
  const { probability, reward } = reading(mdp);
  return tableOf(mdp, (s, a) => {
    let total = 0;
    for (let next = 0; next < mdp.states; next++) total += probability(s, a, next) * value(next);
    return reward(s, a) + mdp.discount * total;
  });
}

/** Σ_a π f of a state. */
export function naiveMean(mdp: TabularMdp, policy: Float64Array, table: Float64Array) {
  const { of } = reading(mdp);
  return (s: number): number => sumOver(mdp.actions, (a) => of(policy)(s, a) * of(table)(s, a));
}

/** max_a f of a state. */
export function naiveLargest(mdp: TabularMdp, table: Float64Array) {
  const value = reading(mdp).of(table);
  return (s: number): number => Math.max(...range(mdp.actions).map((a) => value(s, a)));
}

/** exp(Q/ε) over its sum by differences of two values: 1 / Σ_b exp((Q(b) − Q(a))/ε), with no maximum subtracted. */
export const naiveBoltzmann = (
  mdp: Pick<TabularMdp, 'states' | 'actions'>,
  table: Float64Array,
  temperature: number,
): Float64Array =>
  tableOf(mdp, (s, a) => {
    const value = (action: number) => at(table, s * mdp.actions + action);
    return 1 / sumOver(mdp.actions, (b) => Math.exp((value(b) - value(a)) / temperature));
  });

/** T_w Q of the targets without an implicit temperature. */
export function naiveTarget(
  mdp: TabularMdp,
  actionValue: Float64Array,
  target: Exclude<Target, { kind: 'boltzmann' }>,
): Float64Array {
  switch (target.kind) {
    case 'optimal':
      return naiveBackup(mdp, naiveLargest(mdp, actionValue));
    case 'variational':
      return naiveBackup(mdp, naiveMean(mdp, target.policy, actionValue));
    case 'annealed': {
      const policy = naiveBoltzmann(mdp, actionValue, target.floor);
      return naiveBackup(mdp, naiveMean(mdp, policy, actionValue));
    }
  }
}

/** T_w Q − Q. */
export const naiveResidual = (
  mdp: TabularMdp,
  actionValue: Float64Array,
  target: Exclude<Target, { kind: 'boltzmann' }>,
): Float64Array =>
  naiveTarget(mdp, actionValue, target).map((value, pair) => value - at(actionValue, pair));

export const halfMeanSquare = (table: Float64Array): number =>
  sumOver(table.length, (i) => at(table, i) ** 2) / (2 * table.length);

/** x of Ax = b by elimination with the largest pivot. */
export function solveLinear(
  matrix: readonly (readonly number[])[],
  right: readonly number[],
): number[] {
  const rows = matrix.map((row, i) => [...row, at(right, i)]);
  for (const column of range(rows.length)) {
    const below = rows.slice(column).map((row) => Math.abs(at(row, column)));
    const pivot = column + below.indexOf(Math.max(...below));
    [rows[column], rows[pivot]] = [at(rows, pivot), at(rows, column)];
    const lead = at(rows, column);
    for (const [i, row] of rows.entries()) {
      if (i === column) continue;
      const factor = at(row, column) / at(lead, column);
      rows[i] = row.map((value, j) => value - factor * at(lead, j));
    }
  }
  return rows.map((row, i) => at(row, rows.length) / at(row, i));
}

/** Q^π of all pairs at once: (I − γ P Π) Q = r, `[N, N]`. */
export function naivePolicyValue(mdp: TabularMdp, policy: Float64Array): Float64Array {
  const { states, actions, pairs, discount, transition, reward } = mdp;
  const system = range(pairs).map((h) =>
    range(pairs).map((other) => {
      const leads = at(transition, h * states + Math.floor(other / actions)) * at(policy, other);
      return (h === other ? 1 : 0) - discount * leads;
    }),
  );
  return Float64Array.from(solveLinear(system, [...reward]));
}

/** h of the fourth-order difference: truncation falls with h⁴, rounding grows with 1/h. */
const STEP = 1e-5;

/** The Jacobian of a table by `x` by fourth-order central differences: one row for every entry of the table. */
export function jacobian(f: (x: Float64Array) => Float64Array, x: Float64Array): Float64Array[] {
  const columns = range(x.length).map((i) => {
    const moved = (steps: number) =>
      f(x.map((value, j) => (i === j ? value + steps * STEP : value)));
    const [ahead, behind, far, farBehind] = [moved(1), moved(-1), moved(2), moved(-2)];
    return ahead.map(
      (value, row) =>
        (8 * (value - at(behind, row)) - (at(far, row) - at(farBehind, row))) / (12 * STEP),
    );
  });
  const [first] = columns;
  return range(first?.length ?? 0).map((row) => Float64Array.from(columns, (c) => at(c, row)));
}

/** ∇f by {@link jacobian}. */
export const differences = (f: (x: Float64Array) => number, x: Float64Array): Float64Array =>
  at(
    jacobian((moved) => Float64Array.of(f(moved)), x),
    0,
  );

/** That a gradient is the one of `f` at `x`, by differences; |f| sets the scale, since its rounding does. */
export function expectGradient(
  gradient: Float64Array,
  f: (x: Float64Array) => number,
  x: Float64Array,
): void {
  expectClose(gradient, differences(f, x), tolerance.finiteDifference, Math.abs(f(x)));
}

/** The smallest distance of a state's two best actions: at 0 T* has a kink. */
export function smallestGap(mdp: TabularMdp, table: Float64Array): number {
  const gaps = range(mdp.states).map((s) => {
    const row = [...table.subarray(s * mdp.actions, (s + 1) * mdp.actions)].sort((a, b) => b - a);
    return row.length < 2 ? Number.POSITIVE_INFINITY : at(row, 0) - at(row, 1);
  });
  return Math.min(...gaps);
}

/** Whether differences of T* stay on one side of every tie: a thousand steps away from it. */
export const isSmooth = (mdp: TabularMdp, table: Float64Array): boolean =>
  smallestGap(mdp, table) > 1000 * STEP;

/** The targets that state their policy, of a case. */
export const explicitTargets = ({ temperature, otherPolicy }: Case) =>
  [
    { kind: 'optimal' },
    { kind: 'annealed', floor: temperature },
    { kind: 'variational', policy: otherPolicy },
  ] as const satisfies Target[];
