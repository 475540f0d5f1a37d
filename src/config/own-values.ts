/** What a preset says of one algorithm beyond what it says of all: the values that set the algorithm apart. */
import { defaults } from './defaults.js';
import type { Preset } from './presets/preset.js';
import { KINDS, LEAF_PATHS } from './schema.js';
import { show } from './show.js';
import { type Sourced, unwrap } from './sourced.js';

/** A value with its key and source. */
export interface OwnValue {
  readonly key: string;
  readonly value: unknown;
  readonly source: string;
  /** The tasks it is for, without their versions; undefined for every task. */
  readonly tasks?: readonly string[];
}

type Leaf = Pick<Sourced<unknown>, 'value' | 'source'>;
type Leaves = ReadonlyMap<string, Leaf>;

/** The leaves of a sourced tree. */
function leavesOf(tree: object): Leaves {
  const { values, sources } = unwrap(tree);
  const at = (path: string) =>
    path.split('.').reduce<unknown>((part, key) => (part as Record<string, unknown>)[key], values);
  return new Map([...sources].map(([path, source]) => [path, { value: at(path), source }]));
}

const same = (a: Leaf, b: Leaf | undefined) => show(a.value) === show(b?.value);

/** The keys of the kinds that these values choose. */
function keysOfKinds(values: Leaves): string[] {
  return [...KINDS].flatMap(([section, kinds]) => {
    const kind = values.get(`${section}.kind`);
    return kind === undefined ? [] : [...(kinds.get(String(kind.value)) ?? [])];
  });
}

/** Values that several tasks share, once. */
function byValue(ofTasks: readonly (readonly [string, Leaves])[], keys: readonly string[]) {
  return keys.flatMap((key): OwnValue[] => {
    const found = new Map<string, { leaf: Leaf; tasks: string[] }>();
    for (const [task, leaves] of ofTasks) {
      const leaf = leaves.get(key);
      if (leaf === undefined) continue;
      const group = found.get(show(leaf.value)) ?? { leaf, tasks: [] };
      group.tasks.push(task);
      found.set(show(leaf.value), group);
    }
    return [...found.values()].map(({ leaf, tasks }) => ({ key, ...leaf, tasks }));
  });
}

/**
 * The values of an algorithm's block that differ from what stands beneath it, on any task, and all keys of the kinds it
 * chooses, in the schema's order; those for some tasks only come last.
 *
 * @param name Public name of the algorithm.
 */
export function ownValues(preset: Preset, name: string): OwnValue[] {
  const block = preset.algorithms[name] ?? { values: {} };
  const own = leavesOf(block.values);
  const beneath: Leaves = new Map([...leavesOf(defaults), ...leavesOf(preset.values)]);
  const all: Leaves = new Map([...beneath, ...own]);
  const tasks = Object.entries(preset.tasks).map(([task, tree]) => [task, leavesOf(tree)] as const);
  const differs = (key: string, leaf: Leaf) =>
    !same(leaf, beneath.get(key)) ||
    tasks.some(([, leaves]) => leaves.has(key) && !same(leaf, leaves.get(key)));
  const ofKinds = new Set(keysOfKinds(own));
  const keys = [...LEAF_PATHS].filter((key) => {
    const leaf = own.get(key);
    return ofKinds.has(key) || (leaf !== undefined && differs(key, leaf));
  });
  const everywhere = keys.flatMap((key) => {
    const leaf = all.get(key);
    return leaf === undefined ? [] : [{ key, ...leaf }];
  });
  // of the preset's own tasks, what the block leaves open
  const open = tasks.map(
    ([task, leaves]) => [task, new Map([...leaves].filter(([key]) => !own.has(key)))] as const,
  );
  const ofBlock = Object.entries(block.tasks ?? {}).map(
    ([task, tree]) => [task, leavesOf(tree)] as const,
  );
  return [...everywhere, ...byValue(open, [...ofKinds]), ...byValue(ofBlock, [...LEAF_PATHS])];
}
