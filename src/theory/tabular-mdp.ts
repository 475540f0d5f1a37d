/**
 * A finite Markov decision process (S, A, p, r, γ), the one thing that every file of this room is a function of.
 *
 * A pair h = (s, a) has the number s·A + a, and there are N = S·A of them. A table is a function of h, `[N]`: action values
 * Q(h), policies π(a|s), residuals β(h). A function of states is `[S]`. E[·] is the mean over all pairs (E.3).
 *
 *   p(s′|h)  at  (s·A + a)·S + s′        r(h)  at  s·A + a        0 ≤ γ < 1
 */

import { VirelError } from '../errors.js';

/** How far a row of probabilities may be from one: thousands of roundings of 1.1e-16. */
const ROW_SUM_TOLERANCE = 1e-12;

/** What a {@link TabularMdp} is made of. */
export interface MdpDefinition {
  /** S, the number of states. */
  states: number;
  /** A, the number of actions. */
  actions: number;
  /** γ in [0, 1). */
  discount: number;
  /** p(s′|h), `[N, S]`, or nested: `transition[s][a][s′]`. */
  transition: Float64Array | readonly (readonly (readonly number[])[])[];
  /** r(h), `[N]`, or nested: `reward[s][a]`. */
  reward: Float64Array | readonly (readonly number[])[];
}

/** An MDP that was checked; its tables are not to be written to. */
export class TabularMdp {
  /** S. */
  readonly states: number;
  /** A. */
  readonly actions: number;
  /** N = S·A. */
  readonly pairs: number;
  /** γ. */
  readonly discount: number;
  /** p(s′|h), `[N, S]`. */
  readonly transition: Float64Array;
  /** r(h), `[N]`. */
  readonly reward: Float64Array;

  /**
   * @throws VirelError `MDP_INVALID`, naming the entry: a size, γ outside [0, 1), a probability that is negative or not
   *   a number, a row that does not sum to one, a reward that is not finite.
   */
  constructor({ states, actions, discount, transition, reward }: MdpDefinition) {
    expectList('transition', transition);
    expectList('reward', reward);
    expectCount('states', states);
    expectCount('actions', actions);
    if (!(discount >= 0 && discount < 1)) {
      throw invalid('discount', 'a number in [0, 1)', discount);
    }
    this.states = states;
    this.actions = actions;
    this.pairs = states * actions;
    this.discount = discount;
    this.transition = flatten('transition', transition, [states, actions, states]);
    this.reward = flatten('reward', reward, [states, actions]);
    this.#expectProbabilities();
    this.#expectRewards();
  }

  /** As the entries are named in messages: `reward[s][a]`. */
  #entry(name: string, pair: number): string {
    return `${name}[${Math.floor(pair / this.actions)}][${pair % this.actions}]`;
  }

  #expectProbabilities(): void {
    for (let pair = 0; pair < this.pairs; pair++) {
      const row = this.transition.subarray(pair * this.states, (pair + 1) * this.states);
      const wrong = row.findIndex((value) => !(value >= 0 && value <= 1));
      if (wrong >= 0) {
        const where = `${this.#entry('transition', pair)}[${wrong}]`;
        throw invalid(where, 'a probability in [0, 1]', row[wrong]!);
      }
      const sum = row.reduce((total, value) => total + value, 0);
      if (Math.abs(sum - 1) > ROW_SUM_TOLERANCE) {
        throw invalid(this.#entry('transition', pair), 'probabilities that sum to 1', sum);
      }
    }
  }

  #expectRewards(): void {
    const wrong = this.reward.findIndex((value) => !Number.isFinite(value));
    if (wrong >= 0)
      throw invalid(this.#entry('reward', wrong), 'a finite number', this.reward[wrong]!);
  }
}

type Nested = readonly (number | Nested)[];

/** The numbers of nested lists, row by row; a flat array is copied. */
function flatten(where: string, values: Float64Array | Nested, shape: readonly number[]) {
  if (ArrayBuffer.isView(values)) {
    const length = shape.reduce((product, size) => product * size, 1);
    expectLength(where, values, length);
    return Float64Array.from(values);
  }
  expectShape(where, values, shape);
  return Float64Array.from(values.flat(2) as readonly number[]);
}

