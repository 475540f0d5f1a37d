/** Values that carry their source, and the trees of them that defaults and presets are written in. */

/** A value and where it was taken from. */
export class Sourced<T> {
  constructor(
    readonly value: T,
    /** The publication, script or reason. */
    readonly source: string,
  ) {}
}

/** States a value with its source. */
export function sourced<const T>(value: T, source: string): Sourced<T> {
  return new Sourced(value, source);
}

/** Some keys of `T`, each leaf with its source. */
export type SourcedTree<T> = T extends readonly unknown[]
  ? Sourced<Readonly<T>>
  : T extends object
    ? { readonly [K in keyof T]?: SourcedTree<T[K]> }
    : Sourced<T>;

/** Splits a tree into its plain values and the source of each leaf by dotted path. */
export function unwrap(tree: object): {
  values: Record<string, unknown>;
  sources: Map<string, string>;
} {
  const sources = new Map<string, string>();
  const plain = (part: object, prefix: string): Record<string, unknown> =>
    Object.fromEntries(
      Object.entries(part).map(([key, value]) => {
        if (!(value instanceof Sourced)) return [key, plain(value as object, `${prefix}${key}.`)];
        sources.set(prefix + key, value.source);
        return [key, value.value];
      }),
    );
  return { values: plain(tree, ''), sources };
}
