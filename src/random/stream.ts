/**
 * Named counter-based random streams in TypeScript, as `random.rs` of the native engine has them: what a stream yields
 * depends on (seed, purpose, instance) and on how often it was drawn from, and on nothing else.
 *
 * ChaCha with 8 rounds (Bernstein 2008) in counter mode: the key is (seed, purpose), both 64-bit little-endian, the
 * nonce the instance.
 */

/** What a stream is drawn for; the numbers are those of `Purpose` of the native engine, which has none from 1000 on. */
export const PURPOSES = {
  initialise: 1,
  reset: 2,
  evaluation: 7,
  evaluationNoise: 10,
  theory: 1000,
  bootstrap: 1001,
  sweep: 1002,
} as const;

const WORDS_PER_BLOCK = 16;
/** "expand 32-byte k" in little-endian words. */
const CONSTANTS = [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574];
const DOUBLE_ROUNDS = 4;

/** The two 32-bit words of a whole number below 2⁵³, low word first. */
const words = (value: number) => [value % 2 ** 32, Math.floor(value / 2 ** 32)] as const;

/**
 * Uniform draws on [0, 1) with 53 random bits.
 *
 * @param seed 0 to 2⁵³ − 1, as is `instance`.
 * @param instance Which of the streams of this purpose: the environment, the evaluation.
 */
export function uniformStream(
  seed: number,
  purpose: keyof typeof PURPOSES,
  instance = 0,
): () => number {
  const key = Uint32Array.of(...words(seed), PURPOSES[purpose], 0, 0, 0, 0, 0);
  let counter = 0;
  let block = chacha8(key, counter, instance);
  let index = 0;
  return () => {
    if (index === WORDS_PER_BLOCK) {
      counter += 1;
      block = chacha8(key, counter, instance);
      index = 0;
    }
    // the upper 53 of 64 bits, low word first
    const [low, high] = [block[index] as number, block[index + 1] as number];
    index += 2;
    return (high * 2 ** 21 + (low >>> 11)) / 2 ** 53;
  };
}

/** One block of 16 words of the key stream. */
export function chacha8(key: Uint32Array, counter: number, nonce = 0): Uint32Array {
  const start = Uint32Array.of(...CONSTANTS, ...key, ...words(counter), ...words(nonce));
  const state = start.slice();
  for (let round = 0; round < DOUBLE_ROUNDS; round += 1) {
    for (let i = 0; i < 4; i += 1) quarterRound(state, i, i + 4, i + 8, i + 12);
    for (let i = 0; i < 4; i += 1) {
      quarterRound(state, i, 4 + ((i + 1) % 4), 8 + ((i + 2) % 4), 12 + ((i + 3) % 4));
    }
  }
  return state.map((word, i) => word + (start[i] as number));
}

function quarterRound(state: Uint32Array, a: number, b: number, c: number, d: number): void {
  const at = (index: number) => state[index] as number;
  for (const [left, right] of [
    [16, 12],
    [8, 7],
  ] as const) {
    state[a] = at(a) + at(b);
    state[d] = rotate(at(d) ^ at(a), left);
    state[c] = at(c) + at(d);
    state[b] = rotate(at(b) ^ at(c), right);
  }
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}
