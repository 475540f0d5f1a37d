/** The examples: random MDPs by their formulas and their distributions, the named ones cell by cell. */

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  chain,
  drawsOf,
  GRID,
  greedyPolicy,
  gridworld,
  maximumEntropyTrap,
  NAMED_MDPS,
  normalOf,
  optimalActionValue,
  randomMdp,
  simplexOf,
  TRAP,
  threeByTwo,
} from '../../src/theory/index.js';
import { at, expectClose, range, reading, sumOver, tolerance } from './support.js';

/** A draw that yields these numbers in turn. */
const scripted = (...values: number[]) => {
  const rest = [...values];
  return () => rest.shift() as number;
};

const moments = (values: number[]) => {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const square = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, deviation: Math.sqrt(square) };
};

describe('draws', () => {
  it('are those of their seed, and of no other', () => {
    const first = (seed: number) => range(5).map(drawsOf(seed));
    expect(first(3)).toEqual(first(3));
    expect(first(3)).not.toEqual(first(4));
    for (const draw of first(3)) expect(draw >= 0 && draw < 1).toBe(true);
  });

  it('make normal numbers by √(−2 log(1 − u)) cos(2πv)', () => {
    expectClose(normalOf(scripted(1 - Math.exp(-2), 0)), 2, tolerance.rounding);
    expectClose(normalOf(scripted(1 - Math.exp(-0.5), 1 / 3)), -0.5, tolerance.rounding);
    expectClose(normalOf(scripted(0.9, 0.25)), 0, tolerance.rounding);
    expect(Math.abs(normalOf(scripted(0, 0)))).toBe(0);
    const draw = drawsOf(1);
    const { mean, deviation } = moments(range(20_000).map(() => normalOf(draw)));
    // deviations of 1/√20,000 = 0.007 and half of it
    expect(Math.abs(mean)).toBeLessThan(0.03);
    expect(Math.abs(deviation - 1)).toBeLessThan(0.02);
  });

  it('make points of the simplex of −log(1 − u) over its sum', () => {
    const point = simplexOf(scripted(1 - Math.exp(-1), 1 - Math.exp(-3), 1 - Math.exp(-4)), 3);
    expectClose(point, [1 / 8, 3 / 8, 4 / 8], tolerance.rounding);
    const draw = drawsOf(2);
    // uniform on the simplex of three: the first coordinate is Beta(1, 2), of mean 1/3 and deviation 1/√18
    const { mean, deviation } = moments(range(10_000).map(() => at(simplexOf(draw, 3), 0)));
    expect(Math.abs(mean - 1 / 3)).toBeLessThan(0.01);
    expect(Math.abs(deviation - 1 / Math.sqrt(18))).toBeLessThan(0.01);
  });
});

describe('random MDPs', () => {
  it('have rows of the simplex, then normal rewards, from one stream', () => {
    const sizes = fc.record({
      seed: fc.nat(),
      states: fc.integer({ min: 1, max: 5 }),
      actions: fc.integer({ min: 1, max: 4 }),
      discount: fc.double({ min: 0, max: 0.99, noNaN: true }),
    });
    fc.assert(
      fc.property(sizes, ({ seed, ...size }) => {
        const mdp = randomMdp(drawsOf(seed), size);
        expect(mdp).toMatchObject({ ...size, pairs: size.states * size.actions });
        const draw = drawsOf(seed);
        const rows = range(mdp.pairs).flatMap(() => [...simplexOf(draw, mdp.states)]);
        expect([...mdp.transition]).toEqual(rows);
        expect([...mdp.reward]).toEqual(range(mdp.pairs).map(() => normalOf(draw)));
      }),
    );
  });
});

/** Where every pair may lead: {next state: probability}, without zeros. */
const nextOf = (mdp: ReturnType<typeof chain>, state: number, action: number) =>
  Object.fromEntries(
    range(mdp.states)
      .map((next) => [next, reading(mdp).probability(state, action, next)] as const)
      .filter(([, probability]) => probability > 0),
  );

