/**
 * E-step (6), (25), E.4, App. G (paper.md A3, A4, A13): the losses of π_θ, one per way to follow the bound.
 *
 *   reparameterised      mean_b [ T log π_θ(ã|s) − Q(s, ã) ],   ã = tanh(μ + σξ)                             (25)
 *   score                mean_b [ log π_θ(ã|s) · (T log π_θ(ã|s) − (Q(s, ã) − V(s))) ],  ã and the factor constants
 *   deterministic        −mean_b Q(s, tanh μ)
 *   weighted likelihood  −mean_b Σ_k ω_k log π_θ(a_k|s),   a_k ~ π_φ,  ω of boltzmann.ts
 *                        (+ Σ_i m_i KL_i of mean and covariance where multipliers m are trained, Abdolmaleki et al. 2018:
 *                        KL_mean,i = mean_b (μ_θ − μ_φ)² / (2σ_φ²),  KL_cov,i = mean_b [log(σ_θ/σ_φ) + (σ_φ²/σ_θ² − 1)/2])
 *   prior divergence     mean_{b,k} [ T (log π_θ(ã_k|s) − log π_φ(ã_k|s)) − Q(s, ã_k) ],   ã_k ~ π_θ          (43)
 *
 * and, added to each,  c_μ mean μ² + c_σ mean (log σ)².
 *
 * Symbols: T `temperature`, c_μ and c_σ the regularisers' factors, m the multipliers; log σ is taken after its clip.
 * Shapes: `[B]` or, with K actions per state, `[B·K]`; μ and log σ `[B, A]`, their means over batch and dimensions; KL `[A]`.
 * Gradient reaches θ alone: w, φ, T, m, ω, ξ are constants. Each function gives the partial derivatives by its terms.
 */

/** Factors of the policy regulariser. */
export interface PolicyRegulariser {
  /** c_μ. */
  mean: number;
  /** c_σ. */
  logStd: number;
}

/** Terms of the reparametrised losses. */
export interface PolicyTerms {
  /** log π_θ(ã|s), `[B]`. */
  logDensity: Float64Array;
  /** Q(s, ã), `[B]`. */
  sampledActionValue: Float64Array;
}

/** A loss and its partial derivatives by each of its terms, in their shapes. */
export interface Loss<Terms> {
  /** Its value. */
  loss: number;
  /** By what the function names. */
  gradient: Terms;
}

/** The reparametrised loss (25). */
export function reparameterisedLoss(
  { logDensity, sampledActionValue }: PolicyTerms,
  temperature: number,
): Loss<PolicyTerms> {
  const rows = logDensity.length;
  return {
    loss: average(logDensity.map((logPi, b) => temperature * logPi - sampledActionValue[b]!)),
    gradient: {
      logDensity: new Float64Array(rows).fill(temperature / rows),
      sampledActionValue: new Float64Array(rows).fill(-1 / rows),
    },
  };
}

/** Terms of the score loss; all but the first log π are constants. */
export interface ScoreTerms extends PolicyTerms {
  /** V(s), `[B]`: the baseline. */
  stateValue: Float64Array;
}

/** The score loss (A4), with its gradient by log π_θ(ã|s) at fixed ã. */
export function scoreLoss(
  { logDensity, sampledActionValue, stateValue }: ScoreTerms,
  temperature: number,
): Loss<Pick<ScoreTerms, 'logDensity'>> {
  const rows = logDensity.length;
  const factor = logDensity.map(
    (logPi, b) => temperature * logPi - (sampledActionValue[b]! - stateValue[b]!),
  );
  return {
    loss: average(logDensity.map((logPi, b) => logPi * factor[b]!)),
    gradient: { logDensity: factor.map((value) => value / rows) },
  };
}

/** The deterministic loss, with its gradient by Q(s, tanh μ). */
export function deterministicLoss(
  sampledActionValue: Float64Array,
): Loss<Pick<PolicyTerms, 'sampledActionValue'>> {
  const rows = sampledActionValue.length;
  return {
    loss: -average(sampledActionValue),
    gradient: { sampledActionValue: new Float64Array(rows).fill(-1 / rows) },
  };
}

