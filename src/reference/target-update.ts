/**
 * Target update (paper.md A10):  φ̄ ← τφ + (1 − τ)φ̄, with τ `targetUpdateRate` in [0, 1].
 */

/** Moves `target` (φ̄) in place towards `online` (φ, already stepped). */
export function updateTarget(
  target: Float64Array,
  online: Float64Array,
  targetUpdateRate: number,
): void {
  for (let i = 0; i < target.length; i++) {
    target[i] = targetUpdateRate * online[i]! + (1 - targetUpdateRate) * target[i]!;
  }
}
