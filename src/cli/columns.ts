/** Text in columns. */

/** Rows below a head, each column as wide as its widest cell; numbers that stand alone are on the right. */
export function columns(
  rows: readonly (readonly string[])[],
  right: ReadonlySet<number>,
): string[] {
  const widths = (rows[0] ?? []).map((_, index) =>
    rows.reduce((most, row) => Math.max(most, [...(row[index] ?? '')].length), 0),
  );
  return rows.map((row) => {
    const cells = row.map((cell, index) => {
      const space = ' '.repeat((widths[index] ?? 0) - [...cell].length);
      return right.has(index) ? space + cell : cell + space;
    });
    return `  ${cells.join('  ')}`.trimEnd();
  });
}
