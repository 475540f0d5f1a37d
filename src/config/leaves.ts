/** A config as its values alone, by dotted path. */

/** Whether a value holds others by name; a list is a value of its own. */
export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Values by dotted path, in the order of the keys: `{a: {b: 1, c: [2]}}` has 1 at `a.b` and [2] at `a.c`. */
export function leavesOf(part: object, prefix = ''): Map<string, unknown> {
  return new Map(
    Object.entries(part).flatMap(([key, value]) =>
      isObject(value)
        ? [...leavesOf(value, `${prefix}${key}.`)]
        : [[prefix + key, value] as [string, unknown]],
    ),
  );
}
