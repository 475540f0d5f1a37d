/** Every number of fixtures/theory/tabular.json that the theory can compute: numpy's float64 against this one's. */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import {
  annealedBoltzmannOperator,
  auxiliaryWeights,
  bellmanResidual,
  bellmanTarget,
  boltzmannExpectation,
  boltzmannPolicy,
  boltzmannScoreTerm,
  boltzmannTerms,
  criticalTemperature,
  decomposeBound,
  directGradient,
  distanceToOptimality,
  eStep,
  eStepGradient,
  evidenceLowerBound,
  greedyPolicy,
  implicitResidualError,
  limitRate,
  logPartition,
  maximumEntropyTrap,
  mStep,
  mStepGradient,
  optimalActionValue,
  policyActionValue,
  printedAnnealedPullback,
  printedBoltzmannScoreTerm,
  priorBound,
  projectedResidualError,
  projectedResidualGradient,
  residualError,
  residualErrorGradient,
  runExpectationMaximisation,
  softActionValue,
  softmaxPolicy,
  TabularMdp,
  type Target,
  type TwoTimescaleState,
  tanhApproximator,
  tanhGaussianLogDensity,
  threeByTwo,
  twoTimescaleStep,
  uniformPolicy,
} from '../../src/theory/index.js';
import { at, differenceOf, expectClose, largest, range, sumOver, tolerance } from './support.js';

type Table = number[][];

/** The parts of the file that this room has; `roots` and `statistics` are drawn by numpy or belong elsewhere. */
interface Golden {
  mdp: { gamma: number; P: number[][][]; R: Table; Q: Table; d: number[] };
  fixed_points: { Q_star: Table; Q_uniform: Table };
  T_pi_w: {
    eps: number;
    pi: Table;
    beta: Table;
    Ecal_Q: number;
    Ecal_gradQ: number[];
    E_beta_delta: number[];
    X_corrected: number[];
    X_printed: number[];
    grad_eps: number[];
    grad_eps_printed_30: number[];
    grad_eps_neglect: number[];
    grad_eps_direct: number[];
    grad_eps_finite_difference: number[];
    printed_30_max_error: number;
    printed_X_max_error: number;
  };
  T_star: { eps: number; beta: Table; grad_eps: number[] };
  T_w_k: {
    eps_k: number;
    eps_w_k: number;
    p: Table;
    beta: Table;
    pi: Table;
    grad_eps: number[];
    grad_eps_printed_31: number[];
    printed_31_max_error: number;
  }[];
  e_step: {
    theta: Table;
    d: number[];
    eps: number;
    elbo: number;
    eps_times_grad_theta: number[] | Table;
  };
  elbo_uniform_d: {
    L_uniform: number;
    L_pi_w: number;
    ell: number;
    KL_at_uniform: number;
    KL_at_pi_w: number;
    H_d: number;
  };
  m_step: {
    theta: Table;
    d: number[];
    eps2_times_grad_w_T_pi_w: number[];
    eps2_times_grad_w_T_star: number[];
    'eps2_times_grad_w_T_w_k_0.5': number[];
  };
  theorem2_path: { t_eps_epsL: [number, number, number][]; limit_eps_L: number };
  self_consistent: { c: number; Q: Table; distance_to_Q_star: number; eps_of_Q: number }[];
  theorem1: {
    eps_slopeA_slopeB: [number, number, number][];
    limit_slopeA: number;
    limit_slopeB: number;
  };
  policy_iteration_from_uniform: { Q: Table; greedy: number[] }[];
  fixed_target_iterates_from_Q_uniform_policy: Table[];
  projected: Record<
    'pi' | 'star' | 'k',
    { eps: number; eps_proj: number; zeta: number[]; grad: number[] }
  > & { w: number[]; Q: Table; eps_k: number };
  two_timescale: {
    alpha_w: number;
    steps: number;
    runs: {
      w0: number[];
      label: string;
      step_eps_proj: [number, number][];
      w_end: number[];
    }[];
  };
  mpo: {
    pi_phi: Table;
    eps: number;
    q: Table;
    L_at_q: number;
    theta: Table;
    eps_times_grad_theta_43: number[];
  };
  merl: {
    rho: number;
    k: number;
    c_star: number;
    p_a1_merl_at_half_and_twice_c_star: [number, number];
    eps: number[];
    p_a1_virel: number[];
  }[];
  tanh_gaussian: { mu: number; sigma: number; u: number[]; log_prob_exact: number[] };
  scaling: { k: number; eps_T_pi_w_scaled_over_k2_eps: number };
  checks: { name: string; ok: boolean }[];
}

