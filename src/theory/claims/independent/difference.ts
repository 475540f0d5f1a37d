/** Derivatives by fourth-order central differences; they know nothing of what they differentiate. */

const STEP = 1e-5;

/** (8 (f(x+h) − f(x−h)) − (f(x+2h) − f(x−2h)))/12h by every coordinate of x. */
export function gradientBy(f: (x: readonly number[]) => number, x: ArrayLike<number>): number[] {
  const point = Array.from(x);
  return point.map((value, i) => {
    const at = (k: number) => f(point.with(i, value + k * STEP));
    return (8 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12 * STEP);
  });
}

/** The same for a function of many values: `[i][j]` is ∂f_i/∂x_j. */
export function jacobianBy(
  f: (x: readonly number[]) => readonly number[],
  x: ArrayLike<number>,
): number[][] {
  const point = Array.from(x);
  const columns = point.map((value, j) => {
    const at = (k: number) => f(point.with(j, value + k * STEP));
    const [a, b, c, d] = [at(1), at(-1), at(2), at(-2)];
    return a.map((_, i) => (8 * (a[i]! - b[i]!) - (c[i]! - d[i]!)) / (12 * STEP));
  });
  return (columns[0] ?? []).map((_, i) => columns.map((column) => column[i]!));
}
