/**
 * E-step, reparametrised (6), (25), E.4 (paper.md A3, A13):
 *
 *   J_π = mean_b [ T log π_θ(ã|s) − Q_w(s, ã) ] + c_μ mean μ² + c_σ mean (log σ)²,   ã = tanh(μ + σξ)
 *
 * Symbols: T `temperature`, c_μ and c_σ the regularisers' factors; log σ is taken after its clip.
 * Shapes: log π and Q `[B]`, μ and log σ `[B, A]`; the last two means are over batch and dimensions.
 * Gradient reaches θ: through log π, through ã into Q, and directly by μ and log σ. w, T and ξ are constants.
 */

/** Factors of the policy regulariser. */
export interface PolicyRegulariser {
  /** c_μ. */
  mean: number;
  /** c_σ. */
  logStd: number;
}

/** What J_π is made of. */
export interface PolicyTerms {
  /** log π_θ(ã|s), `[B]`. */
  logDensity: Float64Array;
  /** Q_w(s, ã), `[B]`. */
  sampledActionValue: Float64Array;
  /** μ, `[B, A]`. */
  mean: Float64Array;
  /** log σ after its clip, `[B, A]`. */
  logStd: Float64Array;
}

/** J_π and its partial derivatives by each of its terms, in their shapes. */
export interface PolicyLoss {
  loss: number;
  gradient: PolicyTerms;
}

/** J_π and its gradient by its terms. */
export function policyLoss(
  terms: PolicyTerms,
  temperature: number,
  regulariser: PolicyRegulariser,
): PolicyLoss {
  const { logDensity, sampledActionValue, mean, logStd } = terms;
  const rows = logDensity.length;

  const bound = logDensity.map((logPi, b) => temperature * logPi - sampledActionValue[b]!);
  const loss =
    average(bound) +
    regulariser.mean * average(mean.map(square)) +
    regulariser.logStd * average(logStd.map(square));

  const gradient = {
    logDensity: new Float64Array(rows).fill(temperature / rows),
    sampledActionValue: new Float64Array(rows).fill(-1 / rows),
    mean: mean.map((value) => (2 * regulariser.mean * value) / mean.length),
    logStd: logStd.map((value) => (2 * regulariser.logStd * value) / logStd.length),
  };
  return { loss, gradient };
}

function square(value: number): number {
  return value ** 2;
}

function average(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
