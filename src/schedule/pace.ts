/** How many iterations one call into native code should run: enough to be cheap, few enough to stay responsive. */

/** Time a call should take: between 10 ms, where crossings would cost, and 100 ms, where signals would wait. */
const TARGET_MILLISECONDS = 40;
/** Iterations of a first call, before anything was timed. */
export const FIRST_CHUNK = 4;
/** Growth from one call to the next, so that a single fast call does not lead to a long one. */
const MOST_GROWTH = 2;

/**
 * Iterations of the next call.
 *
 * @param iterations Iterations of the last call.
 * @param milliseconds Time the last call took.
 */
export function nextChunk(iterations: number, milliseconds: number): number {
  // below the clock's resolution the measured time says nothing
  const fitting = (iterations * TARGET_MILLISECONDS) / Math.max(milliseconds, 0.01);
  return Math.max(1, Math.min(Math.floor(fitting), iterations * MOST_GROWTH));
}
