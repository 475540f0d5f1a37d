/** Curves as columns of numbers, thinned evenly once they are longer than a screen can show. */

/** Most points of a curve. */
export const MOST_POINTS = 5000;

/** Records by column; a column is `null` where a record did not have it. */
export interface Columns {
  /** Records that were ever added. */
  count: number;
  /** Of these, every so many-th is kept, a power of two: the last of each group, so that what every tenth record alone has stays. */
  stride: number;
  /** Environment steps of the kept records. */
  step: number[];
  m: Record<string, (number | null)[]>;
}

/** A record's numbers by name. */
type Values = Readonly<Record<string, number | null>>;

/** No records. */
export const noColumns = (): Columns => ({ count: 0, stride: 1, step: [], m: {} });

/** Keeps the last of every two records. */
function halve(columns: Columns): void {
  const last = <T>(values: T[]) => values.filter((_, index) => index % 2 === 1);
  columns.stride *= 2;
  columns.step = last(columns.step);
  for (const [name, values] of Object.entries(columns.m)) columns.m[name] = last(values);
}

/** Appends a record; what is not finite is a gap. */
function append(columns: Columns, step: number, values: Values): void {
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

/** Counts records. @returns Whether a group ends with them, so that the last of them is kept. */
function endsGroup(columns: Columns, records: number): boolean {
  const { count, stride } = columns;
  columns.count += records;
  return Math.floor(columns.count / stride) > Math.floor(count / stride);
}

/** Adds a record; what is not finite is a gap. */
export function addRecord(columns: Columns, step: number, values: Values): void {
  if (endsGroup(columns, 1)) append(columns, step, values);
}

/** Adds all records of other columns; those of the two that are thinned less become as sparse as the others. */
export function addColumns(columns: Columns, more: Columns): void {
  if (columns.count === 0) {
    Object.assign(columns, structuredClone(more));
    return;
  }
  while (columns.stride < more.stride) halve(columns);
  const end = columns.count + more.count;
  for (const [index, step] of more.step.entries()) {
    // each stands for a whole group
    if (!endsGroup(columns, more.stride)) continue;
    const values = Object.entries(more.m).map(([name, column]) => [name, column[index] ?? null]);
    append(columns, step, Object.fromEntries(values) as Values);
  }
  columns.count = end;
}