const file = new URL('../fixtures/theory/tabular.json', import.meta.url);
const golden = JSON.parse(readFileSync(file, 'utf8')) as Golden;

const flat = (values: readonly (number | readonly number[])[]) =>
  Float64Array.from(values.flat() as number[]);

const mdp = threeByTwo();
const actionValue = flat(golden.mdp.Q);
const boltzmann = { kind: 'boltzmann' } as const;
const optimal = { kind: 'optimal' } as const;
const stateWeights = flat(golden.mdp.d);
const fair = uniformPolicy(mdp);

/** The largest deviation, as the file has it of its printed forms. */
const apart = (left: Float64Array, right: Float64Array) =>
  largest(left.map((value, i) => value - at(right, i)));

describe('golden numbers: the MDP and its fixed points', () => {
  it('is the named example', () => {
    const { gamma, P, R } = golden.mdp;
    const made = new TabularMdp({
      states: 3,
      actions: 2,
      discount: gamma,
      transition: P,
      reward: R,
    });
    expect(made).toEqual(mdp);
  });

  it('Q* and Q^uniform (T24)', () => {
    const { Q_star, Q_uniform } = golden.fixed_points;
    expectClose(optimalActionValue(mdp), flat(Q_star), tolerance.goldenSolve);
    expectClose(policyActionValue(mdp, fair), flat(Q_uniform), tolerance.goldenSolve);
  });

  it('policy iteration from the uniform policy (T21)', () => {
    for (const [i, { Q, greedy }] of golden.policy_iteration_from_uniform.entries()) {
      const end = runExpectationMaximisation(mdp, {
        schedule: { kind: 'complete', mStep: 'solve' },
        target: 'variational',
        iterations: i + 1,
        tolerance: -1,
      });
      expectClose(end.actionValue, flat(Q), tolerance.goldenSolve);
      const chosen = range(3).map((s) => end.policy.subarray(2 * s, 2 * s + 2).indexOf(1));
      expect(chosen).toEqual(greedy);
    }
  });

  it('fixed target iterates (T22)', () => {
    const iterates = golden.fixed_target_iterates_from_Q_uniform_policy;
    for (const [i, table] of iterates.entries()) {
      const end = runExpectationMaximisation(mdp, {
        schedule: { kind: 'complete', mStep: 'backup' },
        target: 'variational',
        iterations: i + 1,
        tolerance: -1,
        actionValue,
      });
      expectClose(end.actionValue, flat(table), tolerance.golden);
    }
  });

  it('Q = T^{π_c} Q, its distance to Q* and the root of F there (T3, T19)', () => {
    const best = optimalActionValue(mdp);
    for (const { c, Q, distance_to_Q_star, eps_of_Q } of golden.self_consistent) {
      const settled = mStep(mdp, best, { kind: 'annealed', floor: c });
      expectClose(settled, flat(Q), tolerance.goldenSolve);
      expectClose(apart(settled, best), distance_to_Q_star, tolerance.goldenSolve);
      // ε is a square of residuals that are known to 1e-14 of Q
      const error = implicitResidualError(mdp, settled);
      expect(Math.abs(error / eps_of_Q - 1)).toBeLessThan(1e-7);
      const own = annealedBoltzmannOperator(mdp, settled, c);
      expectClose(own, settled, tolerance.golden);
    }
  });
});

