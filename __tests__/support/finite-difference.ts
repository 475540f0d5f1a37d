/** Derivatives by central differences, the independent check of every hand-written backward pass. */

/** h: truncation falls with h², rounding grows with 1/h; 1e-5 is near ε64^(1/3), where they meet. */
export const STEP = 1e-5;

/**
 * The gradient of `loss` by `values`, (J(x + h) − J(x − h)) / 2h for each of them; `values` are put back.
 *
 * @param loss reads `values` afresh at every call.
 */
export function centralDifference(loss: () => number, values: Float64Array): Float64Array {
  return Float64Array.from(values, (value, i) => {
    values[i] = value + STEP;
    const above = loss();
    values[i] = value - STEP;
    const below = loss();
    values[i] = value;
    return (above - below) / (2 * STEP);
  });
}