describe('corridor', () => {
  it('goes left or right in nine tenths of the cases, and stays at its ends', () => {
    const mdp = chain();
    expect([mdp.states, mdp.actions, mdp.discount]).toEqual([6, 2, 0.9]);
    expect(nextOf(mdp, 0, 0)).toEqual({ 0: 1 });
    expect(nextOf(mdp, 0, 1)).toEqual({ 0: 0.1, 1: 0.9 });
    expect(nextOf(mdp, 3, 0)).toEqual({ 2: 0.9, 3: 0.1 });
    expect(nextOf(mdp, 3, 1)).toEqual({ 3: 0.1, 4: 0.9 });
    expect(nextOf(mdp, 5, 0)).toEqual({ 4: 0.9, 5: 0.1 });
    expect(nextOf(mdp, 5, 1)).toEqual({ 5: 1 });
    expect([...mdp.reward]).toEqual([0.2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    expect(chain(3).states).toBe(3);
    expect(nextOf(chain(3), 2, 1)).toEqual({ 2: 1 });
  });

  it('is a trap for greed: the way right is best from everywhere', () => {
    const mdp = chain();
    const policy = greedyPolicy(optimalActionValue(mdp), 2);
    expect([...policy]).toEqual(range(6).flatMap(() => [0, 1]));
  });
});

describe('gridworld', () => {
  const mdp = gridworld();
  const floor = GRID.flatMap((row, y) =>
    [...row].flatMap((mark, x) => (mark === '#' ? [] : [{ mark, x, y }])),
  );
  const at2 = (x: number, y: number) => floor.findIndex((cell) => cell.x === x && cell.y === y);
  const [north, east, south, west] = [0, 1, 2, 3];
  const end = floor.length;

  it('has the cells that are no wall, and an end', () => {
    expect([mdp.states, mdp.actions, mdp.discount]).toEqual([12, 4, 0.9]);
    expect(floor).toHaveLength(11);
  });

  it('does what an action says in eight tenths, and slips to either side in one each', () => {
    const corner = at2(0, 0);
    // north and west are edges
    expectClose(Object.values(nextOf(mdp, corner, north)), [0.9, 0.1], tolerance.rounding);
    expect(Object.keys(nextOf(mdp, corner, north)).map(Number)).toEqual([corner, at2(1, 0)]);
    // into the first of all states, and against the edge
    expect(nextOf(mdp, at2(1, 0), west)).toEqual({ [corner]: 0.8, [at2(1, 0)]: 0.2 });
    const open = at2(2, 1);
    const steps = { north: at2(2, 0), east: at2(3, 1), south: at2(2, 2), west: open };
    // west of it is the wall
    expect(nextOf(mdp, open, north)).toEqual({
      [steps.north]: 0.8,
      [steps.east]: 0.1,
      [open]: 0.1,
    });
    expect(nextOf(mdp, open, east)).toEqual({
      [steps.east]: 0.8,
      [steps.south]: 0.1,
      [steps.north]: 0.1,
    });
    expect(nextOf(mdp, open, south)).toEqual({
      [steps.south]: 0.8,
      [open]: 0.1,
      [steps.east]: 0.1,
    });
    expect(nextOf(mdp, open, west)).toEqual({
      [open]: 0.8,
      [steps.north]: 0.1,
      [steps.south]: 0.1,
    });
  });

  it('ends after the goal and the pit, for good', () => {
    for (const state of [at2(3, 0), at2(3, 1), end]) {
      for (const action of range(4)) expect(nextOf(mdp, state, action)).toEqual({ [end]: 1 });
    }
  });

  it('pays 1 for the goal, nothing for the pit and after the end, 0.04 for every step', () => {
    for (const action of range(4)) {
      const pays = range(12).map((state) => reading(mdp).reward(state, action));
      const expected = [...floor.map(({ mark }) => ({ G: 1, P: 0 })[mark] ?? 0.04), 0];
      expect(pays).toEqual(expected);
    }
  });
});

describe('named MDPs', () => {
  it('are the four of the room, each by its name', () => {
    const made = Object.fromEntries(NAMED_MDPS.map(({ name, make }) => [name, make()]));
    expect(made).toEqual({
      'three-by-two': threeByTwo(),
      chain: chain(),
      gridworld: gridworld(),
      'merl-counterexample': maximumEntropyTrap({
        payoff: 0.9,
        branches: 20,
        miss: 0,
        discount: 0.9,
      }),
    });
    expect(maximumEntropyTrap(TRAP)).toEqual(made['merl-counterexample']);
    for (const { summary } of NAMED_MDPS) expect(summary.length).toBeGreaterThan(20);
  });

  it('have rows that sum to one', () => {
    for (const { make } of NAMED_MDPS) {
      const mdp = make();
      for (const h of range(mdp.pairs)) {
        const sum = sumOver(mdp.states, (next) => at(mdp.transition, h * mdp.states + next));
        expectClose(sum, 1, tolerance.rounding);
      }
    }
  });
});
