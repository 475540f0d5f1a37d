/** Numbers of a comparison as people read them, in tables and pages. */
import type { Estimate } from './estimate.js';

/** A score: one decimal where that is fine enough, else four digits. */
export function scoreText(value: number): string {
  if (value === 0 || Math.abs(value) >= 100) return value.toFixed(1);
  return String(Number(value.toPrecision(4)));
}

/** A probability, or a score on the common scale: two decimals. */
export const probabilityText = (value: number) => value.toFixed(2);

/** `2897.0 [2510.3, 3102.8]`; nothing of no estimate. */
export function estimateText(
  estimate: Estimate | undefined,
  write: (value: number) => string,
): string {
  if (estimate === undefined) return '';
  const { value, interval } = estimate;
  const range = interval === null ? 'no interval: 1 seed' : interval.map(write).join(', ');
  return `${write(value)} [${range}]`;
}
