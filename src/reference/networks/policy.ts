/**
 * Policy: μ(s) and log σ(s) of the Gaussian before the tanh; a deterministic one, a = tanh μ(s), has no log σ.
 *
 * log σ is clipped to [−20, 2] (rlkit's bounds; paper.md A12); its gradient is 0 strictly outside, as `torch.clamp`.
 * Shapes: observations `[B, O]`, mean and log deviation `[B, A]`.
 */

import type { Network } from './layout.js';
import { forward, type Pass, parameterGradient } from './multilayer-perceptron.js';

/** Bounds of log σ, rlkit v0.1.2 `LOG_SIG_MIN`, `LOG_SIG_MAX`. */
export const LOG_STD_BOUNDS = { low: -20, high: 2 } as const;

/** The policy's distribution at B observations. */
export interface PolicyPass {
  pass: Pass;
  /** μ, `[B, A]`. */
  mean: Float64Array;
  /** log σ after its clip, `[B, A]`; empty for a deterministic policy. */
  logStd: Float64Array;
  /** log σ before its clip, `[B, A]`; empty for a deterministic policy. */
  unclippedLogStd: Float64Array;
}

/** μ and log σ at each observation. */
export function policyForward(policy: Network, observations: Float64Array): PolicyPass {
  const pass = forward(policy, observations);
  const [mean, unclippedLogStd = new Float64Array(0)] = pass.outputs as Float64Array[];
  const { low, high } = LOG_STD_BOUNDS;
  const logStd = unclippedLogStd.map((value) => Math.min(Math.max(value, low), high));
  return { pass, mean: mean!, logStd, unclippedLogStd };
}

/** The gradient by θ of a loss whose gradients by μ and by the clipped log σ are given. */
export function policyGradient(
  policy: Network,
  { pass, unclippedLogStd }: PolicyPass,
  meanGradient: Float64Array,
  logStdGradient: Float64Array,
): Float64Array {
  const { low, high } = LOG_STD_BOUNDS;
  const unclippedGradient = unclippedLogStd.map((value, i) =>
    value < low || value > high ? 0 : logStdGradient[i]!,
  );
  // a deterministic policy has one head
  const heads = [meanGradient, unclippedGradient].slice(0, pass.outputs.length);
  return parameterGradient(policy, pass, heads);
}
