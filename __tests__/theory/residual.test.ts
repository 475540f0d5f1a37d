/** The residual error of every target: nested loops, its norms, and the implicit one as the root that it is defined by. */

import { describe, expect, it } from '@jest/globals';
import {
  bellmanResidual,
  bellmanTarget,
  drawsOf,
  evidenceLowerBound,
  findRoot,
  HALF_MEAN_SQUARE,
  implicitResidualError,
  normOf,
  optimalActionValue,
  policyActionValue,
  randomMdp,
  residualError,
  TabularMdp,
  threeByTwo,
  uniformPolicy,
} from '../../src/theory/index.js';
import {
  at,
  type Case,
  expectClose,
  expectError,
  explicitTargets,
  forAllCases,
  halfMeanSquare,
  largest,
  naiveResidual,
  naiveTarget,
  normals,
  range,
  sumOver,
  tolerance,
} from './support.js';

/** F(ε) = ½ mean (T^{π_ε} Q − Q)² − ε by nested loops. */
const excessOf =
  ({ mdp, actionValue }: Pick<Case, 'mdp' | 'actionValue'>) =>
  (temperature: number): number =>
    halfMeanSquare(naiveResidual(mdp, actionValue, { kind: 'annealed', floor: temperature })) -
    temperature;

/** What F rounds with: β² for β of some |Q|. */
const sizeOf = ({ actionValue }: Case, error: number) => error + largest(actionValue) ** 2;

/** r → k r + shift, all else the same. */
const withRewards = (mdp: TabularMdp, factor: number, shift: number) => {
  const { states, actions, discount, transition, reward } = mdp;
  const changed = reward.map((value) => factor * value + shift);
  return new TabularMdp({ states, actions, discount, transition, reward: changed });
};

describe('Bellman residual β_w', () => {
  it('is T_w Q − Q for every explicit target', () => {
    forAllCases((drawn) => {
      const { mdp, actionValue } = drawn;
      for (const target of explicitTargets(drawn)) {
        const expected = naiveTarget(mdp, actionValue, target);
        expectClose(bellmanTarget(mdp, actionValue, target), expected, tolerance.rounding);
        const residual = bellmanResidual(mdp, actionValue, target);
        expectClose(residual, naiveResidual(mdp, actionValue, target), tolerance.rounding);
      }
    });
  });

  it('of the Boltzmann target is that of π_w at its own ε_w', () => {
    forAllCases((drawn) => {
      const { mdp, actionValue } = drawn;
      const temperature = residualError(mdp, actionValue, { kind: 'boltzmann' });
      const got = bellmanResidual(mdp, actionValue, { kind: 'boltzmann' });
      const own = { kind: 'annealed', floor: temperature } as const;
      expectClose(got, naiveResidual(mdp, actionValue, own), tolerance.rounding);
    });
  });
});

