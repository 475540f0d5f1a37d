/** Small MDPs: random ones by seed, and the named ones of the claims, the pictures and the docs. */

import { uniformStream } from '../random/stream.js';
import { maximumEntropyTrap } from './maximum-entropy.js';
import { TabularMdp } from './tabular-mdp.js';

/** Sizes of a random MDP. */
export interface RandomSizes {
  /** S. */
  states: number;
  /** A. */
  actions: number;
  /** γ. */
  discount: number;
}

/** Draws of the theory room: uniform on [0, 1), by seed alone. */
export const drawsOf = (seed: number): (() => number) => uniformStream(seed, 'theory');

/** A standard normal number of two uniform ones (Box and Muller). */
export const normalOf = (draw: () => number): number =>
  Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw());

/** A point of the simplex, uniformly: exponentials over their sum. */
export function simplexOf(draw: () => number, size: number): Float64Array {
  const parts = Float64Array.from({ length: size }, () => -Math.log(1 - draw()));
  const sum = parts.reduce((total, part) => total + part, 0);
  return parts.map((part) => part / sum);
}

/** An MDP with uniform transition rows and standard normal rewards. @param draw uniform on [0, 1). */
export function randomMdp(
  draw: () => number,
  { states, actions, discount }: RandomSizes,
): TabularMdp {
  const transition = new Float64Array(states * actions * states);
  for (let pair = 0; pair < states * actions; pair++) {
    transition.set(simplexOf(draw, states), pair * states);
  }
  const reward = Float64Array.from({ length: states * actions }, () => normalOf(draw));
  return new TabularMdp({ states, actions, discount, transition, reward });
}

/** Three states, two actions, γ = 0.9: the MDP of the golden numbers. */
export function threeByTwo(): TabularMdp {
  return new TabularMdp({
    states: 3,
    actions: 2,
    discount: 0.9,
    transition: [
      [
        [0.7, 0.2, 0.1],
        [0.1, 0.6, 0.3],
      ],
      [
        [0.3, 0.4, 0.3],
        [0, 0.2, 0.8],
      ],
      [
        [0.5, 0.25, 0.25],
        [0.2, 0.2, 0.6],
      ],
    ],
    reward: [
      [1, 0.5],
      [0.2, 1.5],
      [0, 2],
    ],
  });
}

/**
 * A corridor: left or right, one step in nine tenths of the cases, else none. Its left end pays 0.2, its right end 1.
 * From the left half greed for the near reward is a trap.
 */
export function chain(length = 6): TabularMdp {
  const last = length - 1;
  const move = (state: number, by: number) => {
    const row = new Array<number>(length).fill(0);
    const next = Math.min(last, Math.max(0, state + by));
    row[next]! += 0.9;
    row[state]! += 0.1;
    return row;
  };
  const states = Array.from({ length }, (_, state) => state);
  return new TabularMdp({
    states: length,
    actions: 2,
    discount: 0.9,
    transition: states.map((state) => [move(state, -1), move(state, 1)]),
    reward: states.map((state) => [state === 0 ? 0.2 : 0, state === last ? 1 : 0]),
  });
}

/** Rows of the gridworld: `#` wall, `G` goal, `P` pit, `.` floor. */
export const GRID = ['...G', '.#.P', '....'] as const;

/** North, east, south, west. */
const MOVES = [
  [-1, 0],
  [0, 1],
  [1, 0],
  [0, -1],
] as const;

/**
 * A grid of 4 by 3: an action does what it says in eight tenths of the cases, and slips to either side in one tenth each; walls
 * and edges stop. The goal pays 1 and the pit 0, both then end in a state that pays nothing; every step pays 0.04.
 */
export function gridworld(): TabularMdp {
  const cells = GRID.flatMap((row, y) =>
    [...row].flatMap((mark, x) => (mark === '#' ? [] : [{ mark, x, y }])),
  );
  const end = cells.length;
  const at = (y: number, x: number) => cells.findIndex((cell) => cell.x === x && cell.y === y);
  const rowOf = (state: number, action: number): number[] => {
    const row = new Array<number>(cells.length + 1).fill(0);
    const cell = cells[state];
    if (cell === undefined || cell.mark !== '.') {
      row[end] = 1;
      return row;
    }
    for (const [turn, probability] of [
      [0, 0.8],
      [1, 0.1],
      [3, 0.1],
    ] as const) {
      const [dy, dx] = MOVES[(action + turn) % MOVES.length]!;
      const next = at(cell.y + dy, cell.x + dx);
      row[next < 0 ? state : next]! += probability;
    }
    return row;
  };
  const pays = (state: number) => ({ G: 1, P: 0, '.': 0.04 })[cells[state]?.mark ?? 'P'] ?? 0;
  const states = Array.from({ length: cells.length + 1 }, (_, state) => state);
  return new TabularMdp({
    states: states.length,
    actions: MOVES.length,
    discount: 0.9,
    transition: states.map((state) => MOVES.map((_, action) => rowOf(state, action))),
    reward: states.map((state) => MOVES.map(() => (state === end ? 0 : pays(state)))),
  });
}

/** An MDP with a name. */
export interface NamedMdp {
  /** Its name. */
  name: string;
  /** What it is, in one line. */
  summary: string;
  /** A new one. */
  make: () => TabularMdp;
}

/** ρ, k and what a miss pays, of the counter-example as it is drawn. */
export const TRAP = { payoff: 0.9, branches: 20, miss: 0, discount: 0.9 } as const;

/** The named MDPs. */
export const NAMED_MDPS: readonly NamedMdp[] = [
  {
    name: 'three-by-two',
    summary: 'three states, two actions: the MDP of the golden numbers',
    make: threeByTwo,
  },
  {
    name: 'chain',
    summary: 'six states in a row: a small reward at the near end, a large one at the far end',
    make: chain,
  },
  {
    name: 'gridworld',
    summary: 'four by three cells with a wall, a goal and a pit, slippery',
    make: gridworld,
  },
  {
    name: 'merl-counterexample',
    summary: 'one good action against twenty fair ones, where soft values mislead',
    make: () => maximumEntropyTrap(TRAP),
  },
];
