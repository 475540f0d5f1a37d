/** Where the values of a sampled key come from: `{uniform: [0.9, 0.999]}` in a sweep's file. */
import { nearest } from '../config/nearest.js';
import { LEAF_PATHS, leafSchema, SECTION_PATHS } from '../config/schema.js';
import { show } from '../config/show.js';
import type { VirelError } from '../errors.js';
import { requireKeys, wrong } from './complaint.js';

const KINDS = ['uniform', 'logUniform', 'integer', 'choice'] as const;

/** The values of a key; bounds are included. */
export type Distribution =
  | {
      readonly kind: 'uniform' | 'logUniform' | 'integer';
      readonly low: number;
      readonly high: number;
    }
  | { readonly kind: 'choice'; readonly values: readonly unknown[] };

/** What Optuna, W&B, Ray Tune and Hydra call them. */
const ELSEWHERE: Readonly<Record<string, (typeof KINDS)[number]>> = {
  min: 'uniform',
  max: 'uniform',
  float: 'uniform',
  interval: 'uniform',
  loguniform: 'logUniform',
  log_uniform: 'logUniform',
  log_uniform_values: 'logUniform',
  int: 'integer',
  int_uniform: 'integer',
  randint: 'integer',
  range: 'integer',
  values: 'choice',
  categorical: 'choice',
};

const EXAMPLES: Readonly<Record<(typeof KINDS)[number], string>> = {
  uniform: '{uniform: [0.9, 0.999]}',
  logUniform: '{logUniform: [1e-4, 1e-2]}',
  integer: '{integer: [1, 8]}',
  choice: '{choice: [64, 128, 256]}',
};

/** Significant digits of a drawn number: enough for any setting, and short enough to read in a folder's name. */
const DIGITS = 6;

/**
 * Reads the distribution of a key.
 *
 * @param at The file, the section and the key, for messages.
 * @throws VirelError `CONFIG_TYPE`, `CONFIG_RANGE`.
 */
export function readDistribution(key: string, given: unknown, at: string): Distribution {
  requireKeys(given, at, {
    expected: `one of ${Object.values(EXAMPLES).join(', ')}`,
    fix: `${key}: ${EXAMPLES.uniform}`,
  });
  const [name = '', ...others] = Object.keys(given);
  const kind = KINDS.find((each) => each === name);
  if (kind === undefined || others.length > 0) throw unknownDistribution(key, given, at);
  const value = given[name];
  if (kind === 'choice') return { kind, values: readChoice(key, value, at) };
  const [low, high] = readBounds(kind, key, value, at);
  const distribution = { kind, low, high };
  checkBetween(key, distribution, `${at}.${kind}`);
  return distribution;
}

function unknownDistribution(key: string, given: Record<string, unknown>, at: string): VirelError {
  const names = Object.keys(given);
  const name = names.find((each) => !KINDS.some((kind) => kind === each)) ?? '';
  const isOne = names.length === 1;
  const message = isOne
    ? `${at}: no distribution ${name.slice(0, 80)}`
    : `${at}: expected one distribution, got ${names.length} keys`;
  if (SECTION_PATHS.has(key)) {
    const fix = `${key}.${name}: ${EXAMPLES.uniform}`;
    const expected = 'the whole path of a key';
    throw wrong('CONFIG_TYPE', at, `${at}: ${key} is a section`, { expected, got: given, fix });
  }
  const near = ELSEWHERE[name] ?? nearest(name, KINDS) ?? 'uniform';
  return wrong('CONFIG_TYPE', at, message, {
    expected: `one of ${KINDS.join(', ')}`,
    got: given,
    fix: `${key}: ${EXAMPLES[near as (typeof KINDS)[number]]}`,
  });
}

function readChoice(key: string, values: unknown, at: string): readonly unknown[] {
  const fix = `${key}: ${EXAMPLES.choice}`;
  if (!Array.isArray(values)) {
    const expected = 'a list of values';
    const message = `${at}.choice: expected ${expected}, got ${show(values)}`;
    throw wrong('CONFIG_TYPE', at, message, { expected, got: values, fix });
  }
  if (values.length === 0)
    throw wrong('CONFIG_RANGE', at, `${at}.choice is empty: it has no value`, { fix });
  const texts = values.map((value) => JSON.stringify(value));
  const twice = texts.find((text, index) => texts.indexOf(text) < index);
  if (twice === undefined) return values;
  const message = `${at}.choice has ${twice} twice`;
  throw wrong('CONFIG_RANGE', at, message, { fix: 'give each value once: all are equally likely' });
}

