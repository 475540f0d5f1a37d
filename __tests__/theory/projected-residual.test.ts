/** The projected residual (F.1): least squares by their optimality, gradients by differences, two time scales by their objective. */

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  type Approximator,
  alongRows,
  auxiliaryWeights,
  bellmanResidual,
  drawsOf,
  linearApproximator,
  ontoBall,
  projectedGradientAt,
  projectedResidualError,
  projectedResidualGradient,
  projection,
  pullBack,
  residualError,
  residualErrorGradient,
  tabularApproximator,
  tanhApproximator,
  threeByTwo,
  twoTimescaleStep,
  uniformPolicy,
} from '../../src/theory/index.js';
import {
  at,
  type Case,
  differences,
  errorOf,
  expectClose,
  expectError,
  expectGradient,
  explicitTargets,
  forAllCases,
  halfMeanSquare,
  isSmooth,
  largest,
  naiveResidual,
  normals,
  range,
  solveLinear,
  sumOver,
  tolerance,
} from './support.js';

type Explicit = ReturnType<typeof explicitTargets>[number];

/** Features of fewer columns than there are pairs. */
interface Drawn extends Case {
  features: Float64Array;
  parameters: number;
}

/** Cases with at least two pairs and a well-conditioned b `[N, P]`. */
const forAllFeatures = (check: (drawn: Drawn) => void, runs = 100) =>
  forAllCases(
    (drawn) => {
      const { mdp, draw } = drawn;
      const parameters = 1 + Math.floor(draw() * Math.min(3, mdp.pairs - 1));
      const features = normals(draw, mdp.pairs * parameters);
      if (isWellConditioned(features, parameters)) check({ ...drawn, features, parameters });
    },
    { fewest: 2, runs },
  );

/** The part of each column that those before it leave, by Gram and Schmidt, is no less than a twentieth. */
function isWellConditioned(features: Float64Array, parameters: number): boolean {
  const columns = range(parameters).map((i) =>
    features.filter((_, entry) => entry % parameters === i),
  );
  const basis: Float64Array[] = [];
  return columns.every((column) => {
    let rest = column;
    for (const unit of basis) {
      const part = inner(unit, rest);
      rest = rest.map((value, h) => value - part * at(unit, h));
    }
    const length = Math.sqrt(inner(rest, rest));
    basis.push(rest.map((value) => value / length));
    return length > 0.05 * Math.sqrt(inner(column, column)) && length > 0.05;
  });
}

const inner = (left: Float64Array, right: Float64Array) =>
  sumOver(left.length, (i) => at(left, i) * at(right, i));

/** Approximators of a case, each with parameters: linear ones and, where b has rank, the one with a tanh. */
function approximators({ mdp, features, parameters, draw }: Drawn): [Approximator, Float64Array][] {
  const linear = linearApproximator(features, parameters);
  const curved = tanhApproximator(mdp.states, mdp.actions);
  const w = normals(draw, 3, 0.5);
  const hasRank = mdp.states > 1 && isWellConditioned(curved.gradient(w), 3);
  return [
    [linear, normals(draw, parameters)],
    ...(hasRank ? [[curved, w] as [Approximator, Float64Array]] : []),
  ];
}

/** Every approximator and every target of a case that is smooth there. */
const forAllProjections = (
  check: (drawn: Drawn, q: Approximator, w: Float64Array, target: Explicit) => void,
) =>
  forAllFeatures((drawn) => {
    for (const [q, w] of approximators(drawn)) {
      for (const target of explicitTargets(drawn)) {
        if (target.kind !== 'optimal' || isSmooth(drawn.mdp, q.values(w)))
          check(drawn, q, w, target);
      }
    }
  });

