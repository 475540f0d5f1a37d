/** Flags that set config keys: one record each; what they accept and mean is the schema's. */
import { readFileSync } from 'node:fs';
import type { Argv } from 'yargs';
import { nest, parseAssignment, parseConfigFile, parseScalar } from '../config/parse.js';
import type { Layer } from '../config/resolve.js';
import { VirelError } from '../errors.js';
import { fileError } from '../training/files.js';

interface Flag {
  /** Kebab case, without dashes. */
  readonly name: string;
  readonly alias?: string;
  /** The config key it sets. */
  readonly path: string;
  /** Shown in the help. */
  readonly describe: string;
  /** The value is text, never a number. */
  readonly text?: true;
}

/** Every flag that is short for a config key. */
export const CONFIG_FLAGS: readonly Flag[] = [
  { name: 'env', path: 'env.id', text: true, describe: 'Task [HalfCheetah-v5]; see envs' },
  {
    name: 'algorithm',
    alias: 'algo',
    path: 'algorithm',
    text: true,
    describe: 'Algorithm [virel]',
  },
  { name: 'preset', path: 'preset', text: true, describe: 'paper, paper-v1 or modern [paper]' },
  { name: 'steps', path: 'steps', describe: 'Environment steps [1000000]' },
  { name: 'seed', path: 'seed', describe: 'Seed of all random streams [0]' },
  {
    name: 'threads',
    path: 'runtime.threads',
    describe: 'Threads of the learner [cores, at most 2]',
  },
  {
    name: 'device',
    path: 'runtime.device',
    text: true,
    describe: 'cpu, cuda or cuda:<index> [cpu]',
  },
  {
    name: 'engine',
    path: 'runtime.engine',
    text: true,
    describe: 'kernel or tensor [kernel on cpu]',
  },
  { name: 'eval-every', path: 'evaluation.every', describe: 'Steps between evaluations [1000]' },
  {
    name: 'eval-episodes',
    path: 'evaluation.episodes',
    describe: 'Episodes of each [over 1000 steps]',
  },
  {
    name: 'checkpoint-every',
    path: 'checkpoint.every',
    describe: 'Steps, or time such as 5m [5m]',
  },
  {
    name: 'log-interval',
    path: 'logging.interval',
    text: true,
    describe: 'Between progress lines off a terminal [10s]',
  },
];

/** What the parser makes of these flags. */
export interface ConfigArguments {
  config?: string[] | undefined;
  set?: string[] | undefined;
  [name: string]: unknown;
}

/** Adds the flags of a config to a verb. */
export function withConfigOptions<T>(yargs: Argv<T>): Argv<T & ConfigArguments> {
  for (const { name, alias, describe } of CONFIG_FLAGS) {
    yargs.option(name, { type: 'string', requiresArg: true, describe, ...(alias && { alias }) });
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
    const value = flag.text ? text : parseScalar(text, `--${flag.name}`);
    flags.push({ origin: `--${flag.name}`, values: nest(flag.path, value) });
  }
  return [...files, ...flags];
}

/** `0-4`, `0,2,5` or `3` as seeds, each once. */
export function parseSeeds(text: string): number[] {
  const refuse = (reason: string) =>
    new VirelError('CONFIG_RANGE', `--seeds ${text}: ${reason}`, {
      where: '--seeds',
      expected: 'a range such as 0-4, or a list such as 0,2,5',
      got: text,
      fix: '--seeds 0-4',
    });
  const seeds = text.split(',').flatMap((part) => {
    const [, first, last = first] = /^(\d{1,15})(?:-(\d{1,15}))?$/.exec(part) ?? [];
    if (first === undefined) throw refuse('not a list of seeds');
    const [from, to] = [Number(first), Number(last)];
    if (to < from) throw refuse(`${to} is before ${from}`);
    if (to - from >= 10_000) throw refuse('more than 10,000 seeds');
    return Array.from({ length: to - from + 1 }, (_, index) => from + index);
  });
  if (new Set(seeds).size < seeds.length) throw refuse('a seed twice');
  return seeds;
}