type Bounded = Exclude<(typeof KINDS)[number], 'choice'>;

function readBounds(kind: Bounded, key: string, bounds: unknown, at: string): [number, number] {
  const place = `${at}.${kind}`;
  const fix = `${key}: ${EXAMPLES[kind]}`;
  const isWhole = kind === 'integer';
  const isNumber = (value: unknown): value is number =>
    isWhole ? Number.isSafeInteger(value) : Number.isFinite(value);
  if (!Array.isArray(bounds) || bounds.length !== 2 || !bounds.every(isNumber)) {
    const expected = `[least, most], two ${isWhole ? 'whole ' : ''}numbers`;
    const message = `${place}: expected ${expected}, got ${show(bounds)}`;
    throw wrong('CONFIG_TYPE', at, message, { expected, got: bounds, fix });
  }
  const [low, high] = bounds as [number, number];
  if (low >= high) {
    const message = `${place}: ${low} is not below ${high}`;
    const turned = low > high ? `${key}: {${kind}: [${high}, ${low}]}` : `${key}: ${low}, outside`;
    const details = { expected: 'the smaller number first', got: bounds, fix: turned };
    throw wrong('CONFIG_RANGE', at, message, details);
  }
  if (kind === 'logUniform' && low <= 0) {
    const message = `${place}: ${low} has no logarithm`;
    throw wrong('CONFIG_RANGE', at, message, { expected: 'numbers above 0', got: bounds, fix });
  }
  for (const bound of [low, high]) checkBound(key, bound, place);
  return [low, high];
}

/** Refuses a bound that the key may not have: whether a sweep is right does not depend on what is drawn. */
function checkBound(key: string, bound: number, at: string): void {
  if (!LEAF_PATHS.has(key)) return;
  const checked = leafSchema(key).safeParse(bound);
  if (checked.success) return;
  const [issue] = checked.error.issues;
  const message = `${at}: ${key} cannot be ${bound}`;
  throw wrong('CONFIG_RANGE', at, message, {
    expected: issue?.message ?? `a value of ${key}`,
    got: bound,
    fix: `npx virel-native config schema says what ${key} may be`,
  });
}

/** Refuses numbers with a fraction where the key takes whole ones. */
function checkBetween(
  key: string,
  distribution: Exclude<Distribution, { kind: 'choice' }>,
  at: string,
): void {
  if (distribution.kind === 'integer' || !LEAF_PATHS.has(key)) return;
  const { low, high } = distribution;
  const between = low + (high - low) / Math.E;
  if (leafSchema(key).safeParse(between).success) return;
  const message = `${at}: ${key} takes whole numbers`;
  const fix = `${key}: {integer: [${Math.ceil(low)}, ${Math.floor(high)}]}, or choice`;
  throw wrong('CONFIG_TYPE', at, message, { expected: 'integer or choice', fix });
}

/** Different values that there are; infinite where they are not counted. */
export function sizeOf(distribution: Distribution): number {
  if (distribution.kind === 'choice') return distribution.values.length;
  if (distribution.kind !== 'integer') return Number.POSITIVE_INFINITY;
  return distribution.high - distribution.low + 1;
}

/** The value at a share of the distribution. @param share In [0, 1). */
export function valueAt(distribution: Distribution, share: number): unknown {
  if (distribution.kind === 'choice')
    return distribution.values[Math.floor(share * distribution.values.length)];
  const { kind, low, high } = distribution;
  switch (kind) {
    case 'integer':
      return low + Math.floor(share * (high - low + 1));
    case 'uniform':
      return rounded(low + share * (high - low), low, high);
    case 'logUniform':
      return rounded(low * (high / low) ** share, low, high);
  }
}

const rounded = (value: number, low: number, high: number) =>
  Math.min(high, Math.max(low, Number(value.toPrecision(DIGITS))));