describe('golden numbers: their own checks', () => {
  it('passed when the script wrote them', () => {
    expect(golden.checks).toHaveLength(95);
    expect(golden.checks.filter(({ ok }) => !ok)).toEqual([]);
  });
});

describe('golden numbers: T^{π_w}', () => {
  const expected = golden.T_pi_w;
  const terms = boltzmannTerms(mdp, actionValue);

  it('ε_w, π_w, β_w and the terms of Theorem 4 (T12)', () => {
    expectClose(residualError(mdp, actionValue, boltzmann), expected.eps, tolerance.golden);
    expectClose(terms.temperature, expected.eps, tolerance.golden);
    expectClose(terms.policy, flat(expected.pi), tolerance.golden);
    expectClose(
      bellmanResidual(mdp, actionValue, boltzmann),
      flat(expected.beta),
      tolerance.golden,
    );
    expectClose(terms.operatorOfValue, expected.Ecal_Q, tolerance.golden);
    expectClose(terms.operatorOfGradient, expected.Ecal_gradQ, tolerance.golden);
    expectClose(terms.residualTimesDelta, expected.E_beta_delta, tolerance.golden);
  });

  it('∇ε_w as corrected, printed, neglected and direct (T13, T20)', () => {
    const by = (theorem4: 'corrected' | 'printed' | 'neglect') =>
      residualErrorGradient(mdp, actionValue, boltzmann, theorem4);
    expectClose(by('corrected'), expected.grad_eps, tolerance.golden);
    expectClose(by('printed'), expected.grad_eps_printed_30, tolerance.golden);
    expectClose(by('neglect'), expected.grad_eps_neglect, tolerance.golden);
    const direct = directGradient(mdp, actionValue, boltzmann);
    expectClose(direct, expected.grad_eps_direct, tolerance.golden);
    const differences = flat(expected.grad_eps_finite_difference);
    expectClose(by('corrected'), differences, { value: 1e-10 });
    const off = apart(by('printed'), differences);
    expectClose(off, expected.printed_30_max_error, { value: 1e-10 });
  });

  it('X of Theorem 4 as corrected and as printed', () => {
    const corrected = boltzmannScoreTerm(mdp, terms);
    const printed = printedBoltzmannScoreTerm(mdp, terms);
    expectClose(corrected, expected.X_corrected, tolerance.golden);
    expectClose(printed, expected.X_printed, tolerance.golden);
    // the file's own error is against X by differences
    expectClose(apart(printed, corrected), expected.printed_X_max_error, { value: 1e-10 });
  });

  it('grows by less than k² where r and Q grow by k (T28)', () => {
    const { k, eps_T_pi_w_scaled_over_k2_eps } = golden.scaling;
    const { states, actions, discount, transition } = mdp;
    const reward = mdp.reward.map((value) => k * value);
    const scaled = new TabularMdp({ states, actions, discount, transition, reward });
    const error = implicitResidualError(
      scaled,
      actionValue.map((value) => k * value),
    );
    expectClose(error / (k ** 2 * expected.eps), eps_T_pi_w_scaled_over_k2_eps, tolerance.golden);
  });
});

