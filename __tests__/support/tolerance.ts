/**
 * Every tolerance of the learner's tests with its reason, and the one way in which tensors are compared.
 *
 * The error of a tensor is ‖got − expected‖₂ / ‖expected‖₂, and ‖got − expected‖₂ where ‖expected‖₂ is below
 * {@link ABSOLUTE_BELOW}. NaN is equal to nothing. Losses are tensors of one value.
 */

/** Below this norm a tensor is compared absolutely: its direction is made of rounding. */
export const ABSOLUTE_BELOW = 1e-6;

/** Numbers and why they are what they are; ε64 = 1.1e-16 and ε32 = 6.0e-8 are the roundings of one operation. */
export const tolerance = {
  equation: {
    value: 1e-12,
    why: 'some tens of float64 operations on values of order 1 to 100, against a closed form or printed golden digits',
  },
  printedDigits: {
    value: 1e-10,
    why: 'golden log-densities are printed to ten decimals, half a unit of the last is 5e-11',
  },
  quadrature: {
    value: 1e-8,
    why: 'trapezoid rule of 20,001 points on ±12 deviations of a smooth density: converges beyond 1e-12; the tail is 1e-32',
  },
  automaticDifferentiation: {
    value: 1e-11,
    why: 'two float64 programmes, other orders of sums, log cosh by another formula; Adam divides what cancelled in a gradient',
  },
  finiteDifference: {
    value: 1e-7,
    why: 'central, h = 1e-5: truncation h²/6 · f‴ of 1e-11 to 1e-9, rounding ε64 · |J| / h of 1e-10, gradients of 1e-2 to 10',
  },
  permutation: {
    value: 1e-12,
    why: 'the same float64 terms added in another order: some ε64 per sum of at most 12 rows',
  },
  temperature: {
    value: 1e-6,
    why: 'a float32 number times another, or the exponential of one: some ε32',
  },
  loss: {
    value: 1e-5,
    why: 'float32 networks: each of about 3 layers rounds its sums of 300 terms by √300 · ε32 = 1e-6 at most; measured 2e-7',
  },
  gradient: {
    value: 1e-5,
    why: 'about 6 such layers forward and back, off all kinks: measured 6e-7; the rest is for the cancellation below',
  },
  parametersAfterTenUpdates: {
    value: 1e-4,
    why: 'ten steps of at most 3e-4 on weights of 1e-3 to 5e-2; Adam keeps the relative error of gradients, and a kink crossed later moves one unit of 300: measured 2e-6',
  },
} as const;

/**
 * Most cancellation that a fair case may have in a single number, such as the gradient by the last bias of Q, a sum over
 * rows of both signs: its terms come with a rounding of 2e-7 (some ε32), which the sum magnifies to 1e-5 at a factor of 50.
 * Beyond that no float32 programme can promise {@link tolerance}'s five digits.
 */
export const MOST_CANCELLATION = 50;

/** ‖values‖₂. */
export function norm(values: ArrayLike<number>): number {
  return Math.sqrt(Array.from(values).reduce((sum, value) => sum + value ** 2, 0));
}

/** The error of a tensor, as this file's head defines it; NaN if either holds one. */
export function tensorError(got: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (got.length !== expected.length) {
    throw new Error(`${got.length} values against ${expected.length}`);
  }
  const distance = norm(Array.from(got, (value, i) => value - (expected[i] as number)));
  const size = norm(expected);
  return size < ABSOLUTE_BELOW ? distance : distance / size;
}

/** A tensor out of tolerance. */
export interface Disagreement {
  name: string;
  error: number;
}

/** Named tensors of `expected` whose counterpart in `got` is missing, holds NaN, or is further off than `limit`. */
export function disagreements(
  got: Record<string, ArrayLike<number>>,
  expected: Record<string, ArrayLike<number>>,
  limit: number,
): Disagreement[] {
  const names = [...new Set([...Object.keys(expected), ...Object.keys(got)])];
  return names
    .map((name) => {
      const [a, b] = [got[name], expected[name]];
      return { name, error: a && b ? tensorError(a, b) : Number.NaN };
    })
    .filter(({ error }) => !(error <= limit));
}
