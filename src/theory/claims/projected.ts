/** Appendix F.1: the projected residual and its two time scales. */

import { linearApproximator, tanhApproximator } from '../approximator.js';
import { normalOf, threeByTwo } from '../examples.js';
import {
  auxiliaryWeights,
  projectedResidualError,
  projectedResidualGradient,
  projection,
  twoTimescaleStep,
} from '../projected-residual.js';
import { residualError, type Target } from '../residual.js';
import { uniformPolicy } from '../tabular-mdp.js';
import {
  difference,
  failures,
  type NumericClaim,
  type Situation,
  WHY,
  worst,
  worstOverSituations,
} from './claim.js';
import { gradientBy, jacobianBy } from './independent/difference.js';
import { eliminate, leastSquares } from './independent/linear.js';
import {
  boltzmann,
  evenPolicy,
  flat,
  minus,
  type NestedMdp,
  nest,
  nestedMdp,
  optimalBackup,
  policyBackup,
  sum,
  type Table,
} from './independent/nested.js';

/** Q_w(s, a) = w0 + w1 a + 2 tanh(w2 (s − c) + a/2), literally. */
const curved = (w: readonly number[], states: number, actions: number): Table =>
  Array.from({ length: states }, (_, s) =>
    Array.from(
      { length: actions },
      (_, a) =>
        (w[0] as number) +
        (w[1] as number) * a +
        2 * Math.tanh((w[2] as number) * (s - (states - 1) / 2) + a / 2),
    ),
  );

/** A w where the three columns of b are well apart. */
function weightsOf({ draw }: Situation): Float64Array {
  return Float64Array.of(2 * normalOf(draw), normalOf(draw), 0.3 + draw());
}

type Residual = (nested: NestedMdp, q: Table) => number[];

/** The explicit targets and their residuals, by definition. */
function targetsFor({ mdp, temperature }: Situation): { target: Target; residual: Residual }[] {
  const uniform = evenPolicy(nestedMdp(mdp));
  return [
    { target: { kind: 'optimal' }, residual: (m, q) => flat(minus(optimalBackup(m, q), q)) },
    {
      target: { kind: 'annealed', floor: temperature },
      residual: (m, q) => flat(minus(policyBackup(m, q, boltzmann(q, temperature)), q)),
    },
    {
      target: { kind: 'variational', policy: uniformPolicy(mdp) },
      residual: (m, q) => flat(minus(policyBackup(m, q, uniform), q)),
    },
  ];
}

/** b by differences of the literal Q_w, `[N][3]`. */
const slopes = (w: ArrayLike<number>, states: number, actions: number): number[][] =>
  jacobianBy((x) => flat(curved(x, states, actions)), w);

/** b by its formula; differences of differences would lose their digits. */
const exactSlopes = (w: readonly number[], states: number, actions: number): number[][] =>
  Array.from({ length: states * actions }, (_, h) => {
    const [s, a] = [Math.floor(h / actions) - (states - 1) / 2, h % actions];
    return [1, a, (2 * s) / Math.cosh((w[2] as number) * s + a / 2) ** 2];
  });

/** ½ mean (b x)² with x the least squares of β: (33), by orthogonal columns. */
function literalProjectedError(
  b: readonly (readonly number[])[],
  residual: readonly number[],
): number {
  const x = leastSquares(b, residual);
  return (
    sum(b.map((row) => sum(row.map((value, i) => value * (x[i] as number))) ** 2)) / (2 * b.length)
  );
}

interface Given {
  situation: Situation;
  w: Float64Array;
  nested: NestedMdp;
  states: number;
  actions: number;
}

const overProjections = (measure: (given: Given) => number) =>
  worstOverSituations((situation) => {
    const { mdp } = situation;
    const { states, actions } = mdp;
    return measure({ situation, w: weightsOf(situation), nested: nestedMdp(mdp), states, actions });
  });

/** ∇ε_P of the tanh approximator against differences of the least-squares error. */
function curvedGradientError({ situation, w, nested, states, actions }: Given): number {
  const approximator = tanhApproximator(states, actions);
  return worst(
    targetsFor(situation).map(({ target, residual }) =>
      difference(
        projectedResidualGradient(situation.mdp, approximator, w, target),
        gradientBy((x) => {
          const beta = residual(nested, curved(x, states, actions));
          return literalProjectedError(exactSlopes(x, states, actions), beta);
        }, w),
      ),
    ),
  );
}