describe('golden numbers: T* and T_{w,k}', () => {
  it('ε, β and ∇ε of T* (T11)', () => {
    const { eps, beta, grad_eps } = golden.T_star;
    expectClose(residualError(mdp, actionValue, optimal), eps, tolerance.golden);
    expectClose(bellmanResidual(mdp, actionValue, optimal), flat(beta), tolerance.golden);
    expectClose(residualErrorGradient(mdp, actionValue, optimal), grad_eps, tolerance.golden);
  });

  it.each(golden.T_w_k)('both policies, β, ε and ∇ε at ε_k = $eps_k (T14, T18)', (expected) => {
    const target = { kind: 'annealed', floor: expected.eps_k } as const;
    const p = boltzmannPolicy(actionValue, expected.eps_k, 2);
    expectClose(p, flat(expected.p), tolerance.golden);
    const residual = bellmanResidual(mdp, actionValue, target);
    expectClose(residual, flat(expected.beta), tolerance.golden);
    const error = residualError(mdp, actionValue, target);
    expectClose(error, expected.eps_w_k, tolerance.golden);
    // π_{w,k} is at ε_{w,k}, p_{w,k} at ε_k
    expectClose(boltzmannPolicy(actionValue, error, 2), flat(expected.pi), tolerance.golden);
    const gradient = residualErrorGradient(mdp, actionValue, target);
    expectClose(gradient, expected.grad_eps, tolerance.golden);
    const weights = residual.map((value) => value / mdp.pairs);
    const printed = printedAnnealedPullback(mdp, actionValue, expected.eps_k, weights);
    expectClose(printed, expected.grad_eps_printed_31, tolerance.golden);
    // the file's own error is against differences
    expectClose(apart(printed, gradient), expected.printed_31_max_error, { value: 1e-10 });
  });
});

describe('golden numbers: bound, E-step, M-step', () => {
  const { elbo_uniform_d, e_step, m_step } = golden;
  const temperature = implicitResidualError(mdp, actionValue);

  it('L, ℓ, KL and H at the uniform policy and at π_w (T4, T8)', () => {
    const bound = { actionValue, temperature, stateWeights };
    const uniform = { ...bound, policy: fair };
    const own = { ...bound, policy: boltzmannPolicy(actionValue, temperature, 2) };
    expectClose(evidenceLowerBound(uniform), elbo_uniform_d.L_uniform, tolerance.golden);
    expectClose(evidenceLowerBound(own), elbo_uniform_d.L_pi_w, tolerance.golden);
    expectClose(logPartition(bound), elbo_uniform_d.ell, tolerance.golden);
    const parts = decomposeBound(uniform);
    expectClose(parts.divergence, elbo_uniform_d.KL_at_uniform, tolerance.golden);
    expectClose(parts.stateEntropy, elbo_uniform_d.H_d, tolerance.golden);
    expectClose(decomposeBound(own).divergence, elbo_uniform_d.KL_at_pi_w, tolerance.golden);
  });

  it('L and ε∇_θ L at θ and d (T9)', () => {
    const [logits, weights] = [flat(e_step.theta), flat(e_step.d)];
    const step = { actionValue, temperature: e_step.eps, stateWeights: weights };
    const bound = evidenceLowerBound({ ...step, policy: softmaxPolicy(logits, 2) });
    expectClose(bound, e_step.elbo, tolerance.golden);
    expectClose(eStepGradient(step, logits), flat(e_step.eps_times_grad_theta), tolerance.golden);
  });

  const slopes = {
    'T^{π_w}': [boltzmann, m_step.eps2_times_grad_w_T_pi_w],
    'T*': [optimal, m_step.eps2_times_grad_w_T_star],
    'T_{w,k}': [{ kind: 'annealed', floor: 0.5 }, m_step['eps2_times_grad_w_T_w_k_0.5']],
  } as const satisfies Record<string, [Target, number[]]>;

  it.each(Object.entries(slopes))('ε²∇_w L with %s (T10)', (_, [target, expected]) => {
    const held = { policy: softmaxPolicy(flat(m_step.theta), 2), stateWeights: flat(m_step.d) };
    expectClose(mStepGradient(mdp, actionValue, target, held), expected, tolerance.golden);
  });

  it('the path of Theorem 2 (T7)', () => {
    const best = optimalActionValue(mdp);
    const direction = [1, -1, 0.5, 0.3, -0.7, 0.2];
    for (const [t, eps, epsL] of golden.theorem2_path.t_eps_epsL) {
      const moved = best.map((value, h) => value + t * at(direction, h));
      const error = implicitResidualError(mdp, moved);
      // Q* is known to 1e-14, and ε is its square: 1e-11 of t at the smallest
      expect(Math.abs(error / eps - 1)).toBeLessThan(1e-10);
      const bound = { actionValue: moved, temperature: error, policy: fair, stateWeights };
      expectClose(error * evidenceLowerBound(bound), epsL, tolerance.goldenSolve);
    }
    const mean = sumOver(6, (h) => at(best, h)) / 6;
    expectClose(mean, golden.theorem2_path.limit_eps_L, tolerance.goldenSolve);
  });

  it('the E-step of MPO, its value and its gradient (43) (T23)', () => {
    const { pi_phi, eps, q, L_at_q, theta, eps_times_grad_theta_43 } = golden.mpo;
    const priorPolicy = flat(pi_phi);
    const step = { actionValue, temperature: eps, stateWeights, priorPolicy };
    const best = eStep(step);
    expectClose(best, flat(q), tolerance.golden);
    expectClose(priorBound({ ...step, policy: best }, priorPolicy), L_at_q, tolerance.golden);
    const gradient = eStepGradient(step, flat(theta));
    expectClose(gradient, flat(eps_times_grad_theta_43), tolerance.golden);
  });
});