/** E[bbᵀ] and E[βb] by loops, and the solution of the system. */
function naiveWeights(features: Float64Array, parameters: number, table: Float64Array): number[] {
  const b = (h: number, i: number) => at(features, h * parameters + i);
  const mean = (term: (h: number) => number) => sumOver(table.length, term) / table.length;
  const covariance = range(parameters).map((i) =>
    range(parameters).map((j) => mean((h) => b(h, i) * b(h, j))),
  );
  return solveLinear(
    covariance,
    range(parameters).map((i) => mean((h) => b(h, i) * at(table, h))),
  );
}

describe('auxiliary weights ζ (32)', () => {
  it('solve E[bbᵀ] ζ = E[βb]', () => {
    forAllFeatures(({ features, parameters, actionValue }) => {
      const expected = naiveWeights(features, parameters, actionValue);
      expectClose(auxiliaryWeights(features, actionValue), expected, tolerance.condition);
    });
  });

  it('are those of least squares: moved, they leave more', () => {
    forAllFeatures(({ features, actionValue, draw }) => {
      const best = auxiliaryWeights(features, actionValue);
      const left = (weights: Float64Array) => {
        const along = alongRows(features, weights);
        return halfMeanSquare(actionValue.map((value, h) => value - at(along, h)));
      };
      for (const step of [0.1, -0.1]) {
        const moved = best.map((value) => value + step * (1 + draw()));
        expect(left(moved)).toBeGreaterThan(left(best));
      }
      expectClose(
        differences(left, best),
        best.map(() => 0),
        tolerance.finiteDifference,
        left(best),
      );
    });
  });

  it('are the table itself where b is the identity', () => {
    const q = tabularApproximator(4);
    const table = Float64Array.of(3, -1, 0.5, 2);
    expectClose(auxiliaryWeights(q.gradient(table), table), table, tolerance.rounding);
  });
});

describe('projection P_w', () => {
  it('is bᵀ E[bbᵀ]⁻¹ E[bf]: twice is once, b stays, what is left is orthogonal (T15)', () => {
    forAllFeatures(({ features, parameters, actionValue, policy }) => {
      const once = projection(features, actionValue);
      const scale = largest(actionValue);
      expectClose(projection(features, once), once, tolerance.condition, scale);
      const rest = actionValue.map((value, h) => value - at(once, h));
      const zero = new Float64Array(parameters);
      expectClose(pullBack(features, rest), zero, tolerance.condition, scale);
      for (const i of range(parameters)) {
        const column = features.filter((_, entry) => entry % parameters === i);
        expectClose(projection(features, column), column, tolerance.condition);
      }
      const other = inner(policy, once) - inner(projection(features, policy), actionValue);
      expectClose(other, 0, tolerance.condition, scale);
    });
  });

  it.each([
    ['a column of zeros', [0, 1, 0, 2, 0, 3], 0],
    ['the same column twice', [1, 1, 2, 2, 5, 5], 1],
    ['more columns than rows', [1, 2, 3, 4, 5, 6], -1],
    ['a column and nearly the same', [1, 1, 2, 2, 5, 5 + 1e-7], 1],
  ])('has no inverse with %s, and names the column', (_, entries, column) => {
    const rows = column < 0 ? 2 : 3;
    const call = () => auxiliaryWeights(Float64Array.from(entries), new Float64Array(rows));
    const named = column < 0 ? 2 : column;
    expectError(call, 'FEATURES_SINGULAR', `column ${named} depends on those before it`);
    expect(errorOf(call)).toMatchObject({ where: `features, column ${named}` });
  });

  it('names an entry that is not finite', () => {
    const [one, broken] = [Float64Array.of(1, 2, 3), Float64Array.of(1, Number.NaN, 3)];
    expectError(() => auxiliaryWeights(broken, one), 'NOT_FINITE', 'gradient[1]', 'NaN');
    expectError(() => auxiliaryWeights(one, broken), 'NOT_FINITE', 'table[1]', 'NaN');
  });

  it('has an inverse where columns are small, or nearly but not quite the same', () => {
    const [one, other] = [Float64Array.of(1, 1, 2, 2, 5, 5 + 1e-4), Float64Array.of(1, 2, 5)];
    expectClose(auxiliaryWeights(one, other), [1, 0], { value: 1e-4 });
    const scales = Float64Array.of(1, 3e-9, 2, 1e-9, 5, 2e-9);
    expectClose(projection(scales, Float64Array.of(1, 2, 5)), [1, 2, 5], tolerance.rounding);
    const small = Float64Array.of(1e-9, 2e-9, 3e-9);
    expectClose(auxiliaryWeights(small, small), [1], tolerance.rounding);
  });
});

