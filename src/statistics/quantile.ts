/**
 * Quantile of values in rising order, between neighbours in proportion, as numpy's `linear` method has it.
 *
 * @param sorted [n], n ≥ 1. @param share 0 to 1.
 */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  const at = share * (sorted.length - 1);
  const below = Math.floor(at);
  const low = sorted[below] as number;
  const high = sorted[Math.min(below + 1, sorted.length - 1)] as number;
  // equal neighbours, infinite ones too, need no arithmetic
  return low === high ? low : low + (at - below) * (high - low);
}
