/**
 * The stream of initial parameters: the one place of the reference where numbers are drawn (noise is an argument).
 *
 * ChaCha with 8 rounds (Bernstein 2008) in counter mode; its key is (seed, purpose), both 64-bit little-endian, as
 * `random.rs` of the native engine keys its streams, so that one seed means one set of initial parameters.
 */

/** `Purpose::Initialise` of the native engine. */
const INITIALISE = 1;

const WORDS_PER_BLOCK = 16;
/** "expand 32-byte k" in little-endian words. */
const CONSTANTS = [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574];
const DOUBLE_ROUNDS = 4;

/** Uniform draws on [0, 1) with 53 random bits, for the initial parameters of `seed` (0 to 2⁵³ − 1). */
export function initialiseStream(seed: number): () => number {
  const key = new Uint32Array(8);
  key[0] = seed % 2 ** 32;
  key[1] = Math.floor(seed / 2 ** 32);
  key[2] = INITIALISE;

  let counter = 0;
  let block = chacha8(key, counter);
  let index = 0;
  return () => {
    if (index === WORDS_PER_BLOCK) {
      counter += 1;
      block = chacha8(key, counter);
      index = 0;
    }
    // the upper 53 of 64 bits, low word first
    const [low, high] = [block[index]!, block[index + 1]!];
    index += 2;
    return (high * 2 ** 21 + (low >>> 11)) / 2 ** 53;
  };
}

/** One block of 16 words of the key stream; the nonce (stream number) is 0. */
export function chacha8(key: Uint32Array, counter: number): Uint32Array {
  const start = new Uint32Array(WORDS_PER_BLOCK);
  start.set(CONSTANTS);
  start.set(key, 4);
  start[12] = counter % 2 ** 32;
  start[13] = Math.floor(counter / 2 ** 32);

  const state = start.slice();
  for (let round = 0; round < DOUBLE_ROUNDS; round++) {
    for (let i = 0; i < 4; i++) quarterRound(state, i, i + 4, i + 8, i + 12);
    for (let i = 0; i < 4; i++) {
      quarterRound(state, i, 4 + ((i + 1) % 4), 8 + ((i + 2) % 4), 12 + ((i + 3) % 4));
    }
  }
  return state.map((word, i) => word + start[i]!);
}

function quarterRound(state: Uint32Array, a: number, b: number, c: number, d: number): void {
  for (const [left, right] of [
    [16, 12],
    [8, 7],
  ] as const) {
    state[a]! += state[b]!;
    state[d] = rotate(state[d]! ^ state[a]!, left);
    state[c]! += state[d]!;
    state[b] = rotate(state[b]! ^ state[c]!, right);
  }
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}