/** ∇ε_P of a linear Q_w = bᵀw, random features, against differences; there the term with the Hessian is zero. */
function linearGradientError({ situation, nested }: Given): number {
  const { mdp } = situation;
  const features = Float64Array.from({ length: 3 * mdp.pairs }, () => normalOf(situation.draw));
  const rows = nest(features, 3);
  const valuesAt = (x: readonly number[]) =>
    nest(
      rows.map((row) => sum(row.map((value, i) => value * (x[i] as number)))),
      mdp.actions,
    );
  const w = Float64Array.from({ length: 3 }, () => normalOf(situation.draw));
  return worst(
    targetsFor(situation).map(({ target, residual }) =>
      difference(
        projectedResidualGradient(mdp, linearApproximator(features, 3), w, target),
        gradientBy((x) => literalProjectedError(rows, residual(nested, valuesAt(x))), w),
      ),
    ),
  );
}

/** w and ζ of one expected update and what it should be: differences of E[βj − ½ j²] by w and by ζ. */
function expectedUpdate({ situation, w, nested, states, actions }: Given) {
  const { mdp } = situation;
  const policy = uniformPolicy(mdp);
  const zeta = Float64Array.from({ length: 3 }, () => normalOf(situation.draw));
  const table = evenPolicy(nested);
  const surrogate = (x: readonly number[], z: ArrayLike<number>) => {
    const q = curved(x, states, actions);
    const residual = flat(minus(policyBackup(nested, q, table), q));
    const along = exactSlopes(x, states, actions).map((row) =>
      sum(row.map((value, i) => value * (z[i] as number))),
    );
    return sum(along.map((j, h) => (residual[h] as number) * j - 0.5 * j * j)) / along.length;
  };
  const step = { valueStep: 0.2, auxiliaryStep: 0.7, radius: 1e6 };
  const next = twoTimescaleStep(
    mdp,
    tanhApproximator(states, actions),
    { parameters: w, weights: zeta },
    { kind: 'variational', policy },
    step,
  );
  return {
    next,
    step,
    zeta,
    byParameters: gradientBy((x) => surrogate(x, zeta), w),
    byWeights: gradientBy((z) => surrogate([...w], z), zeta),
  };
}

/** The golden MDP under T^uniform, from the two golden starts, for 8,000 expected updates. */
function projectedErrorAfter(start: readonly number[], stepsAt: (update: number) => Steps): number {
  const mdp = threeByTwo();
  const approximator = tanhApproximator(3, 2);
  const target = { kind: 'variational', policy: uniformPolicy(mdp) } as const;
  let state = { parameters: Float64Array.from(start), weights: new Float64Array(3) };
  for (let update = 0; update < 8000; update++) {
    const sizes = { ...stepsAt(update), radius: 100 };
    state = twoTimescaleStep(mdp, approximator, state, target, sizes) as typeof state;
  }
  const b = exactSlopes([...state.parameters], 3, 2);
  const q = curved([...state.parameters], 3, 2);
  const nested = nestedMdp(mdp);
  const uniform = evenPolicy(nested);
  return literalProjectedError(b, flat(minus(policyBackup(nested, q, uniform), q)));
}

/** α_w and α_ζ of an update. */
interface Steps {
  valueStep: number;
  auxiliaryStep: number;
}

/** Constant steps, ζ so many times as fast as w. */
const constant = (ratio: number) => () => ({ valueStep: 0.2, auxiliaryStep: 0.2 * ratio });

/** Steps whose sums diverge and whose squares converge, α_w/α_ζ → 0. */
const decaying = (update: number): Steps => ({
  valueStep: 0.3 / (1 + update / 1000) ** 0.9,
  auxiliaryStep: 0.9 / (1 + update / 1000) ** 0.6,
});

const STARTS = [
  [0, 0, 1],
  [3, 0, -0.5],
] as const;

