/**
 * Squashed policy density (paper.md A12):  ã = tanh u,  u = μ + σξ,  ξ ~ N(0, I).
 *
 *   log π(ã|s) = Σ_i [ log N(u_i; μ_i, σ_i) − log(1 − tanh² u_i) ]
 *
 * Symbols: μ `mean`, log σ `logStd`, ξ `noise`, u `preTanh`; shapes `[B, A]`, log π `[B]`.
 * Gradient reaches μ and log σ through u, ξ a constant; or, at a given u, directly. A deterministic policy is ã = tanh μ.
 * Guard: log(1 − tanh² u) is computed as 2(log 2 − u − softplus(−2u)), finite for every u.
 */

const LOG_2PI = Math.log(2 * Math.PI);

/** ã and what its gradient needs. */
export interface TanhGaussianSample {
  /** u, `[B, A]`. */
  preTanh: Float64Array;
  /** ã in [−1, 1], `[B, A]`. */
  action: Float64Array;
  /** log π(ã|s), `[B]`, in nats. */
  logDensity: Float64Array;
  /** σξ = ∂u/∂log σ, `[B, A]`. */
  deviation: Float64Array;
}

/** Gradients of a loss by the Gaussian's parameters, `[B, A]` each. */
export interface TanhGaussianGradient {
  /** By μ, `[B, A]`. */
  mean: Float64Array;
  /** By log σ, `[B, A]`. */
  logStd: Float64Array;
}

/** log π of one dimension at the action tanh u. */
export function tanhGaussianLogDensity(preTanh: number, mean: number, logStd: number): number {
  const standardised = (preTanh - mean) / Math.exp(logStd);
  const gaussian = -0.5 * standardised ** 2 - logStd - 0.5 * LOG_2PI;
  return gaussian - logTanhDerivative(preTanh);
}

/** log(1 − tanh² u). */
export function logTanhDerivative(preTanh: number): number {
  return 2 * (Math.LN2 - preTanh - softplus(-2 * preTanh));
}

/** ã = tanh(μ + σξ) and its log-density, row by row. */
export function sampleTanhGaussian(
  mean: Float64Array,
  logStd: Float64Array,
  noise: Float64Array,
  rows: number,
): TanhGaussianSample {
  const deviation = noise.map((value, i) => Math.exp(logStd[i]!) * value);
  const preTanh = mean.map((value, i) => value + deviation[i]!);
  const action = preTanh.map(Math.tanh);

  // the Gaussian part by ξ itself: (u − μ)/σ would only lose digits
  const actionSize = mean.length / rows;
  const logDensity = new Float64Array(rows);
  for (let i = 0; i < mean.length; i++) {
    const gaussian = -0.5 * noise[i]! ** 2 - logStd[i]! - 0.5 * LOG_2PI;
    logDensity[Math.floor(i / actionSize)]! += gaussian - logTanhDerivative(preTanh[i]!);
  }
  return { preTanh, action, logDensity, deviation };
}

/**
 * The gradient by μ and log σ of a loss, through the sampled action and its log-density.
 *
 * At fixed ξ:  ∂ã/∂u = 1 − ã²,  ∂log π/∂u = 2ã,  ∂u/∂μ = 1,  ∂u/∂log σ = σξ;  log π also holds −log σ itself.
 *
 * @param logDensityGradient the loss's gradient by log π(ã|s), `[B]`.
 * @param actionGradient the loss's gradient by ã, `[B, A]`.
 */
export function tanhGaussianGradient(
  { action, deviation }: TanhGaussianSample,
  logDensityGradient: Float64Array,
  actionGradient: Float64Array,
): TanhGaussianGradient {
  const actionSize = action.length / logDensityGradient.length;
  const byLogDensity = action.map((_, i) => logDensityGradient[Math.floor(i / actionSize)]!);
  const mean = action.map((a, i) => byLogDensity[i]! * 2 * a + actionGradient[i]! * (1 - a ** 2));
  const logStd = mean.map((gradient, i) => gradient * deviation[i]! - byLogDensity[i]!);
  return { mean, logStd };
}

/** ã = tanh μ of a deterministic policy: a sample without deviation, whose density no loss reads. */
export function tanhMode(mean: Float64Array, rows: number): TanhGaussianSample {
  return {
    preTanh: mean,
    action: mean.map(Math.tanh),
    logDensity: new Float64Array(rows),
    deviation: new Float64Array(mean.length),
  };
}

/** log π(tanh u|s) at given u `[B, A]`, row by row. */
export function tanhGaussianDensity(
  preTanh: Float64Array,
  mean: Float64Array,
  logStd: Float64Array,
  rows: number,
): Float64Array {
  const actionSize = mean.length / rows;
  const logDensity = new Float64Array(rows);
  preTanh.forEach((u, i) => {
    logDensity[Math.floor(i / actionSize)]! += tanhGaussianLogDensity(u, mean[i]!, logStd[i]!);
  });
  return logDensity;
}

/** Gradients by all that a density at given u is made of, `[B, A]` each. */
export interface TanhDensityGradient extends TanhGaussianGradient {
  /** By u, `[B, A]`. */
  preTanh: Float64Array;
}

/**
 * The gradient of a loss by u, μ and log σ, each on its own, through log π(tanh u|s) alone.
 *
 * With z = (u − μ)/σ:  ∂log π/∂u = 2 tanh u − z/σ,  ∂log π/∂μ = z/σ,  ∂log π/∂log σ = z² − 1.
 *
 * @param logDensityGradient the loss's gradient by log π(tanh u|s), `[B]`.
 */
export function tanhGaussianDensityGradient(
  preTanh: Float64Array,
  mean: Float64Array,
  logStd: Float64Array,
  logDensityGradient: Float64Array,
): TanhDensityGradient {
  const actionSize = mean.length / logDensityGradient.length;
  const byLogDensity = mean.map((_, i) => logDensityGradient[Math.floor(i / actionSize)]!);
  const std = logStd.map(Math.exp);
  const standardised = preTanh.map((u, i) => (u - mean[i]!) / std[i]!);
  return {
    preTanh: preTanh.map(
      (u, i) => byLogDensity[i]! * (2 * Math.tanh(u) - standardised[i]! / std[i]!),
    ),
    mean: standardised.map((z, i) => (byLogDensity[i]! * z) / std[i]!),
    logStd: standardised.map((z, i) => byLogDensity[i]! * (z ** 2 - 1)),
  };
}

/** log(1 + eˣ), without overflow. */
export function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}
