/**
 * The stream of initial parameters: the one place of the reference where numbers are drawn (noise is an argument). It
 * is keyed as `random.rs` of the native engine keys its own, so that one seed means one set of initial parameters.
 */
import { uniformStream } from '../random/stream.js';

export { chacha8 } from '../random/stream.js';

/** Uniform draws on [0, 1) with 53 random bits, for the initial parameters of `seed` (0 to 2⁵³ − 1). */
export function initialiseStream(seed: number): () => number {
  return uniformStream(seed, 'initialise');
}
