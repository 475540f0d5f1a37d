/** Curves as columns of numbers, thinned evenly once they are longer than a screen can show. */

/** Most points of a curve. */
export const MOST_POINTS = 5000;

/** Records by column; a column is `null` where a record did not have it. */
export interface Columns {
  /** Records that were ever added. */
  count: number;
  /** Of these, every so many-th is kept. */
  stride: number;
  /** Environment steps of the kept records. */
  step: number[];
  m: Record<string, (number | null)[]>;
}

/** No records. */
export const noColumns = (): Columns => ({ count: 0, stride: 1, step: [], m: {} });

/** Keeps every second record. */
function halve(columns: Columns): void {
  const even = <T>(values: T[]) => values.filter((_, index) => index % 2 === 0);
  columns.stride *= 2;
  columns.step = even(columns.step);
  for (const [name, values] of Object.entries(columns.m)) columns.m[name] = even(values);
}

/** Adds a record; what is not finite is a gap. */
export function addRecord(
  columns: Columns,
  step: number,
  values: Readonly<Record<string, number | null>>,
): void {
  const index = columns.count;
  columns.count += 1;
  if (index % columns.stride !== 0) return;
  const at = columns.step.length;
  columns.step.push(step);
  for (const [name, value] of Object.entries(values)) {
    if (!Object.hasOwn(columns.m, name)) {
      // a name of a hostile file, such as __proto__, is a key like any other
      const value = new Array<number | null>(at).fill(null);
      Object.defineProperty(columns.m, name, {
        value,
        writable: true,
        enumerable: true,
        configurable: true,
      });
    }
    (columns.m[name] as (number | null)[]).push(Number.isFinite(value) ? value : null);
  }
  for (const column of Object.values(columns.m)) if (column.length === at) column.push(null);
  if (columns.step.length > MOST_POINTS) halve(columns);
}

/** Adds all records of other columns. */
export function addColumns(columns: Columns, more: Columns): void {
  for (const [index, step] of more.step.entries()) {
    const values = Object.entries(more.m).map(([name, column]) => [name, column[index] ?? null]);
    addRecord(columns, step, Object.fromEntries(values) as Record<string, number | null>);
  }
}