describe('golden numbers: Theorem 1', () => {
  it('slopes of two densities and their limits (T5)', () => {
    const { eps_slopeA_slopeB, limit_slopeA, limit_slopeB } = golden.theorem1;
    const cases = [
      {
        landscape: {
          f: (x: number) => -2 * (x - 0.3) ** 2,
          maximum: 0.3,
          domain: [-1, 1] as const,
        },
        test: (x: number) => Math.cos(3 * x),
        peak: {
          curvature: 4,
          third: 0,
          testSlope: -3 * Math.sin(0.9),
          testCurvature: -9 * Math.cos(0.9),
        },
        slopes: eps_slopeA_slopeB.map(([, slope]) => slope),
        limit: limit_slopeA,
      },
      {
        landscape: {
          f: (x: number) => x - Math.exp(x),
          maximum: 0,
          domain: [-1, 1] as const,
        },
        test: (x: number) => Math.sin(x + 0.5),
        peak: {
          curvature: 1,
          third: -1,
          testSlope: Math.cos(0.5),
          testCurvature: -Math.sin(0.5),
        },
        slopes: eps_slopeA_slopeB.map(([, , slope]) => slope),
        limit: limit_slopeB,
      },
    ];
    const temperatures = eps_slopeA_slopeB.map(([temperature]) => temperature);
    for (const { landscape, test, peak, slopes, limit } of cases) {
      expectClose(limitRate(peak), limit, tolerance.golden);
      const got = temperatures.map((temperature) => {
        const mean = boltzmannExpectation(landscape, peak.curvature, temperature, test);
        return (mean - test(landscape.maximum)) / temperature;
      });
      expectClose(got, slopes, tolerance.goldenQuotient);
    }
  });
});

