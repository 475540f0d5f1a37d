import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Argv, CommandModule } from 'yargs';
import { presets } from '../../config/presets/list.js';
import { PRESETS, type Resolution, resolveLayers } from '../../config/resolve.js';
import { configJsonSchema, LEAF_PATHS } from '../../config/schema.js';
import { show } from '../../config/show.js';
import { VirelError } from '../../errors.js';
import { prepareLayers } from '../environment.js';
import {
  type ConfigArguments,
  configLayers,
  readConfigFile,
  withConfigOptions,
} from '../options.js';
import { print, printJson } from '../output.js';

/** The value of a config at a dotted path; undefined for a key of a kind that was not chosen. */
function valueAt(config: unknown, path: string): unknown {
  return path.split('.').reduce((part, key) => (part as Record<string, unknown>)[key], config);
}

interface ShowArguments extends ConfigArguments {
  origin: boolean | undefined;
  json: boolean | undefined;
}

const showCommand: CommandModule<unknown, ShowArguments> = {
  command: 'show',
  describe: 'The whole config that train would use',
  builder: (yargs) =>
    withConfigOptions(yargs)
      .option('origin', { type: 'boolean', describe: 'Name the layer and source of every value' })
      .option('json', {
        type: 'boolean',
        describe: 'JSON instead of YAML',
      }) as unknown as Argv<ShowArguments>,
  handler: async (args) => {
    const { resolve } = await prepareLayers(configLayers(args, process.argv.slice(2)));
    const { config, origin } = resolve();
    if (args.json) printJson(args.origin ? { config, origin } : config);
    else if (args.origin) print(withOrigins({ config, origin }));
    else print(stringify(config, { schema: 'core', aliasDuplicateObjects: false }).trimEnd());
  },
};

/** `path: value  # layer: source`, one line per key. */
function withOrigins({ config, origin }: Resolution): string {
  const lines = Object.entries(origin).map(([path, layer]) => [
    `${path}: ${show(valueAt(config, path))}`,
    layer,
  ]);
  const width = Math.max(...lines.map(([left = '']) => left.length));
  return lines.map(([left = '', right = '']) => `${left.padEnd(width)}  # ${right}`).join('\n');
}

const validateCommand: CommandModule<unknown, { files: string[]; json?: boolean }> = {
  command: 'validate <files..>',
  describe: 'Check config files, together, in order',
  builder: (yargs) =>
    yargs
      .positional('files', {
        type: 'string',
        array: true,
        demandOption: true,
        describe: 'YAML or JSON',
      })
      .option('json', { type: 'boolean', describe: '{ok} on standard output' }) as unknown as Argv<{
      files: string[];
      json?: boolean;
    }>,
  handler: async ({ files, json }) => {
    const layers = files.map((path) => ({ origin: `file ${path}`, values: readConfigFile(path) }));
    (await prepareLayers(layers)).resolve();
    if (json) printJson({ ok: true, files });
    else print(`valid: ${files.join(', ')}`);
  },
};

const schemaCommand: CommandModule<unknown, { json?: boolean }> = {
  command: 'schema',
  describe: 'JSON Schema of a config file, for editors',
  builder: (yargs) =>
    yargs.option('json', { type: 'boolean', describe: 'On one line' }) as Argv<{ json?: boolean }>,
  handler: ({ json }) => {
    if (json) printJson(configJsonSchema());
    else print(JSON.stringify(configJsonSchema(), null, 2));
  },
};

const presetsCommand: CommandModule<unknown, { json?: boolean }> = {
  command: 'presets',
  describe: 'The presets, one line each',
  builder: (yargs) =>
    yargs.option('json', { type: 'boolean', describe: 'A JSON list' }) as Argv<{ json?: boolean }>,
  handler: ({ json }) => {
    const all = presets();
    if (json) printJson(all);
    else print(all.map(({ name, summary }) => `${name.padEnd(10)}${summary}`).join('\n'));
  },
};

/** A value, or that the config has no such key. */
const orNone = (value: unknown) => (value === undefined ? '(none)' : show(value));

/** A preset, a config file, or a run folder. */
async function resolveNamed(name: string): Promise<Resolution> {
  if (Object.hasOwn(PRESETS, name))
    return resolveLayers([{ origin: name, values: { preset: name } }]);
  const inRun = join(name, 'config.yaml');
  const path = existsSync(inRun) ? inRun : name;
  if (!existsSync(path)) {
    throw new VirelError('CLI_USAGE', `${name} is no preset, file or run folder`, {
      where: 'config diff',
      expected: `${Object.keys(PRESETS).join(', ')}, a file, or a run folder`,
      got: name,
      fix: 'npx virel-native config presets',
    });
  }
  const layers = [{ origin: `file ${path}`, values: readConfigFile(path) }];
  return (await prepareLayers(layers)).resolve();
}

const diffCommand: CommandModule<unknown, { a: string; b: string; json?: boolean }> = {
  command: 'diff <a> <b>',
  describe: 'Keys in which two presets, files or run folders differ',
  builder: (yargs) =>
    yargs
      .positional('a', { type: 'string', demandOption: true })
      .positional('b', { type: 'string', demandOption: true })
      .option('json', { type: 'boolean', describe: '[{key, a, b}]' }) as unknown as Argv<{
      a: string;
      b: string;
      json?: boolean;
    }>,
  handler: async (args) => {
    const { config: a } = await resolveNamed(args.a);
    const { config: b } = await resolveNamed(args.b);
    const differing = [...LEAF_PATHS]
      .map((key) => ({ key, a: valueAt(a, key), b: valueAt(b, key) }))
      .filter((row) => show(row.a) !== show(row.b));
    if (args.json) printJson(differing);
    else for (const row of differing) print(`${row.key}: ${orNone(row.a)} -> ${orNone(row.b)}`);
  },
};

/** `virel-native config`: works without the native part. */
export const configCommand: CommandModule = {
  command: 'config',
  describe: 'Show, check and compare configs',
  builder: (yargs) =>
    yargs
      .command(showCommand)
      .command(validateCommand)
      .command(schemaCommand)
      .command(presetsCommand)
      .command(diffCommand)
      .demandCommand(1, 'config: say what to do: show, validate, schema, presets or diff')
      .example('$0 config show --env Hopper-v5 --origin', 'every value and its source'),
  handler: () => {},
};