/** Lists of other lengths may have the right number of entries, each in the wrong place. */
function expectShape(where: string, values: Nested, [length, ...inner]: readonly number[]): void {
  expectLength(where, values, length!);
  if (inner.length === 0) return;
  values.forEach((list, i) => {
    expectShape(`${where}[${i}]`, list as Nested, inner);
  });
}

function expectList(where: string, values: unknown): void {
  if (Array.isArray(values) || ArrayBuffer.isView(values)) return;
  const got = values === undefined ? 'nothing' : typeof values;
  const message = `${where}: expected nested lists or a Float64Array, got ${got}`;
  throw new VirelError('MDP_INVALID', message, { where });
}

function expectCount(where: string, value: number): void {
  if (!(Number.isInteger(value) && value > 0))
    throw invalid(where, 'a whole number above 0', value);
}

function expectLength(where: string, values: ArrayLike<unknown>, length: number): void {
  if (values.length === length) return;
  throw invalid(where, `${length} entries for these sizes`, values.length);
}

function invalid(where: string, expected: string, value: number): VirelError {
  const got = String(value);
  return new VirelError('MDP_INVALID', `${where}: expected ${expected}, got ${got}`, {
    where,
    expected,
    got,
  });
}

/**
 * Checks a table that a caller hands in.
 *
 * @throws VirelError `LENGTH_MISMATCH` where it is not `[length]`; `NOT_FINITE`, naming the entry.
 */
export function expectTable(name: string, table: Float64Array, length: number): void {
  if (table.length !== length) {
    const message = `${name}: expected ${length} values, got ${table.length}`;
    throw new VirelError('LENGTH_MISMATCH', message, { where: name });
  }
  const wrong = table.findIndex((value) => !Number.isFinite(value));
  if (wrong < 0) return;
  const where = `${name}[${wrong}]`;
  const message = `${where}: expected a finite number, got ${table[wrong]}`;
  throw new VirelError('NOT_FINITE', message, { where });
}

/** @throws VirelError `LENGTH_MISMATCH` where a table is not made of whole rows of `actions` entries. */
export function expectRows(name: string, table: Float64Array, actions: number): void {
  const rows = table.length / actions;
  if (Number.isInteger(rows) && rows > 0) return;
  const message = `${name}: expected rows of ${actions} values, got ${table.length} values`;
  throw new VirelError('LENGTH_MISMATCH', message, { where: name });
}

/**
 * Checks a distribution over `size` outcomes, such as d(s).
 *
 * @throws VirelError `LENGTH_MISMATCH`, `NOT_FINITE`; `DISTRIBUTION_INVALID` where it is negative or does not sum to 1.
 */
export function expectDistribution(name: string, weights: Float64Array, size: number): void {
  expectTable(name, weights, size);
  const sum = weights.reduce((total, value) => total + value, 0);
  const negative = weights.findIndex((value) => value < 0);
  if (negative < 0 && Math.abs(sum - 1) <= ROW_SUM_TOLERANCE) return;
  const where = negative < 0 ? name : `${name}[${negative}]`;
  const got = negative < 0 ? `a sum of ${sum}` : `${weights[negative]}`;
  const message = `${where}: expected probabilities that sum to 1, got ${got}`;
  throw new VirelError('DISTRIBUTION_INVALID', message, { where });
}

/**
 * A, of a table `[N]` and a distribution of states `[S]` that were handed in together.
 *
 * @throws VirelError `DISTRIBUTION_INVALID`, `NOT_FINITE`; `LENGTH_MISMATCH` where N is no multiple of S.
 */
export function actionsPerState(actionValue: Float64Array, stateWeights: Float64Array): number {
  expectDistribution('stateWeights', stateWeights, stateWeights.length);
  const actions = actionValue.length / stateWeights.length;
  if (Number.isInteger(actions) && actions > 0) return actions;
  const message = `actionValue: expected as many values for each of ${stateWeights.length} states, got ${actionValue.length} values`;
  throw new VirelError('LENGTH_MISMATCH', message, { where: 'actionValue' });
}

