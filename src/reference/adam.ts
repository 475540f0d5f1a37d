/**
 * Adam (Kingma and Ba 2015, Algorithm 1), one state per network:
 *
 *   m ← β₁m + (1 − β₁)g,  v ← β₂v + (1 − β₂)g²,  x ← x − λ m̂ / (√v̂ + offset),  m̂ = m/(1 − β₁ᵗ),  v̂ = v/(1 − β₂ᵗ)
 *
 * Bias-corrected, the offset outside the root, as `torch.optim.Adam`.
 */

/** Kingma and Ba's defaults, which rlkit and the authors' code keep. */
const FIRST_MOMENT_DECAY = 0.9;
const SECOND_MOMENT_DECAY = 0.999;
const DENOMINATOR_OFFSET = 1e-8;

/** What Adam remembers between steps. */
export interface AdamState {
  /** t, steps taken. */
  steps: number;
  /** m. */
  firstMoment: Float64Array;
  /** v. */
  secondMoment: Float64Array;
}

/** The state before the first step of `length` parameters. */
export function adamState(length: number): AdamState {
  return {
    steps: 0,
    firstMoment: new Float64Array(length),
    secondMoment: new Float64Array(length),
  };
}

/** Steps `parameters` in place against `gradient`; advances `state`. */
export function stepAdam(
  parameters: Float64Array,
  gradient: Float64Array,
  state: AdamState,
  learningRate: number,
): void {
  const { firstMoment, secondMoment } = state;
  state.steps += 1;
  const firstCorrection = 1 - FIRST_MOMENT_DECAY ** state.steps;
  const secondCorrection = 1 - SECOND_MOMENT_DECAY ** state.steps;

  for (let i = 0; i < parameters.length; i++) {
    const g = gradient[i]!;
    const m = FIRST_MOMENT_DECAY * firstMoment[i]! + (1 - FIRST_MOMENT_DECAY) * g;
    const v = SECOND_MOMENT_DECAY * secondMoment[i]! + (1 - SECOND_MOMENT_DECAY) * g * g;
    firstMoment[i] = m;
    secondMoment[i] = v;

    const denominator = Math.sqrt(v / secondCorrection) + DENOMINATOR_OFFSET;
    parameters[i]! -= (learningRate * (m / firstCorrection)) / denominator;
  }
}
