/**
 * A sweep as a person writes it: keys of a config, as a file for `--config` has them, and words of its own.
 *
 *     env: Hopper-v5          # any key of a config, for every run
 *     seeds: 0-4
 *     grid:                   # every combination of the values
 *       algorithm: [virel, beta]
 *     list:                   # these settings, each with the whole grid
 *       - {optim.targetUpdateRate: 0.001}
 *       - {optim.targetUpdateRate: 0.005}
 *     random:                 # or sobol: drawn settings, each with list and grid (samples.ts)
 *       samples: 20
 *       discount: {uniform: [0.95, 0.999]}
 */
import { nearestPath } from '../config/nearest.js';
import { nest } from '../config/parse.js';
import { askedValues, type Layer, type Values } from '../config/resolve.js';
import { LEAF_PATHS, SECTION_PATHS } from '../config/schema.js';
import { parseSeeds } from '../config/seeds.js';
import { show } from '../config/show.js';
import { VirelError } from '../errors.js';
import { refuseSeed, requireKeys, wrong } from './complaint.js';
import { drawSamples, readSamples, SAMPLED } from './samples.js';

/** Values by leaf path of the schema, such as `optim.targetUpdateRate`. */
export type FlatValues = Readonly<Record<string, unknown>>;

/** What a sweep varies, and over which seeds. */
export interface SweepDescription {
  /** Settings that differ in more than the seed, in their order; at least one. */
  readonly settings: readonly Setting[];
  readonly seeds: readonly number[];
}

/** One setting, run with every seed. */
export interface Setting {
  /** What is asked for beyond defaults and presets. */
  readonly values: FlatValues;
  /** Which of these keys the sweep varies. */
  readonly varied: readonly string[];
}

/** More runs than this are a slip of the finger. */
const MOST_RUNS = 100_000;
const OWN_WORDS = ['seeds', 'grid', 'list', ...SAMPLED] as const;
const EXAMPLE = 'grid: {algorithm: [virel, beta]}';

/**
 * Reads a sweep.
 *
 * @param content The file's content as plain values.
 * @param name The file's name, for messages.
 * @throws VirelError `CONFIG_UNKNOWN_KEY`, `CONFIG_TYPE`, `CONFIG_RANGE`, `CONFIG_CONFLICT`.
 */
export function readSweep(content: unknown, name: string): SweepDescription {
  requireKeys(content, name, { expected: 'keys', fix: EXAMPLE });
  refuseUnknown(Object.keys(content), name);
  const common = Object.entries(content).filter(([key]) => !isOwnWord(key));
  const [list, grid] = [readList(content['list'], name), readGrid(content['grid'], name)];
  const seeds = readSeeds(content, name);
  const samples = readSamples(content, name);
  const both = samples?.keys.find(([key]) => grid.has(key))?.[0];
  if (both !== undefined) {
    const message = `${name}: ${both} stands in grid and in ${samples?.section}`;
    throw wrong('CONFIG_CONFLICT', name, message, { fix: `vary ${both} in one of the two` });
  }
  const runs = [...grid.values()].reduce(
    (product, values) => product * values.length,
    list.length * seeds.length * (samples?.count ?? 1),
  );
  if (runs > MOST_RUNS) {
    const message = `${name}: ${runs} runs, at most ${MOST_RUNS} are planned`;
    const expected = `at most ${MOST_RUNS} runs`;
    throw wrong('CONFIG_RANGE', name, message, { expected, got: runs, fix: 'several sweeps' });
  }
  const points = combinations([...grid]);
  const drawn = samples === undefined ? [{}] : drawSamples(samples, name);
  // draw by draw, so that each is there with the whole list and grid before the next begins
  const settings = drawn.flatMap((sample) =>
    list.flatMap((entry) =>
      points.map((point) => {
        const varied = [
          ...layersOf(Object.entries(entry), `${name}: list`),
          ...layersOf(Object.entries(point), `${name}: grid`),
          ...layersOf(Object.entries(sample), `${name}: ${samples?.section}`),
        ];
        return settingOf(layersOf(common, name), varied);
      }),
    ),
  );
  return { settings, seeds };
}

const isOwnWord = (key: string) => OWN_WORDS.some((word) => word === key);

function refuseUnknown(keys: readonly string[], name: string): void {
  const known = [...LEAF_PATHS, ...SECTION_PATHS, ...OWN_WORDS];
  const isKnown = (key: string) =>
    isOwnWord(key) || LEAF_PATHS.has(key) || SECTION_PATHS.has(key) || key.startsWith('env.');
  const unknown = keys.find((key) => !isKnown(key));
  if (unknown === undefined) return;
  const near = nearestPath(unknown, known);
  throw new VirelError('CONFIG_UNKNOWN_KEY', `no option ${unknown.slice(0, 80)}`, {
    where: name,
    expected: `keys of a config, ${OWN_WORDS.join(', ')}`,
    got: unknown.slice(0, 80),
    fix: near === undefined ? 'npx virel-native config schema' : `did you mean ${near}?`,
  });
}