describe('projected residual error ε_P (33)', () => {
  it('is ½ E[βb]ᵀ ζ = ½ mean (P_w β)², and never more than ε_w (T15)', () => {
    forAllProjections(({ mdp }, q, w, target) => {
      const got = projectedResidualError(mdp, q, w, target);
      const residual = naiveResidual(mdp, q.values(w), target);
      const weights = naiveWeights(q.gradient(w), q.parameters, residual);
      const moments = pullBack(q.gradient(w), residual).map((value) => value / mdp.pairs);
      expectClose(got, inner(moments, Float64Array.from(weights)) / 2, tolerance.condition);
      expect(got).toBeLessThanOrEqual(halfMeanSquare(residual) * (1 + 1e-9));
    });
  });

  it('is ε_w where every table can be represented', () => {
    forAllCases((drawn) => {
      const { mdp, actionValue } = drawn;
      const q = tabularApproximator(mdp.pairs);
      for (const target of explicitTargets(drawn)) {
        const error = halfMeanSquare(naiveResidual(mdp, actionValue, target));
        expectClose(projectedResidualError(mdp, q, actionValue, target), error, tolerance.rounding);
        const got = projectedResidualGradient(mdp, q, actionValue, target);
        expectClose(got, residualErrorGradient(mdp, actionValue, target), tolerance.rounding);
      }
    });
  });

  it('takes the Boltzmann target, whose gradient needs Theorem 4', () => {
    const [mdp, q, w] = [threeByTwo(), tanhApproximator(3, 2), Float64Array.of(3, 0.4, -0.5)];
    const target = { kind: 'boltzmann' } as const;
    const error = projectedResidualError(mdp, q, w, target);
    expect(error).toBeGreaterThan(0);
    expect(error).toBeLessThan(residualError(mdp, q.values(w), target));
    expectError(() => projectedResidualGradient(mdp, q, w, target), 'TARGET_IMPLICIT');
  });

  it('has the gradient E[(∇β)(bᵀζ)] + E[(β − bᵀζ)(∇²Q)ζ] (F.1, T16)', () => {
    forAllProjections(({ mdp }, q, w, target) => {
      const got = projectedResidualGradient(mdp, q, w, target);
      const error = (moved: Float64Array) => projectedResidualError(mdp, q, moved, target);
      const expected = differences(error, w);
      // a projection of features that are a twentieth apart magnifies the roundings of β
      const scale = 100 * halfMeanSquare(bellmanResidual(mdp, q.values(w), target));
      expectClose(got, expected, tolerance.finiteDifference, scale);
    });
  });
});

/** E[β bᵀζ] − ½ E[(bᵀζ)²], whose maximum over ζ is ε_P: both updates are its gradients. */
const objective =
  (mdp: Case['mdp'], q: Approximator, target: Explicit) =>
  (w: Float64Array, weights: Float64Array): number => {
    const residual = naiveResidual(mdp, q.values(w), target);
    const b = q.gradient(w);
    return (
      sumOver(mdp.pairs, (h) => {
        const along = sumOver(q.parameters, (i) => at(b, h * q.parameters + i) * at(weights, i));
        return at(residual, h) * along - along ** 2 / 2;
      }) / mdp.pairs
    );
  };

