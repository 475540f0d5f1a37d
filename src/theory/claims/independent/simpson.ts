/** Integrals by the rule of Simpson on equal steps. */

/** ∫ f over [low, high]; `steps` even. */
export function simpson(
  f: (x: number) => number,
  low: number,
  high: number,
  steps: number,
): number {
  const width = (high - low) / steps;
  let total = f(low) + f(high);
  for (let i = 1; i < steps; i++) total += (i % 2 === 1 ? 4 : 2) * f(low + i * width);
  return (total * width) / 3;
}
