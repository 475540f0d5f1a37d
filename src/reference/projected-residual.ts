/**
 * M-step by the projected residual error, two time scales (32)-(35), F.1 (paper.md A19, A20):
 *
 *   β = r + γ(1−d) Q_w(s′, ã′) − Q_w(s, a)      ã′ ~ π_θ(·|s′), a constant
 *   j = ∇_w Q_w(s, a) · ζ                       ζ the auxiliary weights, of the shape of w
 *   L(w, ζ) = mean_b [ β j − ½ j² ]             its maximum over ζ is the projected residual error ε_P
 *
 *   ∇_w L =  mean [ (∇β) j ] + mean [ (β − j) (∇²Q) ζ ]      w descends; β is differentiated through its target too
 *   ∇_ζ L =  mean [ (β − j) ∇Q ]                             ζ ascends, and leaks
 *
 *   w ← P(w − α_w ∇_w L),  P onto the ball ‖w‖ ≤ radius;   ζ ← (1 − leak) ζ + α_ζ ∇_ζ L
 *   α_w(k) = valueStep/(1 + k/stepScale)^valueDecay,  α_ζ(k) = auxiliaryStep/(1 + k/stepScale)^auxiliaryDecay
 *
 * Shapes `[B]`; k counts M-steps. (35) is printed with the second term outside α_w; the print also has ζ on the slower scale,
 * against the theorem it cites: `stepOrder: printed` exchanges the two sequences. Without a leak ζ may drift where E[bbᵀ]
 * is singular, which it is with more parameters than pairs.
 */

import type { Loss } from './e-step.js';

/** β and j, `[B]` each. */
export interface ProjectedTerms {
  /** β, `[B]`. */
  residual: Float64Array;
  /** j. */
  derivative: Float64Array;
}

/** L(w, ζ) and its partial derivatives, j/B by β and (β − j)/B by j. */
export function projectedResidualLoss({
  residual,
  derivative,
}: ProjectedTerms): Loss<ProjectedTerms> {
  const rows = residual.length;
  return {
    loss: residual.reduce((sum, beta, b) => sum + projectedTerm(beta, derivative[b]!), 0) / rows,
    gradient: {
      residual: derivative.map((j) => j / rows),
      derivative: residual.map((beta, b) => (beta - derivative[b]!) / rows),
    },
  };
}

function projectedTerm(residual: number, derivative: number): number {
  return residual * derivative - 0.5 * derivative ** 2;
}

/** Constants of the two steps. */
export interface ProjectedStep {
  /** Which of the two steps is the slow one: w's, or as printed. */
  stepOrder: 'corrected' | 'printed';
  /** α_w at the start. */
  valueStep: number;
  /** Power at which α_w falls. */
  valueDecay: number;
  /** α_ζ at the start. */
  auxiliaryStep: number;
  /** Power at which α_ζ falls. */
  auxiliaryDecay: number;
  /** M-steps over which both begin to fall. */
  stepScale: number;
  /** Of the ball onto which w is projected. */
  radius: number;
  /** Share of ζ that is lost at each step. */
  leak: number;
}

/** α_w and α_ζ after `steps` M-steps. */
export function stepSizes(
  settings: ProjectedStep,
  steps: number,
): { value: number; auxiliary: number } {
  const { valueStep, valueDecay, auxiliaryStep, auxiliaryDecay, stepScale } = settings;
  const slow = valueStep / (1 + steps / stepScale) ** valueDecay;
  const fast = auxiliaryStep / (1 + steps / stepScale) ** auxiliaryDecay;
  return settings.stepOrder === 'corrected'
    ? { value: slow, auxiliary: fast }
    : { value: fast, auxiliary: slow };
}

/** Steps w in place against `gradient`, then back onto the ball. */
export function stepProjectedValue(
  values: Float64Array,
  gradient: Float64Array,
  stepSize: number,
  radius: number,
): void {
  for (let i = 0; i < values.length; i++) values[i]! -= stepSize * gradient[i]!;
  const norm = Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0));
  if (norm <= radius) return;
  for (let i = 0; i < values.length; i++) values[i]! *= radius / norm;
}

/** Steps ζ in place against `gradient`, that of −L, with its leak. */
export function stepAuxiliaryWeights(
  values: Float64Array,
  gradient: Float64Array,
  stepSize: number,
  leak: number,
): void {
  for (let i = 0; i < values.length; i++) {
    values[i] = (1 - leak) * values[i]! - stepSize * gradient[i]!;
  }
}
