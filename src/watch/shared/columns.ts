/** Curves as columns of numbers, thinned evenly once they are longer than a screen can show. */

/** Most points of a curve. */
export const MOST_POINTS = 5000;

/** Records by column; a column is `null` where a record did not have it. */
export interface Columns {
  /** Records that were ever added. */
  count: number;
  /**
   * So many records, a power of two, are a group and become one: of each column the last number of the group, at the step
   * where the group ends. What only some records have is thus there wherever in a group they stand.
   */
  stride: number;
  /** Environment steps at which the groups end. */
  step: number[];
  m: Record<string, (number | null)[]>;
  /** The same of the records behind the last group. */
  rest: Record<string, number | null>;
}

/** A record's numbers by name. */
type Values = Readonly<Record<string, number | null>>;

/** No records. */
export const noColumns = (): Columns => ({ count: 0, stride: 1, step: [], m: {}, rest: {} });

/** As a key that was assigned. */
const PLAIN = { writable: true, enumerable: true, configurable: true };

/** Sets a key; a name of a hostile file, such as __proto__, is a key like any other. */
function set<T>(object: Record<string, T>, name: string, value: T): void {
  // many times faster than to define each
  if (name !== '__proto__') object[name] = value;
  else Object.defineProperty(object, name, { value, ...PLAIN });
}

/** Adds what a record has to its group; what is not finite is a gap. */
function collect(columns: Columns, values: Values): void {
  const { rest } = columns;
  for (const [name, value] of Object.entries(values)) {
    if (Number.isFinite(value)) set(rest, name, value);
    else if (!Object.hasOwn(rest, name)) set(rest, name, null);
  }
}

/** The values of a group. */
function valuesAt({ m }: Columns, index: number): Values {
  const values: Record<string, number | null> = {};
  for (const [name, column] of Object.entries(m)) set(values, name, column[index] ?? null);
  return values;
}

/** Makes one group of every two. */
function halve(columns: Columns): void {
  const { step, rest } = columns;
  const groups = Math.floor(step.length / 2);
  const isOdd = step.length > 2 * groups;
  const single = isOdd ? valuesAt(columns, step.length - 1) : {};
  columns.stride *= 2;
  columns.step = Array.from({ length: groups }, (_, group) => step[2 * group + 1] as number);
  for (const [name, column] of Object.entries(columns.m)) {
    const of = (group: number) => column[2 * group + 1] ?? column[2 * group] ?? null;
    columns.m[name] = Array.from({ length: groups }, (_, group) => of(group));
  }
  columns.rest = {};
  collect(columns, single);
  collect(columns, rest);
}

/** Ends a group. */
function append(columns: Columns, step: number): void {
  const at = columns.step.length;
  columns.step.push(step);
  for (const [name, value] of Object.entries(columns.rest)) {
    if (!Object.hasOwn(columns.m, name)) set(columns.m, name, new Array(at).fill(null));
    (columns.m[name] as (number | null)[]).push(value);
  }
  columns.rest = {};
  for (const column of Object.values(columns.m)) if (column.length === at) column.push(null);
  if (columns.step.length > MOST_POINTS) halve(columns);
}

/** Counts records. @returns Whether a group ends with them. */
function endsGroup(columns: Columns, records: number): boolean {
  const { count, stride } = columns;
  columns.count += records;
  return Math.floor(columns.count / stride) > Math.floor(count / stride);
}

/** Adds a record; what is not finite is a gap. */
export function addRecord(columns: Columns, step: number, values: Values): void {
  collect(columns, values);
  if (endsGroup(columns, 1)) append(columns, step);
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
    collect(columns, valuesAt(more, index));
    if (endsGroup(columns, more.stride)) append(columns, step);
  }
  collect(columns, more.rest);
  columns.count = end;
}
