/** What the blocks of a matchup say: pure functions of numbers. */
import { median } from '../../dist/bench/blocks.js';

/** Units that take `wanted` seconds, where `count` of them took `seconds`. */
export const blockSize = ({ count, seconds }, wanted) =>
  Math.max(1, Math.round((count * wanted) / seconds));

/**
 * A contestant's blocks in three numbers.
 *
 * @param {{count: number, seconds: number}[]} blocks
 * @returns {{median: number, low: number, high: number}} Units a second.
 */
export function summarise(blocks) {
  const rates = blocks.map(({ count, seconds }) => count / seconds);
  return { median: median(rates), low: Math.min(...rates), high: Math.max(...rates) };
}

/** Whether a ratio reaches what was asked. @param {{must: number, aim: number} | undefined} asked */
export function verdict(ratio, asked) {
  if (asked === undefined) return '';
  if (ratio >= asked.aim) return 'aim met';
  if (ratio >= asked.must) return 'must met';
  return `no, ${(100 * (1 - ratio / asked.must)).toFixed(0)} % short of must`;
}
