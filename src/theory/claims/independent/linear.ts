/** Linear systems and least squares in their schoolbook form: elimination, Gram and Schmidt. */

/** x of A x = b. No rows change places: A is triangular or positive definite. */
export function eliminate(
  matrix: readonly (readonly number[])[],
  right: readonly number[],
): number[] {
  const rows = matrix.map((row, i) => [...row, right[i]!]);
  const size = rows.length;
  for (let column = 0; column < size; column++) {
    const pivot = rows[column]!;
    for (const row of rows.slice(column + 1)) {
      const factor = row[column]! / pivot[column]!;
      for (let j = column; j <= size; j++) row[j]! -= factor * pivot[j]!;
    }
  }
  const x = new Array<number>(size).fill(0);
  for (let i = size - 1; i >= 0; i--) {
    const row = rows[i]!;
    const known = x.reduce((total, value, j) => total + (j > i ? row[j]! * value : 0), 0);
    x[i] = (row[size]! - known) / row[i]!;
  }
  return x;
}

/** The weights x that minimise ‖A x − b‖, by orthogonal columns instead of normal equations. */
export function leastSquares(
  rows: readonly (readonly number[])[],
  right: readonly number[],
): number[] {
  const width = rows[0]!.length;
  const basis: number[][] = [];
  const upper: number[][] = Array.from({ length: width }, () => new Array<number>(width).fill(0));
  for (let column = 0; column < width; column++) {
    let rest = rows.map((row) => row[column]!);
    // twice: the second round takes away what rounding left of the first
    for (let round = 0; round < 2; round++) {
      basis.forEach((unit, k) => {
        const share = dot(unit, rest);
        upper[k]![column]! += share;
        rest = rest.map((value, i) => value - share * unit[i]!);
      });
    }
    const length = Math.sqrt(dot(rest, rest));
    upper[column]![column] = length;
    basis.push(rest.map((value) => value / length));
  }
  return eliminate(
    upper,
    basis.map((unit) => dot(unit, right)),
  );
}

function dot(left: readonly number[], right: readonly number[]): number {
  return left.reduce((total, value, i) => total + value * right[i]!, 0);
}