describe('two time scales (34), (35)', () => {
  it('step w along the gradient at the present ζ, both terms inside α_w (A20)', () => {
    forAllProjections(({ mdp, draw }, q, w, target) => {
      const weights = normals(draw, q.parameters);
      const got = projectedGradientAt(mdp, q, w, weights, target);
      expectGradient(got, (moved) => objective(mdp, q, target)(moved, weights), w);
    });
  });

  it('step both from the same w and ζ: w down and ζ up the same objective', () => {
    forAllProjections(({ mdp, draw }, q, w, target) => {
      const weights = normals(draw, q.parameters);
      const value = objective(mdp, q, target);
      const [valueStep, auxiliaryStep, radius] = [0.3, 0.7, 1e6];
      const sizes = { valueStep, auxiliaryStep, radius };
      const next = twoTimescaleStep(mdp, q, { parameters: w, weights }, target, sizes);
      const down = differences((moved) => value(moved, weights), w);
      const up = differences((moved) => value(w, moved), weights);
      const scale = Math.abs(value(w, weights));
      const { finiteDifference } = tolerance;
      expectClose(
        next.parameters,
        w.map((x, i) => x - 0.3 * at(down, i)),
        finiteDifference,
        scale,
      );
      expectClose(
        next.weights,
        weights.map((x, i) => x + 0.7 * at(up, i)),
        finiteDifference,
        scale,
      );
    });
  });

  it('rest where ζ = ζ_w and ε_P has no slope', () => {
    const mdp = threeByTwo();
    const q = linearApproximator(Float64Array.of(1, 0, 1, 1, 1, 0, 1, 1, 1, 0, 1, 1), 2);
    const target = { kind: 'variational', policy: uniformPolicy(mdp) } as const;
    // the projected fixed point: E[βb] = 0 is linear in w
    const moments = (w: number[]) =>
      pullBack(
        q.gradient(new Float64Array(2)),
        naiveResidual(mdp, q.values(Float64Array.from(w)), target),
      );
    const origin = moments([0, 0]);
    const columns = [moments([1, 0]), moments([0, 1])];
    const system = [0, 1].map((i) => columns.map((column) => at(column, i) - at(origin, i)));
    const w = Float64Array.from(
      solveLinear(
        system,
        [...origin].map((value) => -value),
      ),
    );
    const weights = new Float64Array(2);
    const sizes = { valueStep: 0.5, auxiliaryStep: 0.5, radius: 100 };
    const next = twoTimescaleStep(mdp, q, { parameters: w, weights }, target, sizes);
    expectClose(next.parameters, w, tolerance.rounding);
    expectClose(next.weights, weights, tolerance.rounding);
    expectClose(projectedResidualError(mdp, q, w, target), 0, tolerance.rounding);
    expect(residualError(mdp, q.values(w), target)).toBeGreaterThan(1e-3);
  });

  it('bring w back onto its ball, by the shortest way', () => {
    const [inside, outside] = [Float64Array.of(3, 4), Float64Array.of(6, 8)];
    expect(ontoBall(inside, 5)).toEqual(inside);
    expectClose(ontoBall(outside, 5), [3, 4], tolerance.rounding);
    const mdp = threeByTwo();
    const [q, start] = [
      tabularApproximator(6),
      { parameters: new Float64Array(6).fill(50), weights: new Float64Array(6) },
    ];
    const step = { valueStep: 0.1, auxiliaryStep: 0.1, radius: 2 };
    const target = { kind: 'optimal' } as const;
    const { parameters } = twoTimescaleStep(mdp, q, start, target, step);
    expectClose(Math.sqrt(inner(parameters, parameters)), 2, tolerance.rounding);
  });

  it('project any point to the nearest one of the ball', () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const draw = drawsOf(seed);
        const point = normals(draw, 3, 5);
        const projected = ontoBall(point, 2);
        const apart = (other: Float64Array) =>
          inner(
            other.map((value, i) => value - at(point, i)),
            other.map((value, i) => value - at(point, i)),
          );
        const other = ontoBall(normals(draw, 3, 5), 2);
        expect(apart(projected)).toBeLessThanOrEqual(apart(other) + 1e-12);
      }),
    );
  });
});