function readSeeds(content: Record<string, unknown>, name: string): number[] {
  const { seeds, seed } = content;
  if (seeds === undefined) return [typeof seed === 'number' ? seed : 0];
  const where = `${name}: seeds`;
  if (seed !== undefined) {
    const fix = 'leave seed out';
    throw wrong('CONFIG_CONFLICT', where, `${name}: seed ${show(seed)} and seeds`, { fix });
  }
  if (typeof seeds === 'string') return parseSeeds(seeds, where);
  const all = Array.isArray(seeds) ? seeds : [seeds];
  const isSeed = (each: unknown) => Number.isSafeInteger(each) && (each as number) >= 0;
  if (all.length > 0 && all.every(isSeed)) return parseSeeds(all.join(','), where);
  const expected = 'a range such as 0-4, or a list such as [0, 2, 5]';
  const message = `${where}: expected ${expected}, got ${show(seeds)}`;
  const code = all.length === 0 ? 'CONFIG_RANGE' : 'CONFIG_TYPE';
  throw wrong(code, where, message, { expected, got: seeds, fix: 'seeds: 0-4' });
}

/** The values of each key that is varied. */
function readGrid(grid: unknown, name: string): Map<string, unknown[]> {
  if (grid === undefined) return new Map();
  const where = `${name}: grid`;
  const asked = grid ?? {};
  requireKeys(asked, where, { expected: 'keys with lists of values', fix: EXAMPLE });
  const entries = Object.entries(asked);
  if (entries.length === 0) {
    const message = `${where} is empty: it has no key to vary`;
    throw wrong('CONFIG_RANGE', where, message, { fix: `${EXAMPLE}, or leave grid out` });
  }
  for (const [key, values] of entries) checkValues(key, values, where);
  return new Map(entries as [string, unknown[]][]);
}

function checkValues(key: string, values: unknown, where: string): void {
  const at = `${where}.${key}`;
  refuseSeed(key, where);
  if (!Array.isArray(values)) {
    const message = `${at}: expected a list of values, got ${show(values)}`;
    const fix = `${key}: [${show(values)}]`;
    throw wrong('CONFIG_TYPE', at, message, { expected: 'a list of values', got: values, fix });
  }
  if (values.length === 0) {
    const fix = `give ${key} values, or leave it out`;
    throw wrong('CONFIG_RANGE', at, `${at} is empty: it has no value`, { fix });
  }
  const texts = values.map((value) => JSON.stringify(value));
  const twice = texts.find((text, index) => texts.indexOf(text) < index);
  if (twice === undefined) return;
  throw wrong('CONFIG_RANGE', at, `${at} has ${twice} twice`, { fix: 'give each value once' });
}

/** The settings that are listed; one without anything where there is no list. */
function readList(list: unknown, name: string): Record<string, unknown>[] {
  if (list === undefined) return [{}];
  const where = `${name}: list`;
  const expected = 'a list of settings';
  if (list !== null && !Array.isArray(list)) {
    const message = `${where}: expected ${expected}, got ${show(list)}`;
    throw wrong('CONFIG_TYPE', where, message, { expected, got: list, fix: 'list: [{}, {}]' });
  }
  const entries = list ?? [];
  if (entries.length === 0) {
    const fix = 'list: [{algorithm: beta}], or leave list out';
    throw wrong('CONFIG_RANGE', where, `${where} is empty`, { fix });
  }
  for (const [index, entry] of entries.entries()) {
    const at = `${where}[${index}]`;
    requireKeys(entry, at, { expected: 'keys', fix: '- {algorithm: beta}' });
    for (const key of Object.keys(entry)) refuseSeed(key, at);
  }
  return entries as Record<string, unknown>[];
}

/** Every combination of the values of some keys, the last key fastest. */
function combinations(grid: readonly [string, unknown[]][]): Record<string, unknown>[] {
  return grid.reduce<Record<string, unknown>[]>(
    (points, [key, values]) =>
      points.flatMap((point) => values.map((value) => ({ ...point, [key]: value }))),
    [{}],
  );
}

type Entries = readonly (readonly [string, unknown])[];

const layersOf = (entries: Entries, origin: string): Layer[] =>
  entries.map(([key, value]) => ({ origin, values: nest(key, value) }));

function settingOf(common: readonly Layer[], varied: readonly Layer[]): Setting {
  const all = askedValues([...common, ...varied]);
  return { values: flat(all), varied: [...askedValues(varied).keys()] };
}

const flat = (values: Values): FlatValues =>
  Object.fromEntries([...values].map(([path, { value }]) => [path, value]));
