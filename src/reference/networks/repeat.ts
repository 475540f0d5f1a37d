/**
 * Several actions per state: rows repeated before a pass, and summed again behind it.
 *
 * Shapes: `[B, n]` and `[B·K, n]`, the K copies of a row one after the other.
 */

/** Each row K times. */
export function repeatRows(values: Float64Array, rows: number, times: number): Float64Array {
  if (times === 1) return values;
  const width = values.length / rows;
  const repeated = new Float64Array(values.length * times);
  for (let row = 0; row < rows; row++) {
    const source = values.subarray(row * width, (row + 1) * width);
    for (let k = 0; k < times; k++) repeated.set(source, (row * times + k) * width);
  }
  return repeated;
}

/** The sum over each row's K copies: the gradient of {@link repeatRows}. */
export function sumRepeats(values: Float64Array, rows: number, times: number): Float64Array {
  if (times === 1) return values;
  const width = values.length / (rows * times);
  const sums = new Float64Array(rows * width);
  values.forEach((value, i) => {
    const row = Math.floor(i / (times * width));
    sums[row * width + (i % width)]! += value;
  });
  return sums;
}