/** A word that is none of those there are, such as the kind of a target. */
export function unknownKind(where: string, allowed: readonly string[], got: unknown): VirelError {
  const expected = `one of ${allowed.join(', ')}`;
  return new VirelError('KIND_UNKNOWN', `${where}: expected ${expected}, got ${got}`, {
    where,
    expected,
    got: String(got),
  });
}

/** A number out of its range, named. */
export function outOfRange(where: string, expected: string, got: number): VirelError {
  return new VirelError('VALUE_RANGE', `${where}: expected ${expected}, got ${got}`, {
    where,
    expected,
    got: String(got),
  });
}

/**
 * Checks a policy that a caller hands in.
 *
 * @throws VirelError `LENGTH_MISMATCH`, `NOT_FINITE`; `POLICY_INVALID`, naming the state whose row is no distribution.
 */
export function expectPolicy(
  name: string,
  policy: Float64Array,
  { pairs, actions }: Pick<TabularMdp, 'pairs' | 'actions'>,
): void {
  expectTable(name, policy, pairs);
  for (let state = 0; state < pairs / actions; state++) {
    const row = policy.subarray(state * actions, (state + 1) * actions);
    const sum = row.reduce((total, value) => total + value, 0);
    const smallest = row.reduce((a, b) => Math.min(a, b));
    if (smallest >= 0 && Math.abs(sum - 1) <= ROW_SUM_TOLERANCE) continue;
    const where = `${name} of state ${state}`;
    const got = smallest < 0 ? `an entry of ${smallest}` : `a sum of ${sum}`;
    const message = `${where}: expected probabilities that sum to 1, got ${got}`;
    throw new VirelError('POLICY_INVALID', message, { where });
  }
}

/**
 * E_{s′~p(·|h)}[v(s′)] of every pair.
 *
 * @param stateValue v, `[S]`.
 * @returns `[N]`.
 */
export function expectedNext(mdp: TabularMdp, stateValue: Float64Array): Float64Array {
  const { states, pairs, transition } = mdp;
  const expected = new Float64Array(pairs);
  for (let pair = 0; pair < pairs; pair++) {
    const row = pair * states;
    let sum = 0;
    for (let next = 0; next < states; next++) sum += transition[row + next]! * stateValue[next]!;
    expected[pair] = sum;
  }
  return expected;
}

/**
 * Σ_h c(h) p(s′|h) of every next state: the transpose of {@link expectedNext}.
 *
 * @param pairWeights c, `[N]`, of any sign.
 * @returns `[S]`.
 */
export function nextStateWeights(mdp: TabularMdp, pairWeights: Float64Array): Float64Array {
  const { states, pairs, transition } = mdp;
  const weights = new Float64Array(states);
  for (let pair = 0; pair < pairs; pair++) {
    const row = pair * states;
    const weight = pairWeights[pair]!;
    for (let next = 0; next < states; next++) weights[next]! += weight * transition[row + next]!;
  }
  return weights;
}

/**
 * E_{a~π(·|s)}[f(s, a)] of every state.
 *
 * @param policy π, `[N]`.
 * @param table f, `[N]`.
 * @returns `[S]`.
 */
export function expectedUnder(
  policy: Float64Array,
  table: Float64Array,
  actions: number,
): Float64Array {
  const expected = new Float64Array(table.length / actions);
  table.forEach((value, pair) => {
    expected[Math.floor(pair / actions)]! += policy[pair]! * value;
  });
  return expected;
}

/** max_a f(s, a) of every state, `[N]` to `[S]`. */
export function largestOf(table: Float64Array, actions: number): Float64Array {
  return Float64Array.from({ length: table.length / actions }, (_, state) =>
    table.subarray(state * actions, (state + 1) * actions).reduce((a, b) => Math.max(a, b)),
  );
}

/** E[f], the mean over all pairs. */
export function mean(table: Float64Array): number {
  return table.reduce((sum, value) => sum + value, 0) / table.length;
}

/** The uniform distribution on `size` outcomes: the d(s) of the examples. */
export function uniform(size: number): Float64Array {
  return new Float64Array(size).fill(1 / size);
}

/** The uniform policy, `[N]`. */
export function uniformPolicy({ pairs, actions }: TabularMdp): Float64Array {
  return new Float64Array(pairs).fill(1 / actions);
}