describe('residual error ε_w', () => {
  it('is ½ mean β², with the floor of the annealed target added (F.2)', () => {
    expect(HALF_MEAN_SQUARE).toEqual({ power: 2, factor: 1 });
    forAllCases((drawn) => {
      const { mdp, actionValue, temperature } = drawn;
      for (const target of explicitTargets(drawn)) {
        const floor = target.kind === 'annealed' ? temperature : 0;
        const expected = halfMeanSquare(naiveResidual(mdp, actionValue, target)) + floor;
        expectClose(residualError(mdp, actionValue, target), expected, tolerance.rounding);
      }
    });
  });

  it('is (c/p) mean |β|^p in another norm', () => {
    const residual = Float64Array.of(-2, 1, 3);
    expectClose(normOf(residual, { power: 1, factor: 1 }), 2, tolerance.rounding);
    expectClose(normOf(residual, { power: 3, factor: 2 }), (2 / 3) * 12, tolerance.rounding);
    expectClose(normOf(residual), 14 / 6, tolerance.rounding);
    forAllCases((drawn) => {
      const { mdp, actionValue } = drawn;
      const [power, factor] = [1 + 2 * drawn.draw(), 0.1 + drawn.draw()];
      for (const target of explicitTargets(drawn)) {
        const residual = naiveResidual(mdp, actionValue, target);
        const powers = sumOver(mdp.pairs, (h) => Math.abs(at(residual, h)) ** power);
        const floor = target.kind === 'annealed' ? target.floor : 0;
        const expected = ((factor / power) * powers) / mdp.pairs + floor;
        const got = residualError(mdp, actionValue, target, { power, factor });
        expectClose(got, expected, tolerance.rounding);
      }
    });
  });

  it('of the annealed target less its floor is that of T* as ε_k → 0 (T18)', () => {
    forAllCases(({ mdp, actionValue }) => {
      const optimal = residualError(mdp, actionValue, { kind: 'optimal' });
      const cold = residualError(mdp, actionValue, { kind: 'annealed', floor: 1e-300 });
      expectClose(cold, optimal, tolerance.rounding);
    });
  });

  it('is 0 of T* and T^{π_w} at Q*, and of T^π at Q^π', () => {
    forAllCases(({ mdp, policy }) => {
      const optimal = optimalActionValue(mdp);
      const own = policyActionValue(mdp, policy);
      const errors = [
        residualError(mdp, optimal, { kind: 'optimal' }),
        residualError(mdp, optimal, { kind: 'boltzmann' }),
        residualError(mdp, own, { kind: 'variational', policy }),
      ];
      // the square of a rounding of Q
      for (const error of errors) expect(error).toBeLessThan(1e-24 * (1 + largest(optimal) ** 2));
    });
  });

  it('and π_w stay where r grows by k and Q by k/(1 − γ), and L grows by k/((1 − γ)ε) (T27)', () => {
    forAllCases((drawn) => {
      const { mdp, actionValue, policy, stateWeights } = drawn;
      const lift = 3 / (1 - mdp.discount);
      const lifted = actionValue.map((value) => value + lift);
      const moved = withRewards(mdp, 1, 3);
      const targets = [...explicitTargets(drawn), { kind: 'boltzmann' } as const];
      for (const target of targets) {
        const before = residualError(mdp, actionValue, target);
        const after = residualError(moved, lifted, target);
        expectClose(after, before, tolerance.fixedPoint, lift * Math.sqrt(before));
      }
      const temperature = drawn.temperature;
      const bound = { temperature, policy, stateWeights };
      const growth =
        evidenceLowerBound({ ...bound, actionValue: lifted }) -
        evidenceLowerBound({ ...bound, actionValue });
      expectClose(growth, lift / temperature, tolerance.rounding);
    });
  });

  it('is k² times as large where r and Q are, but for T^{π_w} (A25, T28)', () => {
    forAllCases(({ mdp, actionValue, policy }) => {
      const scaled = actionValue.map((value) => 3 * value);
      for (const target of [{ kind: 'optimal' }, { kind: 'variational', policy }] as const) {
        const before = residualError(mdp, actionValue, target);
        const after = residualError(withRewards(mdp, 3, 0), scaled, target);
        expectClose(after, 9 * before, tolerance.rounding);
      }
    });
    const [mdp, actionValue] = [threeByTwo(), Float64Array.of(1, 2, 0.5, 1.2, 2.2, 0.3)];
    const target = { kind: 'boltzmann' } as const;
    const scaled = actionValue.map((value) => 3 * value);
    const ratio =
      residualError(withRewards(mdp, 3, 0), scaled, target) /
      (9 * residualError(mdp, actionValue, target));
    expect(Math.abs(ratio - 1)).toBeGreaterThan(0.1);
  });

  it.each([
    [0.5, 1],
    [Number.NaN, 1],
    [Number.POSITIVE_INFINITY, 1],
    [2, 0],
    [2, -1],
    [2, Number.NaN],
    [2, Number.POSITIVE_INFINITY],
  ])('refuses the norm p = %d, c = %d', (power, factor) => {
    for (const kind of ['optimal', 'boltzmann'] as const) {
      const call = () =>
        residualError(threeByTwo(), new Float64Array(6), { kind }, { power, factor });
      expectError(call, 'NORM_INVALID', 'norm: expected', `got ${power} and ${factor}`);
    }
  });

  it('takes the norms at the edge of what it takes', () => {
    const call = (power: number, factor: number) =>
      residualError(threeByTwo(), new Float64Array(6), { kind: 'optimal' }, { power, factor });
    expectClose(call(1, 1), 5.2 / 6, tolerance.rounding);
    expect(call(2, Number.MIN_VALUE)).toBeGreaterThanOrEqual(0);
  });

  it('names a table that does not fit, for every target', () => {
    const [mdp, policy] = [threeByTwo(), uniformPolicy(threeByTwo())];
    const broken = Float64Array.of(0, 0, Number.NaN, 0, 0, 0);
    for (const target of [{ kind: 'optimal' }, { kind: 'variational', policy }] as const) {
      expectError(() => residualError(mdp, broken, target), 'NOT_FINITE', 'actionValue[2]');
    }
    for (const kind of ['optimal', 'boltzmann'] as const) {
      const call = () => residualError(mdp, new Float64Array(7), { kind });
      expectError(call, 'LENGTH_MISMATCH', 'actionValue: expected 6 values, got 7');
    }
    const frozen = { kind: 'annealed', floor: 0 } as const;
    expectError(() => residualError(mdp, new Float64Array(6), frozen), 'TEMPERATURE_NOT_POSITIVE');
  });
});

