/**
 * Sobol's sequence (1967) with the direction numbers of Joe and Kuo (2008): points of the unit cube that fill it more evenly than
 * random ones. In every dimension the first 2^m points lie one in each of 2^m equal intervals, whatever they are shifted by.
 *
 * Points come in the order of Gray's code (Antonov and Saleev 1979), as scipy's and torch's do.
 */

/**
 * Degree s, coefficients a and initial numbers m_1 ... m_s of dimensions 2 to 16: the first lines of `new-joe-kuo-6.21201`,
 * https://web.maths.unsw.edu.au/~fkuo/sobol/.
 */
const JOE_KUO: readonly (readonly [degree: number, coefficients: number, numbers: number[]])[] = [
  [1, 0, [1]],
  [2, 1, [1, 3]],
  [3, 1, [1, 3, 1]],
  [3, 2, [1, 1, 1]],
  [4, 1, [1, 1, 3, 3]],
  [4, 4, [1, 3, 5, 13]],
  [5, 2, [1, 1, 5, 5, 17]],
  [5, 4, [1, 1, 5, 5, 5]],
  [5, 7, [1, 1, 7, 11, 19]],
  [5, 11, [1, 1, 5, 1, 1]],
  [5, 13, [1, 1, 1, 3, 11]],
  [5, 14, [1, 3, 5, 5, 31]],
  [6, 1, [1, 3, 3, 9, 7, 49]],
  [6, 13, [1, 1, 1, 15, 21, 21]],
  [6, 16, [1, 3, 1, 13, 27, 49]],
];

/** Dimensions that there are numbers for. */
export const MOST_DIMENSIONS = JOE_KUO.length + 1;

const BITS = 32;

/** Direction numbers v_1 ... v_32 of a dimension, counted from 0. */
function directionNumbers(dimension: number): Uint32Array {
  const v = new Uint32Array(BITS);
  const row = JOE_KUO[dimension - 1];
  // the first dimension is the sequence of van der Corput
  if (row === undefined) return v.map((_, k) => 2 ** (BITS - 1 - k));
  const [s, a, numbers] = row;
  for (const [k, m] of numbers.entries()) v[k] = m * 2 ** (BITS - 1 - k);
  for (let k = s; k < BITS; k += 1) {
    const first = v[k - s] as number;
    let next = first ^ (first >>> s);
    for (let i = 1; i < s; i += 1) {
      if ((a >>> (s - 1 - i)) & 1) next ^= v[k - i] as number;
    }
    v[k] = next;
  }
  return v;
}

/**
 * A dimension of the sequence.
 *
 * @param dimension 0 to {@link MOST_DIMENSIONS} - 1.
 * @param shift 32 bits that are added to every value without carry; they keep how evenly values lie.
 * @returns The value of the point with an index, in [0, 1), a multiple of 2^-32; indices count from 0 and end before 2^32.
 */
export function sobolDimension(dimension: number, shift = 0): (index: number) => number {
  const v = directionNumbers(dimension);
  return (index) => {
    let bits = shift;
    let gray = (index ^ (index >>> 1)) >>> 0;
    for (let k = 0; gray !== 0; k += 1, gray >>>= 1) {
      if (gray & 1) bits ^= v[k] as number;
    }
    return (bits >>> 0) / 2 ** BITS;
  };
}
