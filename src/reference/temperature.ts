/**
 * Temperature T of the E-step, in units of return per nat: where it comes from, and its losses where it is trained.
 *
 *   fixed         T: 1 in the authors' code, reward scaling takes its place (A5)
 *   residual      temperatureScale · ε_w (Algorithm 2; A1, A2)
 *   residualAuto  (1 − γ)/mean|r| · ε_w; mean|r| over the buffer, 1 here, where there is none (A2)
 *   tuned         exp(log T), J_T = −log T · (mean_b log π(ã|s) + H̄), H̄ the target entropy (Haarnoja et al. 2018b)
 *   dual          J_T = T ε̄ + T mean_b log mean_k exp(Q̄(s, a_k)/T), ε̄ the KL bound, a_k ~ π_φ (Abdolmaleki et al. 2018),
 *                 and for each multiplier m of a KL bound  J_m = Σ_i m_i (bound − KL_i)
 *
 * What is trained is log T of a tuned temperature. Of a dual one it is a number x for T and one for each m:
 *
 *   T, m = softplus(x) + 1e-8,   ∂T/∂x = σ(x) = 1/(1 + e^(−x))
 *
 * as in published code, so that a step of x is a step of a large m, which grows by no more than Adam's rate a step; by its
 * logarithm an m whose KL stays above its bound would grow by a factor a step, past every number. Gradient reaches log T and
 * x alone, each from its own loss; log π, Q̄ and KL are constants.
 */

import { VirelError } from '../errors.js';
import { boltzmannWeights, logMeanExponential } from './boltzmann.js';
import type { Loss } from './e-step.js';
import { softplus } from './tanh-gaussian.js';

/** Where T comes from. */
export type TemperatureSource =
  | { kind: 'none' }
  | { kind: 'fixed'; temperature: number }
  | { kind: 'residual'; temperatureScale: number }
  | { kind: 'residualAuto' }
  | ({ kind: 'tuned' } & TunedTemperature)
  | ({ kind: 'dual' } & DualTemperature);

/** Constants of a temperature tuned to a target entropy. */
export interface TunedTemperature {
  /** H̄, in nats; null: −A. */
  targetEntropy: number | null;
  /** Adam's rate for log T. */
  learningRate: number;
  /** T at the start. */
  initial: number;
}

/** Constants of the dual temperature. */
export interface DualTemperature {
  /** Bound of the KL divergence of the weights from π_φ, in nats. */
  klBound: number;
  /** Bound of KL_mean of each dimension. */
  meanKlBound: number;
  /** Bound of KL_cov of each dimension. */
  covarianceKlBound: number;
  /** Adam's rate for x of T and of every multiplier. */
  learningRate: number;
  /** T at the start. */
  initial: number;
  /** Multipliers of KL_mean at the start. */
  initialMeanMultiplier: number;
  /** Multipliers of KL_cov at the start. */
  initialCovarianceMultiplier: number;
}

/** What a temperature is made of beside its source's constants. */
export interface TemperatureInputs {
  /** γ. */
  discount: number;
  /** ε_w in use, in return². */
  residualError: number;
  /** What is trained: log T of a tuned one, x of a dual one; unread otherwise. */
  trained: number;
}

/** A vector of dual variables, T or m, made of the numbers x that are trained. */
export interface DualVariable {
  /** softplus(x) + 1e-8. */
  values: Float64Array;
  /** Their derivative by x. */
  slope: Float64Array;
}

/** Least dual variable, that of published code: T divides. */
const LEAST_DUAL = 1e-8;

/** Mean |r| without a buffer. */
const MEAN_REWARD = 1;

/** Whether the source follows the residual error. */
export function followsResidual({ kind }: TemperatureSource): boolean {
  return kind === 'residual' || kind === 'residualAuto';
}

/**
 * T of one step: `given` where the caller has one, else the source's.
 *
 * @throws VirelError `NOT_FINITE` for NaN or an infinity, `CONFIG_RANGE` below 0. T = 0 is J_π without entropy.
 */
