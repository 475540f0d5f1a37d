/**
 * The definitions of the paper once more, as slowly and as literally as they can be written: nested lists, loops over states and
 * actions. It shares nothing with the theory room but the MDP, and is what its results are held
 * against. Q and π are `[s][a]`.
 */

import type { TabularMdp } from '../../tabular-mdp.js';

export type Table = number[][];

/** An MDP as nested lists: `transition[s][a][s′]`, `reward[s][a]`. */
export interface NestedMdp {
  discount: number;
  transition: number[][][];
  reward: Table;
}

export const nest = (values: ArrayLike<number>, width: number): Table =>
  Array.from({ length: values.length / width }, (_, row) =>
    Array.from({ length: width }, (_, column) => values[row * width + column] as number),
  );

export const flat = (table: Table): number[] => table.flat();

export function nestedMdp(mdp: TabularMdp): NestedMdp {
  const rows = nest(mdp.transition, mdp.states);
  return {
    discount: mdp.discount,
    transition: Array.from({ length: mdp.states }, (_, s) =>
      rows.slice(s * mdp.actions, (s + 1) * mdp.actions),
    ),
    reward: nest(mdp.reward, mdp.actions),
  };
}

export const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

export const tableMap = (table: Table, f: (value: number, s: number, a: number) => number): Table =>
  table.map((row, s) => row.map((value, a) => f(value, s, a)));

/** π(a) = 1/Σ_b exp((Q(b) − Q(a))/ε), the softmax without a normaliser, so that cold policies do not overflow. */
export const boltzmann = (q: Table, temperature: number): Table =>
  q.map((row) =>
    row.map((own) => 1 / sum(row.map((other) => Math.exp((other - own) / temperature)))),
  );

/** 1/A everywhere. */
export const evenPolicy = ({ reward }: NestedMdp): Table =>
  reward.map((row) => row.map(() => 1 / row.length));

/** One-hot at the greedy actions. */
export const greedy = (q: Table): Table =>
  q.map((row) => row.map((_, a) => (a === row.indexOf(Math.max(...row)) ? 1 : 0)));

/** r + γ Σ_s′ p(s′|s, a) next[s′]. */
export function backup(
  { discount, transition, reward }: NestedMdp,
  next: readonly number[],
): Table {
  return tableMap(reward, (r, s, a) => {
    const row = transition[s]![a]!;
    return r + discount * sum(row.map((p, s2) => p * next[s2]!));
  });
}

export const policyBackup = (mdp: NestedMdp, q: Table, policy: Table): Table =>
  backup(
    mdp,
    q.map((row, s) => sum(row.map((value, a) => policy[s]![a]! * value))),
  );

export const optimalBackup = (mdp: NestedMdp, q: Table): Table =>
  backup(
    mdp,
    q.map((row) => Math.max(...row)),
  );

export const minus = (left: Table, right: Table): Table =>
  tableMap(left, (value, s, a) => value - right[s]![a]!);

/** ½ mean f². */
export function halfMeanSquare(table: Table): number {
  const values = flat(table);
  return sum(values.map((value) => value * value)) / (2 * values.length);
}

/** Q^π by backups until nothing changes. */
export function evaluate(mdp: NestedMdp, policy: Table): Table {
  return iterate((q) => policyBackup(mdp, q, policy), mdp.reward);
}

/** Q* by value iteration. */
export function optimal(mdp: NestedMdp): Table {
  return iterate((q) => optimalBackup(mdp, q), mdp.reward);
}

/** f(f(f(...))) until the change is a few units in the last place. */
export function iterate(f: (q: Table) => Table, start: Table, most = 20_000): Table {
  let q = start;
  for (let i = 0; i < most; i++) {
    const next = f(q);
    const scale = Math.max(...flat(next).map(Math.abs), 1e-300);
    const change = Math.max(...flat(minus(next, q)).map(Math.abs));
    q = next;
    if (change <= 2 ** -52 * scale) break;
  }
  return q;
}

/** F(ε) of the Boltzmann operator. */
export const implicitExcess = (mdp: NestedMdp, q: Table, temperature: number): number =>
  halfMeanSquare(minus(policyBackup(mdp, q, boltzmann(q, temperature)), q)) - temperature;

/** The root of F between two temperatures by halving. */
export function implicitError(mdp: NestedMdp, q: Table): number {
  let high = 1;
  while (implicitExcess(mdp, q, high) > 0) high *= 3;
  let low = high / 3;
  while (implicitExcess(mdp, q, low) <= 0) low /= 3;
  for (;;) {
    const middle = (low + high) / 2;
    if (middle === low || middle === high) return middle;
    if (implicitExcess(mdp, q, middle) > 0) low = middle;
    else high = middle;
  }
}

/** (4), literally: Σ_s d(s) Σ_a π (Q/ε − log π). */
export function bound(q: Table, temperature: number, policy: Table, d: ArrayLike<number>): number {
  return sum(
    q.map(
      (row, s) =>
        d[s]! *
        sum(
          row.map((value, a) => policy[s]![a]! * (value / temperature - Math.log(policy[s]![a]!))),
        ),
    ),
  );
}

/** Σ q log(q/p). */
export function divergence(q: readonly number[], p: readonly number[]): number {
  return sum(q.map((value, i) => value * Math.log(value / p[i]!)));
}

/** exp(θ)/Σ exp(θ): softmax logits. */
export const softmax = (logits: Table): Table => boltzmann(logits, 1);
