/** Flags that set config keys; what they accept, mean and default to is read off the schema and the defaults. */
import { readFileSync } from 'node:fs';
import type { Argv } from 'yargs';
import { defaults } from '../config/defaults.js';
import { SHORT_NAMES } from '../config/options.js';
import { nest, parseAssignment, parseConfigFile, parseScalar } from '../config/parse.js';
import { paper } from '../config/presets/paper.js';
import type { Layer } from '../config/resolve.js';
import { describeKey, leafSchema } from '../config/schema.js';
import { unwrap } from '../config/sourced.js';
import { VirelError } from '../errors.js';
import { fileError } from '../training/files.js';

interface Flag {
  /** Kebab case, without dashes. */
  readonly name: string;
  readonly alias?: string;
  /** The config key it sets. */
  readonly path: string;
}

const kebab = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** Keys whose flag has their own name, or one that is shorter than in Node. */
const OWN_NAMES: readonly Flag[] = [
  { name: 'env', path: 'env.id' },
  { name: 'env-module', path: 'env.module' },
  { name: 'algorithm', alias: 'algo', path: 'algorithm' },
  { name: 'preset', path: 'preset' },
  { name: 'steps', path: 'steps' },
  { name: 'seed', path: 'seed' },
  { name: 'keep', path: 'checkpoint.keep' },
];

/** Every flag that is short for a config key. */
export const CONFIG_FLAGS: readonly Flag[] = [
  ...OWN_NAMES,
  ...Object.entries(SHORT_NAMES).map(([name, path]) => ({ name: kebab(name), path })),
];

/** Whether a key takes numbers; then the text of its flag is read as YAML would. */
const takesNumbers = (path: string) => leafSchema(path).safeParse(1).success;
const takesText = (path: string) => leafSchema(path).safeParse('5m').success;

/** A key's value without any flag or file, and in short where that comes from. */
function describeDefault(path: string): string {
  const layers = [paper.values, defaults].map(unwrap);
  const layer = layers.find(({ sources }) => sources.has(path));
  const source = layer?.sources.get(path) ?? '';
  const value = path
    .split('.')
    .reduce<unknown>(
      (part, key) => (part as Record<string, unknown> | undefined)?.[key],
      layer?.values,
    );
  // where the machine or the task decides, the source says how
  if (value === null) return source;
  return `${value}, ${source.split(':')[0]?.replace('our choice', 'ours')}`;
}

/** Help of a flag as the schema and the defaults have it. */
function describeFlag({ path }: Flag): { describe: string; defaultDescription: string } {
  return {
    describe: describeKey(path).split(';')[0] ?? '',
    defaultDescription: describeDefault(path),
  };
}

/** What the parser makes of these flags. */
export interface ConfigArguments {
  config?: string[] | undefined;
  set?: string[] | undefined;
  [name: string]: unknown;
}

/** Adds the flags of a config to a verb. */
export function withConfigOptions<T>(yargs: Argv<T>): Argv<T & ConfigArguments> {
  for (const flag of CONFIG_FLAGS) {
    const { name, alias, path } = flag;
    yargs.option(name, {
      type: 'string',
      requiresArg: true,
      ...describeFlag(flag),
      ...(alias && { alias }),
    });
    // help says number; the text still comes as it was typed
    if (takesNumbers(path) && !takesText(path)) yargs.number(name);
  }
  const list = { type: 'string', array: true, nargs: 1 } as const;
  return yargs
    .option('config', { ...list, describe: 'YAML or JSON file; repeatable' })
    .option('set', { ...list, describe: 'Any key: path.to.key=value; repeatable' }) as Argv<
    T & ConfigArguments
  >;
}

const camel = (name: string) => name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());

/** The values of a config file. */
export function readConfigFile(path: string): unknown {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    const refused = fileError(error, path);
    const reason = refused instanceof Error ? refused.message : String(refused);
    throw new VirelError('CLI_USAGE', `--config ${reason}`, {
      where: '--config',
      got: path,
      fix: 'give the path of a YAML or JSON file',
      cause: error,
    });
  }
  return parseConfigFile(bytes, path);
}

/**
 * The layers that were asked for: files in order, then flags and `--set` in the order of the command line.
 *
 * @param argv The words behind the verb, for their order.
 */
export function configLayers(args: ConfigArguments, argv: readonly string[]): Layer[] {
  const files = (args.config ?? []).map((path) => ({
    origin: `file ${path}`,
    values: readConfigFile(path),
  }));
  const sets = [...(args.set ?? [])];
  const flags: Layer[] = [];
  for (const word of argv) {
    const name = /^--?([^=]+)/.exec(word)?.[1];
    if (name === undefined) continue;
    if (name === 'set' && sets.length > 0) {
      const assignment = sets.shift() as string;
      flags.push({ origin: `--set ${assignment}`, values: parseAssignment(assignment) });
    }
    const flag = CONFIG_FLAGS.find((each) =>
      [each.name, each.alias, camel(each.name)].includes(name),
    );
    if (flag === undefined) continue;
    const text = String(args[flag.name]);
    const value = takesNumbers(flag.path) ? parseScalar(text, `--${flag.name}`) : text;
    flags.push({ origin: `--${flag.name}`, values: nest(flag.path, value) });
  }
  return [...files, ...flags];
}