describe('implicit residual error of T^{π_w} (E.3, App. C)', () => {
  it('is a root of F, to the last bits (T12)', () => {
    forAllCases((drawn) => {
      const error = implicitResidualError(drawn.mdp, drawn.actionValue);
      const size = sizeOf(drawn, error);
      expect(Math.abs(excessOf(drawn)(error))).toBeLessThanOrEqual(1e-13 * (1 + size));
    });
  });

  it('is a root of F in another norm', () => {
    forAllCases(({ mdp, actionValue }) => {
      const norm = { power: 1, factor: 0.5 };
      const error = residualError(mdp, actionValue, { kind: 'boltzmann' }, norm);
      const own = { kind: 'annealed', floor: error } as const;
      const residual = naiveResidual(mdp, actionValue, own);
      const expected = sumOver(mdp.pairs, (h) => Math.abs(at(residual, h))) / (2 * mdp.pairs);
      expectClose(error, expected, tolerance.rounding);
    });
  });

  it('is the only root for action values of scales 0.5, 2 and 10', () => {
    const grid = range(400).map((i) => 10 ** (-3 + (7 * i) / 399));
    for (const scale of [0.5, 2, 10]) {
      for (const seed of range(20)) {
        const draw = drawsOf(seed);
        const mdp = randomMdp(draw, { states: 3, actions: 2, discount: 0.9 });
        const actionValue = normals(draw, mdp.pairs, scale);
        const signs = grid.map((ε) => Math.sign(excessOf({ mdp, actionValue })(ε)));
        const changes = signs.filter((sign, i) => i > 0 && sign !== signs[i - 1]);
        expect(changes).toEqual([-1]);
      }
    }
  });

  it('is ½ mean (r + γ E Q − Q)² where there is one action, or where γ = 0', () => {
    forAllCases(
      ({ mdp, actionValue, policy }) => {
        const expected = halfMeanSquare(
          naiveResidual(mdp, actionValue, { kind: 'variational', policy }),
        );
        expectClose(implicitResidualError(mdp, actionValue), expected, tolerance.rounding);
      },
      { actions: 1 },
    );
    const { states, actions, transition, reward } = threeByTwo();
    const short = new TabularMdp({ states, actions, transition, reward, discount: 0 });
    // ½ mean r²
    expectClose(implicitResidualError(short, new Float64Array(6)), 7.54 / 12, tolerance.rounding);
  });

  it('may lie above or below the residual error of T*', () => {
    const [mdp, low] = [threeByTwo(), Float64Array.of(1, 2, 0.5, 1.2, 2.2, 0.3)];
    const high = low.map((value) => value + 100);
    const both = (table: Float64Array) => [
      implicitResidualError(mdp, table),
      residualError(mdp, table, { kind: 'optimal' }),
    ];
    const [lowImplicit, lowOptimal] = both(low);
    expect(lowImplicit).toBeLessThan(lowOptimal as number);
    const [highImplicit, highOptimal] = both(high);
    expect(highImplicit).toBeGreaterThan(highOptimal as number);
    for (const actionValue of [low, high]) {
      const error = implicitResidualError(mdp, actionValue);
      expectClose(excessOf({ mdp, actionValue })(error), 0, tolerance.rounding, error);
    }
  });

  it('is exactly 0 where Q = T*Q up to rounding, and the target is that of T*', () => {
    const mdp = threeByTwo();
    const optimal = optimalActionValue(mdp);
    expect(implicitResidualError(mdp, optimal)).toBe(0);
    expect(bellmanTarget(mdp, optimal, { kind: 'boltzmann' })).toEqual(
      bellmanTarget(mdp, optimal, { kind: 'optimal' }),
    );
    const nothing = withRewards(mdp, 0, 0);
    expect(implicitResidualError(nothing, new Float64Array(6))).toBe(0);
  });

  it('is small, and not 0, a little beside Q*', () => {
    const mdp = threeByTwo();
    const optimal = optimalActionValue(mdp);
    for (const off of [1e-3, 1e-6, 1e-9]) {
      const beside = optimal.map((value, h) => value + off * at([1, -1, 0.5, 0.3, -0.7, 0.2], h));
      const error = implicitResidualError(mdp, beside);
      // ε of the path of Theorem 2 is 0.3545 t²
      expect(Math.abs(error / off ** 2 - 0.3545)).toBeLessThan(1e-3);
    }
  });
});