export const projectedClaims: readonly NumericClaim[] = [
  {
    id: 'equation-32',
    statement: 'The weights that fit a table best by the gradient b_w are E[bbᵀ]^{-1} E[b Q].',
    source: 'App. F.1, (32)',
    tolerance: 1e-12,
    why: 'E[bbᵀ] has a condition below 1e3 here, so that some 1e-13 is left of two solves',
    measure: () =>
      overProjections(({ situation, w, states, actions }) => {
        const b = tanhApproximator(states, actions).gradient(w);
        return difference(
          auxiliaryWeights(b, situation.actionValue),
          leastSquares(exactSlopes([...w], states, actions), [...situation.actionValue]),
        );
      }),
    derivation: [
      'Near w the approximator is linear, Q_{w+v} ≈ Q_w + bᵀv. The point of that tangent space nearest to a table Q minimises E[(Q − bᵀw′)²]; its normal equations are E[bbᵀ] w′ = E[b Q].',
      'With β_w in the place of Q they give ζ_w, the auxiliary weights. The check solves the least squares by orthogonal columns instead.',
    ],
    uses: ['auxiliaryWeights'],
  },
  {
    id: 'projection',
    statement:
      'P_w is a projection: applied twice it is applied once, and what it leaves is orthogonal to b_w.',
    source: 'App. F.1, the operator after (32)',
    tolerance: 1e-12,
    why: 'E[bbᵀ] has a condition below 1e3 here, so that some 1e-13 is left of two solves',
    measure: () =>
      overProjections(({ situation, w, states, actions }) => {
        const b = tanhApproximator(states, actions).gradient(w);
        const once = projection(b, situation.actionValue);
        const left = situation.actionValue.map((value, h) => value - (once[h] as number));
        const rows = exactSlopes([...w], states, actions);
        const moments = [0, 1, 2].map((i) =>
          sum(rows.map((row, h) => (row[i] as number) * (left[h] as number))),
        );
        return worst([difference(projection(b, once), once), difference(moments, [0, 0, 0])]);
      }),
    derivation: [
      'P_w f = bᵀ E[bbᵀ]^{-1} E[b f]. P P = P since E[bbᵀ] cancels its inverse; f − P f has E[b (f − P f)] = 0. For linear Q_w it does not depend on w.',
    ],
    uses: ['projection'],
  },
  {
    id: 'equation-33',
    statement: '2 ε_P = E[βb]ᵀ E[bbᵀ]^{-1} E[βb] = mean (P_w β)², and ε_P is never more than ε_w.',
    source: 'App. F.1, (33) and the display before (34)',
    tolerance: 1e-12,
    why: 'E[bbᵀ] has a condition below 1e3 here, so that some 1e-13 is left of two solves',
    measure: () =>
      overProjections(({ situation, w, nested, states, actions }) => {
        const q = curved([...w], states, actions);
        const approximator = tanhApproximator(states, actions);
        return worst(
          targetsFor(situation).map(({ target, residual }) => {
            const beta = residual(nested, q);
            const b = exactSlopes([...w], states, actions);
            const got = projectedResidualError(situation.mdp, approximator, w, target);
            const gram = [0, 1, 2].map((i) =>
              [0, 1, 2].map(
                (j) => sum(b.map((row) => (row[i] as number) * (row[j] as number))) / b.length,
              ),
            );
            const moment = [0, 1, 2].map(
              (i) => sum(b.map((row, h) => (row[i] as number) * (beta[h] as number))) / b.length,
            );
            const solved = eliminate(gram, moment);
            const quadratic = sum(moment.map((value, i) => value * (solved[i] as number))) / 2;
            const whole = sum(beta.map((value) => value * value)) / (2 * beta.length);
            return worst([
              difference(got, literalProjectedError(b, beta)),
              difference(got, quadratic),
              Math.max(0, got - whole - 1e-12 * whole),
            ]);
          }),
        );
      }),
    derivation: [
      'Without Assumption 2 no Q_w may solve its Bellman equation, and ε_w has no zero. Its projection has one: it asks only that E[β b] = 0, the TD fixed point.',
      'Put ζ_w = E[bbᵀ]^{-1} E[βb] into ½ mean (bᵀζ)²: ½ ζᵀ E[bbᵀ] ζ = ½ E[βb]ᵀ ζ. A projection is never longer than what it projects.',
    ],
    uses: ['projectedResidualError'],
  },
  {
    id: 'projected-residual-gradient',
    statement: '∇ε_P = E[(∇β)(bᵀζ)] + E[(β − bᵀζ)(∇²Q_w)ζ], exactly, for every explicit target.',
    source: 'App. F.1, the display before (34)',
    tolerance: 1e-9,
    why: WHY.finiteDifference,
    measure: () =>
      overProjections((given) => worst([curvedGradientError(given), linearGradientError(given)])),
    derivation: [
      'ε_P(w) = max_ζ E[β (bᵀζ) − ½ (bᵀζ)²]: a maximum over ζ, reached at ζ_w. By the envelope theorem its gradient is that of the bracket at fixed ζ: β moves, (∇β)(bᵀζ), and so does b, with ∇(bᵀζ) = (∇²Q_w) ζ.',
      'For linear Q_w the second term is zero and what is left is GTD2. The term with the Hessian costs as much as a gradient, by one derivative of bᵀζ.',
      'The check differentiates the least-squares error itself, for T*, T_{w,k} and T^π, with the curved approximator and with a linear one of random features.',
    ],
    uses: ['projectedResidualGradient', 'linearApproximator', 'tanhApproximator'],
  },
  {
    id: 'hessian-vector-product',
    statement: '(∇²Q_w) ζ is the derivative of b_w along ζ.',
    source: "App. F.1, Pearlmutter's method",
    tolerance: 1e-9,
    why: WHY.finiteDifference,
    measure: () =>
      overProjections(({ situation, w, states, actions }) => {
        const direction = Float64Array.from({ length: 3 }, () => normalOf(situation.draw));
        const got = tanhApproximator(states, actions).curvature(w, direction);
        const along = jacobianBy(
          (t) =>
            exactSlopes(
              [...w].map((x, i) => x + (t[0] as number) * (direction[i] as number)),
              states,
              actions,
            ).flat(),
          [0],
        );
        return worst([
          difference(got, along.flat()),
          difference(
            tanhApproximator(states, actions).gradient(w),
            slopes(w, states, actions).flat(),
          ),
        ]);
      }),
    derivation: [
      'The product of a Hessian with a vector needs no Hessian: it is the derivative of b_{w + tζ} by t at 0.',
      'The check differentiates the gradient along random directions, and the values for the gradient.',
    ],
    uses: ['tanhApproximator'],
  },
  {
    id: 'equation-34',
    statement: 'ζ ← ζ + α_ζ (β − bᵀζ) b is a step towards ζ_w: descent on ½ E[(β − bᵀζ)²].',
    source: 'App. F.1, (34)',
    tolerance: 1e-9,
    why: WHY.finiteDifference,
    measure: () =>
      overProjections((given) => {
        const { next, step, zeta, byWeights } = expectedUpdate(given);
        return difference(
          next.weights,
          byWeights.map((slope, i) => (zeta[i] as number) + step.auxiliaryStep * slope),
        );
      }),
    derivation: [
      'The gradient of E[β (bᵀζ) − ½ (bᵀζ)²] by ζ is E[(β − bᵀζ) b]: zero at ζ_w, and a sample of it needs neither the matrix E[bbᵀ] nor its inverse.',
      'The check compares the expected update with differences of that surrogate by ζ.',
    ],
    uses: ['twoTimescaleStep'],
  },
  {
    id: 'equation-35',
    statement: 'w ← P(w + α_w [(b − γb′)(bᵀζ) − q]), q = (β − bᵀζ)(∇²Q_w)ζ, both terms inside α_w.',
    source: 'App. F.1, (35)',
    tolerance: 1e-9,
    why: WHY.finiteDifference,
    measure: () =>
      overProjections((given) => {
        const { next, step, byParameters } = expectedUpdate(given);
        return difference(
          next.parameters,
          byParameters.map((slope, i) => (given.w[i] as number) - step.valueStep * slope),
        );
      }),
    printed: {
      statement: 'w ← P(w + α_w (b − γb′)(bᵀζ) − q), the second term outside the step size',
      measure: () =>
        overProjections((given) => {
          const { w, nested, states, actions } = given;
          const { step, zeta, byParameters } = expectedUpdate(given);
          const along = (x: readonly number[]) =>
            exactSlopes(x, states, actions).map((row) =>
              sum(row.map((value, i) => value * (zeta[i] as number))),
            );
          const table = curved([...w], states, actions);
          const beta = flat(minus(policyBackup(nested, table, evenPolicy(nested)), table));
          const left = along([...w]).map((j, h) => ((beta[h] as number) - j) / beta.length);
          const curvature = jacobianBy(along, w);
          const q = [0, 1, 2].map((i) =>
            sum(curvature.map((row, h) => (left[h] as number) * (row[i] as number))),
          );
          const corrected = byParameters.map(
            (slope, i) => (w[i] as number) - step.valueStep * slope,
          );
          const printed = corrected.map(
            (value, i) => value - (1 - step.valueStep) * (q[i] as number),
          );
          return difference(printed, corrected);
        }),
    },
    derivation: [
      'b − γb′ is −∇β of one transition. The bracket is −∇ε_P at the current ζ, so that w descends (33). With q outside the step size the update would not shrink with α_w, and would not be a step on (33) at all.',
      'P keeps w in a ball that holds all solutions; it never acts near them.',
    ],
    uses: ['twoTimescaleStep'],
  },
  {
    id: 'two-timescale',
    statement: 'With ζ on the faster time scale, w converges to E[βb] = 0 from either start.',
    source: 'App. F.1, the conditions after (35)',
    tolerance: 1e-12,
    why: 'ε_P after 8,000 expected updates that contract it by a constant factor',
    measure: () => worst(STARTS.map((start) => projectedErrorAfter(start, constant(4)))),
    printed: {
      statement:
        'lim α_ζ/α_w = 0, ζ on the slower time scale: ε_P after the same updates, ζ ten times slower',
      measure: () => worst(STARTS.map((start) => projectedErrorAfter(start, constant(0.1)))),
    },
    derivation: [
      'The theorem that F.1 cites (Bhatnagar et al. 2009) needs the slow process to see the fast one as converged. w is to follow ∇ε_P at ζ_w, so that ζ must be the fast one: α_w/α_ζ → 0. The print has it the other way round.',
      'The toy: Q_w = w0 + w1 a + 2 tanh(w2 (s − 1) + a/2) on the 3x2 MDP, a uniform policy, two starts. ζ four times faster: ε_P below 1e-12 from both. ζ ten times slower: one of the two is diverted to where E[bbᵀ] is singular, and stays there.',
    ],
    uses: ['twoTimescaleStep'],
  },
  {
    id: 'two-timescale-decaying',
    statement:
      'So it does with decaying steps of which w has the smaller, α_w/α_ζ → 0: the setting of the theorem.',
    source: 'App. F.1, the conditions after (35)',
    tolerance: 1e-6,
    why: 'decaying steps converge slower than any constant factor: ε_P after 8,000 expected updates',
    measure: () => worst(STARTS.map((start) => projectedErrorAfter(start, decaying))),
    derivation: [
      'α_w = 0.3/(1 + k/1000)^0.9 and α_ζ = 0.9/(1 + k/1000)^0.6: both sums diverge, both sums of squares converge, and their quotient tends to 0. With samples such steps average the noise away; here, with expected updates, they show that the limit is the same.',
    ],
    uses: ['twoTimescaleStep'],
  },
  {
    id: 'projected-fixed-point',
    statement: 'At the end of the two time scales ε_P is 0 where ε_w is not: the TD fixed point.',
    source: 'App. F.1, "there always exists a fixed point"',
    tolerance: 1e-9,
    why: 'E[βb] is the square root of what is left of ε_P',
    measure: () => {
      const mdp = threeByTwo();
      const approximator = tanhApproximator(3, 2);
      const target = { kind: 'variational', policy: uniformPolicy(mdp) } as const;
      let state = { parameters: Float64Array.of(0, 0, 1), weights: new Float64Array(3) };
      const step = { valueStep: 0.2, auxiliaryStep: 0.8, radius: 100 };
      for (let i = 0; i < 16_000; i++) {
        state = twoTimescaleStep(mdp, approximator, state, target, step) as typeof state;
      }
      const q = curved([...state.parameters], 3, 2);
      const nested = nestedMdp(mdp);
      const beta = flat(minus(policyBackup(nested, q, evenPolicy(nested)), q));
      const b = exactSlopes([...state.parameters], 3, 2);
      const moments = [0, 1, 2].map(
        (i) => sum(b.map((row, h) => (row[i] as number) * (beta[h] as number))) / b.length,
      );
      const left = residualError(mdp, approximator.values(state.parameters), target);
      return worst([difference(moments, [0, 0, 0]), failures(left > 1e-3)]);
    },
    derivation: [
      'Three parameters cannot solve six Bellman equations, so that ε_w stays above zero. The projected one reaches zero where E[βb] = 0. With ε_P as the temperature Theorem 2 holds without Assumption 2.',
    ],
    uses: ['twoTimescaleStep', 'residualError'],
  },
];