/** The weighted likelihood; `weights` ω and `logDensity` log π_θ(a_k|s) are `[B·K]`. */
export function weightedLikelihoodLoss(
  logDensity: Float64Array,
  weights: Float64Array,
  samples: number,
): Loss<Pick<PolicyTerms, 'logDensity'>> {
  const rows = logDensity.length / samples;
  return {
    loss: -logDensity.reduce((sum, logPi, i) => sum + weights[i]! * logPi, 0) / rows,
    gradient: { logDensity: weights.map((weight) => -weight / rows) },
  };
}

/** Terms of the prior divergence, `[B·K]`. */
export interface PriorDivergenceTerms extends PolicyTerms {
  /** log π_φ(ã_k|s). */
  priorLogDensity: Float64Array;
}

/** The prior divergence (43). */
export function priorDivergenceLoss(
  { logDensity, priorLogDensity, sampledActionValue }: PriorDivergenceTerms,
  temperature: number,
): Loss<PriorDivergenceTerms> {
  const terms = logDensity.length;
  return {
    loss: average(
      logDensity.map(
        (logPi, i) => temperature * (logPi - priorLogDensity[i]!) - sampledActionValue[i]!,
      ),
    ),
    gradient: {
      logDensity: new Float64Array(terms).fill(temperature / terms),
      priorLogDensity: new Float64Array(terms).fill(-temperature / terms),
      sampledActionValue: new Float64Array(terms).fill(-1 / terms),
    },
  };
}

/** One half of the policy regulariser, c mean x², and its gradient by x; 0 where there is no x. */
export function meanSquarePenalty(values: Float64Array, factor: number): Loss<Float64Array> {
  if (values.length === 0) return { loss: 0, gradient: values };
  return {
    loss: factor * average(values.map(square)),
    gradient: values.map((value) => (2 * factor * value) / values.length),
  };
}

/** μ and log σ of a policy, `[B, A]`. */
export interface GaussianParameters {
  /** μ, `[B, A]`. */
  mean: Float64Array;
  /** log σ, `[B, A]`. */
  logStd: Float64Array;
}

/** KL per dimension, `[A]`, and the gradient by μ_θ or log σ_θ of Σ_i m_i KL_i. */
export interface Divergence {
  /** `[A]`, mean over the batch. */
  values: Float64Array;
  /** `[B, A]`, for multipliers m `[A]`. */
  gradient(multipliers: Float64Array): Float64Array;
}

/** KL_mean: of the means, at the prior's covariance; before the tanh, in nats. */
export function meanDivergence(
  { mean }: GaussianParameters,
  prior: GaussianParameters,
  rows: number,
): Divergence {
  const distance = mean.map((value, i) => value - prior.mean[i]!);
  const variance = prior.logStd.map((value) => Math.exp(2 * value));
  const actionSize = mean.length / rows;
  return {
    values: columnMeans(
      distance.map((value, i) => value ** 2 / (2 * variance[i]!)),
      actionSize,
    ),
    gradient: (multipliers) =>
      distance.map((value, i) => (multipliers[i % actionSize]! * value) / variance[i]! / rows),
  };
}

/** KL_cov: of the covariances, at equal means; before the tanh, in nats. */
export function covarianceDivergence(
  { logStd }: GaussianParameters,
  prior: GaussianParameters,
  rows: number,
): Divergence {
  const logRatio = logStd.map((value, i) => value - prior.logStd[i]!);
  const actionSize = logStd.length / rows;
  return {
    values: columnMeans(
      logRatio.map((value) => value + (Math.exp(-2 * value) - 1) / 2),
      actionSize,
    ),
    gradient: (multipliers) =>
      logRatio.map(
        (value, i) => (multipliers[i % actionSize]! * (1 - Math.exp(-2 * value))) / rows,
      ),
  };
}

/** The mean over the rows, `[B, A]` to `[A]`. */
function columnMeans(values: Float64Array, width: number): Float64Array {
  const means = new Float64Array(width);
  values.forEach((value, i) => {
    means[i % width]! += value / (values.length / width);
  });
  return means;
}

function square(value: number): number {
  return value ** 2;
}

function average(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