describe('bad input of the residual error', () => {
  const mdp = threeByTwo();

  it('is a target that there is not, from JavaScript', () => {
    const target = { kind: 'soft' } as never;
    for (const call of [
      () => residualError(mdp, new Float64Array(6), target),
      () => bellmanTarget(mdp, new Float64Array(6), target),
    ]) {
      const kinds = 'optimal, boltzmann, annealed, variational';
      expectError(call, 'KIND_UNKNOWN', `target.kind: expected one of ${kinds}`, 'got soft');
    }
  });

  it('is one whose square is no number', () => {
    const huge = new Float64Array(6).fill(1e200);
    for (const kind of ['optimal', 'boltzmann'] as const) {
      const call = () => residualError(mdp, huge, { kind });
      expectError(call, 'NOT_FINITE', 'residual error: expected a finite number, got Infinity');
    }
    expectError(() => normOf(Float64Array.of(Number.NaN)), 'NOT_FINITE', 'got NaN');
  });

  it('is a norm of the implicit one, too', () => {
    const call = () => implicitResidualError(mdp, new Float64Array(6), { power: 0, factor: 1 });
    expectError(call, 'NORM_INVALID', 'norm: expected', 'got 0 and 1');
  });
});

describe('several roots of F', () => {
  it('are there at Q* of rewards times 30, and 0 is the one that is taken', () => {
    const mdp = withRewards(threeByTwo(), 30, 0);
    const actionValue = optimalActionValue(mdp);
    const grid = range(300).map((i) => 10 ** (-2 + (5 * i) / 299));
    const excess = excessOf({ mdp, actionValue });
    const brackets = grid
      .slice(1)
      .map((above, i) => [at(grid, i), above] as const)
      .filter(([below, above]) => excess(below) * excess(above) < 0);
    const roots = brackets.map(([below, above]) => findRoot(excess, below, above));
    expect(roots.map((root) => root.toFixed(1))).toEqual(['54.3', '147.4']);
    expect(implicitResidualError(mdp, actionValue)).toBe(0);
  });
});

describe('the root finder', () => {
  it('ends at neighbouring numbers of the root, from either side', () => {
    const f = (x: number) => 2 - x ** 2;
    expect(Math.abs(findRoot(f, 1, 2) - Math.SQRT2)).toBeLessThanOrEqual(2 ** -51);
    expect(Math.abs(findRoot(f, 2, 1) - Math.SQRT2)).toBeLessThanOrEqual(2 ** -51);
    expect(findRoot((x) => 0.75 - x, 0.75, 2)).toBe(0.75);
    const steep = findRoot((x) => (x > 0.3 ? -1 : 1), 0, 1);
    expect(Math.abs(steep - 0.3)).toBeLessThanOrEqual(2 ** -52);
  });

  it.each([
    ['e⁻ˣ − x', (x: number) => Math.exp(-x) - x, 0, 1, 7],
    ['x³ − 2', (x: number) => x ** 3 - 2, 0, 3, 10],
    ['x³ − 2 from above', (x: number) => x ** 3 - 2, 3, 0, 10],
    ['2 − x²', (x: number) => 2 - x ** 2, 1, 2, 8],
    ['an arctangent', (x: number) => 5 * Math.atan(x - 0.3), -4, 9, 12],
    ['a bend', (x: number) => 1 / (1 + Math.exp(20 * (x - 0.7))) - x, 0, 2, 11],
    ['√x − 1e-3', (x: number) => Math.sqrt(x) - 1e-3, 0, 1, 7],
    // as many as halving needs, where interpolation does not help
    ['(x − 1)⁹', (x: number) => (x - 1) ** 9, 0, 3, 54],
    ['a step', (x: number) => (x > 0.3 ? -1 : 1), 0, 1, 54],
  ])('finds that of %s in few evaluations', (_, f, start, end, evaluations) => {
    let calls = 0;
    const counted = (x: number) => {
      calls += 1;
      // two more, since exp and atan round by the platform
      if (calls > evaluations + 2) throw new Error(`more than ${evaluations} evaluations`);
      return f(x);
    };
    const root = findRoot(counted, start, end);
    expect(f(root * (1 - 1e-13)) * f(root * (1 + 1e-13))).toBeLessThanOrEqual(0);
  });
});
