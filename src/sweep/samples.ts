/**
 * Settings that are drawn instead of listed: the sections `random` and `sobol` of a sweep's file.
 *
 *     random:
 *       samples: 20
 *       seed: 1                 # of the draws; 0 where it is left out
 *       optim.policyLearningRate: {logUniform: [1e-4, 1e-2]}
 *       replay.batchSize: {choice: [64, 128, 256]}
 *
 * What is drawn for a key depends on (seed, key), for Sobol's sequence also on its place among the keys: the plan is the same each
 * time, more samples leave the first ones as they were, and another key behind them changes none of the others.
 */
import { createHash } from 'node:crypto';
import { show } from '../config/show.js';
import { uniformStream } from '../random/stream.js';
import { refuseSeed, requireKeys, wrong } from './complaint.js';
import { type Distribution, readDistribution, sizeOf, valueAt } from './distribution.js';
import { MOST_DIMENSIONS, sobolDimension } from './sobol.js';

/** The sections' names. */
export const SAMPLED = ['random', 'sobol'] as const;

/** What is drawn. */
export interface Samples {
  readonly section: (typeof SAMPLED)[number];
  /** Settings to draw. */
  readonly count: number;
  readonly seed: number;
  readonly keys: readonly (readonly [key: string, distribution: Distribution])[];
}

const EXAMPLE = '{samples: 20, optim.policyLearningRate: {logUniform: [1e-4, 1e-2]}}';

/**
 * Reads what is to be drawn; undefined where a file has neither section.
 *
 * @param name The file's, for messages.
 * @throws VirelError `CONFIG_TYPE`, `CONFIG_RANGE`, `CONFIG_CONFLICT`.
 */
export function readSamples(content: Record<string, unknown>, name: string): Samples | undefined {
  const [section, other] = SAMPLED.filter((each) => content[each] !== undefined);
  if (section === undefined) return undefined;
  if (other !== undefined) {
    const message = `${name}: ${section} and ${other} both draw settings`;
    throw wrong('CONFIG_CONFLICT', name, message, { fix: 'keep one of the two' });
  }
  const where = `${name}: ${section}`;
  const given = content[section];
  requireKeys(given, where, {
    expected: 'samples, and keys with distributions',
    fix: `${section}: ${EXAMPLE}`,
  });
  const { samples, seed = 0, ...rest } = given;
  const keys = Object.entries(rest).map(([key, distribution]) => {
    refuseSeed(key, where);
    return [key, readDistribution(key, distribution, `${where}.${key}`)] as const;
  });
  if (keys.length === 0) {
    const message = `${where} has no key to vary`;
    throw wrong('CONFIG_RANGE', where, message, { fix: `${section}: ${EXAMPLE}` });
  }
  if (section === 'sobol' && keys.length > MOST_DIMENSIONS) {
    const message = `${where}: ${keys.length} keys, at most ${MOST_DIMENSIONS}`;
    throw wrong('CONFIG_RANGE', where, message, { fix: 'random, which has no such limit' });
  }
  const count = readWhole(samples, 1, `${where}.samples`, 'samples: 20');
  const drawn = { section, count, seed: readWhole(seed, 0, `${where}.seed`, 'seed: 0'), keys };
  const different = keys.reduce((product, [, each]) => product * sizeOf(each), 1);
  if (count > different) throw tooFew(drawn, different, where);
  return drawn;
}

function readWhole(value: unknown, least: number, at: string, fix: string): number {
  if (Number.isSafeInteger(value) && (value as number) >= least) return value as number;
  const expected = `a whole number, at least ${least}`;
  const message =
    value === undefined
      ? `${at} is missing: how many settings to draw`
      : `${at}: expected ${expected}, got ${show(value)}`;
  const code = typeof value === 'number' ? 'CONFIG_RANGE' : 'CONFIG_TYPE';
  throw wrong(code, at, message, { expected, got: value, fix });
}

function tooFew({ count, section }: Samples, different: number, where: string) {
  const settings = `different setting${different === 1 ? '' : 's'}`;
  const message = `${where}: ${count} samples, but only ${different} ${settings}`;
  const fix = `samples: ${different}, or the same keys as grid instead of ${section}`;
  return wrong('CONFIG_RANGE', where, message, { fix });
}

/** Numbers of [0, 1) for one key, by the index of the draw; asked for in order. */
type Shares = (index: number) => number;

const numberOf = (key: string) => createHash('sha256').update(key).digest().readUIntBE(0, 6);

function sharesOf({ section, seed }: Samples, key: string, dimension: number): Shares {
  const next = uniformStream(seed, 'sweep', numberOf(key));
  return section === 'random' ? next : sobolDimension(dimension, Math.floor(next() * 2 ** 32));
}

/** Draws until so many differ: at most this many, or a hundred for each that is wanted. */
const LEAST_DRAWS = 1000;

/**
 * Draws the settings, each another one.
 *
 * @throws VirelError `CONFIG_RANGE` where bounds are so close that there are not as many.
 */
export function drawSamples(samples: Samples, name: string): Record<string, unknown>[] {
  const { keys, count, section } = samples;
  const shares = keys.map(([key], dimension) => sharesOf(samples, key, dimension));
  const drawn = new Map<string, Record<string, unknown>>();
  const most = Math.max(LEAST_DRAWS, 100 * count);
  for (let index = 0; index < most && drawn.size < count; index += 1) {
    const entries = keys.map(
      ([key, distribution], at) =>
        [key, valueAt(distribution, (shares[at] as Shares)(index))] as const,
    );
    const text = JSON.stringify(entries);
    if (!drawn.has(text)) drawn.set(text, Object.fromEntries(entries));
  }
  if (drawn.size < count) throw tooFew(samples, drawn.size, `${name}: ${section}`);
  return [...drawn.values()];
}