export function temperatureInUse(
  source: TemperatureSource,
  inputs: TemperatureInputs,
  given?: number,
): number {
  const temperature = given ?? ownTemperature(source, inputs);
  if (!Number.isFinite(temperature)) {
    throw new VirelError(
      'NOT_FINITE',
      `temperature: expected a finite number, got ${temperature}; leave it out to use the config's`,
      { where: 'temperature', expected: 'a finite number', got: String(temperature) },
    );
  }
  if (temperature < 0) {
    throw new VirelError(
      'CONFIG_RANGE',
      `temperature: expected a number of at least 0, got ${temperature}`,
      { where: 'temperature', expected: 'a number of at least 0', got: String(temperature) },
    );
  }
  return temperature;
}

function ownTemperature(source: TemperatureSource, inputs: TemperatureInputs): number {
  switch (source.kind) {
    case 'none':
      return 0;
    case 'fixed':
      return source.temperature;
    case 'residual':
      return source.temperatureScale * inputs.residualError;
    case 'residualAuto':
      return ((1 - inputs.discount) / MEAN_REWARD) * inputs.residualError;
    case 'tuned':
      return Math.exp(inputs.trained);
    case 'dual':
      return dualVariable(Float64Array.of(inputs.trained)).values[0]!;
  }
}

/** T or m of the numbers x that are trained for it. */
export function dualVariable(trained: Float64Array): DualVariable {
  return {
    values: trained.map((x) => softplus(x) + LEAST_DUAL),
    slope: trained.map((x) => 1 / (1 + Math.exp(-x))),
  };
}

/** The x at which softplus(x) is `value`, > 0: log(e^value − 1), whose exponential would overflow at 1000. */
export function dualStart(value: number): number {
  return value + Math.log(-Math.expm1(-value));
}

/**
 * J_T of a tuned temperature and its gradient by log T, −(mean log π + H̄).
 *
 * @param logDensity log π_θ(ã|s) of the policy loss's own ã, `[B]`.
 */
export function tunedTemperatureLoss(
  logDensity: Float64Array,
  temperature: number,
  targetEntropy: number,
): Loss<number> {
  const excess = average(logDensity) + targetEntropy;
  return { loss: -Math.log(temperature) * excess, gradient: -excess };
}

/**
 * J_T of a dual temperature and its derivative by T, ε̄ + mean_b [log mean_k exp(Q̄/T) − Σ_k ω_k Q̄/T]: the bound less the
 * KL divergence of the weights from equal ones, ε̄ − mean_b Σ_k ω_k log(K ω_k).
 *
 * @param actionValue Q̄(s, a_k), `[B·K]`.
 * @throws VirelError `TEMPERATURE_NOT_POSITIVE` at T ≤ 0.
 */
export function dualTemperatureLoss(
  actionValue: Float64Array,
  temperature: number,
  samples: number,
  klBound: number,
): Loss<number> {
  const rows = actionValue.length / samples;
  const loss =
    temperature * (klBound + average(logMeanExponential(actionValue, temperature, samples)));
  const weights = boltzmannWeights(actionValue, temperature, samples);
  const divergence = weights.reduce((sum, weight) => sum + weightedLog(weight, samples), 0) / rows;
  return { loss, gradient: klBound - divergence };
}

/** ω log(K ω), 0 at ω = 0. */
function weightedLog(weight: number, samples: number): number {
  return weight === 0 ? 0 : weight * Math.log(samples * weight);
}

/** J_m of a KL bound and its gradient by each m_i, bound − KL_i; `multiplier` and `divergence` are `[A]`. */
export function multiplierLoss(
  multiplier: Float64Array,
  divergence: Float64Array,
  bound: number,
): Loss<Float64Array> {
  const gradient = divergence.map((value) => bound - value);
  return { loss: gradient.reduce((sum, value, i) => sum + multiplier[i]! * value, 0), gradient };
}

function average(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