describe('golden numbers: projected residual', () => {
  const approximator = tanhApproximator(3, 2);
  const { projected, two_timescale } = golden;
  const w = flat(projected.w);

  it.each([
    ['pi', { kind: 'variational', policy: fair }],
    ['star', optimal],
    ['k', { kind: 'annealed', floor: projected.eps_k }],
  ] as const)('ε, ε_P, ζ and ∇ε_P of %s (T15, T16)', (name, target) => {
    expectClose(approximator.values(w), flat(projected.Q), tolerance.golden);
    const expected = projected[name];
    const residual = bellmanResidual(mdp, approximator.values(w), target);
    const squares = sumOver(6, (h) => at(residual, h) ** 2) / 12;
    expectClose(squares, expected.eps, tolerance.golden);
    const error = projectedResidualError(mdp, approximator, w, target);
    expectClose(error, expected.eps_proj, tolerance.goldenSolve);
    const weights = auxiliaryWeights(approximator.gradient(w), residual);
    expectClose(weights, expected.zeta, tolerance.goldenSolve);
    const gradient = projectedResidualGradient(mdp, approximator, w, target);
    expectClose(gradient, expected.grad, tolerance.goldenSolve);
  });

  const target = { kind: 'variational', policy: fair } as const;
  const ratios: Record<string, number> = {
    'zeta 4x faster': 4,
    equal: 1,
    'zeta 10x slower': 0.1,
    'zeta 100x slower': 0.01,
  };

  /** α_w and α_ζ at a step: constant, or decaying where the run has no ratio. */
  function stepsOf(label: string, k: number) {
    const ratio = ratios[label];
    if (ratio !== undefined) return [two_timescale.alpha_w, ratio * two_timescale.alpha_w] as const;
    return [0.3 / (1 + k / 1000) ** 0.9, 0.9 / (1 + k / 1000) ** 0.6] as const;
  }

  it.each(two_timescale.runs)('two time scales from $w0, $label (T17)', (run) => {
    let state: TwoTimescaleState = { parameters: flat(run.w0), weights: new Float64Array(3) };
    const traced = new Map(run.step_eps_proj);
    for (const k of range(two_timescale.steps + 1)) {
      const error = traced.get(k);
      if (error !== undefined) {
        const got = projectedResidualError(mdp, approximator, state.parameters, target);
        expectClose(got, error, tolerance.goldenRun);
      }
      if (k === two_timescale.steps) break;
      const [valueStep, auxiliaryStep] = stepsOf(run.label, k);
      const step = { valueStep, auxiliaryStep, radius: 100 };
      state = twoTimescaleStep(mdp, approximator, state, target, step);
    }
    expectClose(state.parameters, run.w_end, tolerance.goldenRun);
  });
});

describe('golden numbers: maximum entropy', () => {
  it.each(golden.merl)(
    'c*, and how probable the good way is, at ρ = $rho, k = $k (T25)',
    (expected) => {
      const { rho, k, c_star, p_a1_merl_at_half_and_twice_c_star, eps, p_a1_virel } = expected;
      expectClose(criticalTemperature(rho, k), c_star, tolerance.golden);

      // the file has γ = 1, where values come one step later at γ
      const discount = 0.5;
      const trap = maximumEntropyTrap({ payoff: rho, branches: k, miss: -1e3, discount });
      const goodWay = (values: Float64Array, temperature: number) => {
        const lead = (at(values, 0) - at(values, k - 1)) / discount;
        return at(boltzmannPolicy(Float64Array.of(lead, 0), temperature), 0);
      };
      const merl = [c_star / 2, 2 * c_star].map((c) => goodWay(softActionValue(trap, c), c));
      expectClose(merl, p_a1_merl_at_half_and_twice_c_star, tolerance.goldenSolve);
      const hard = optimalActionValue(trap);
      const virel = eps.map((temperature) => goodWay(hard, temperature));
      expectClose(virel, p_a1_virel, tolerance.goldenSolve);
    },
  );
});

describe('golden numbers: tanh-Gaussian', () => {
  it('log π at actions in the middle and at the ends (T26)', () => {
    const { mu, sigma, u, log_prob_exact } = golden.tanh_gaussian;
    const gaussian = { mean: mu, deviation: sigma };
    const got = u.map((preTanh) => tanhGaussianLogDensity(preTanh, gaussian));
    expectClose(got, log_prob_exact, tolerance.golden);
  });
});

describe('golden numbers: members of the target set', () => {
  it('distance of T^{π_w} Q to T* Q is that of their residuals', () => {
    const own = flat(golden.T_pi_w.beta);
    const got = distanceToOptimality(mdp, actionValue, boltzmann);
    expectClose(got, apart(own, flat(golden.T_star.beta)), tolerance.golden);
    const target = bellmanTarget(mdp, actionValue, boltzmann);
    expectClose(
      target,
      own.map((value, h) => value + at(actionValue, h)),
      tolerance.golden,
    );
    expect(differenceOf(own, flat(golden.T_star.beta))).toBeGreaterThan(1e-2);
    expect([...greedyPolicy(actionValue, 2)]).toEqual([0, 1, 0, 1, 1, 0]);
  });
});
