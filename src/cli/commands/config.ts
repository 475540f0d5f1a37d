import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Argv, CommandModule } from 'yargs';
import { PRESETS, type Resolution, resolveLayers } from '../../config/resolve.js';
import { configJsonSchema, LEAF_PATHS } from '../../config/schema.js';
import { show } from '../../config/show.js';
import { VirelError } from '../../errors.js';
import {
  type ConfigArguments,
  configLayers,
  readConfigFile,
  withConfigOptions,
} from '../options.js';
import { print, printJson } from '../output.js';

/** The value of a config at a dotted path. */
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
  handler: (args) => {
    const { config, origin } = resolveLayers(configLayers(args, process.argv.slice(2)));
    if (args.json) printJson(args.origin ? { config, origin } : config);
    else if (args.origin) print(withOrigins({ config, origin }));
    else print(stringify(config, { schema: 'core', aliasDuplicateObjects: false }).trimEnd());
  },
};

/** `path: value  # layer: source`, one line per key. */
function withOrigins({ config, origin }: Resolution): string {
  // options that the task has not, or has at their defaults, are left out
  const present = [...LEAF_PATHS].filter((path) => valueAt(config, path) !== undefined);
  const lines = present.map((path) => [
    `${path}: ${show(valueAt(config, path))}`,
    origin[path] ?? '',
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
  handler: ({ files, json }) => {
    resolveLayers(files.map((path) => ({ origin: `file ${path}`, values: readConfigFile(path) })));
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
    const presets = Object.entries(PRESETS).map(([name, { summary }]) => ({ name, summary }));
    if (json) printJson(presets);
    else print(presets.map(({ name, summary }) => `${name.padEnd(10)}${summary}`).join('\n'));
  },
};

/** A preset, a config file, or a run folder. */
function resolveNamed(name: string): Resolution {
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
  return resolveLayers([{ origin: `file ${path}`, values: readConfigFile(path) }]);
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
  handler: (args) => {
    const [a, b] = [resolveNamed(args.a).config, resolveNamed(args.b).config];
    const differing = [...LEAF_PATHS]
      .map((key) => ({ key, a: valueAt(a, key), b: valueAt(b, key) }))
      .filter((row) => show(row.a) !== show(row.b));
    if (args.json) printJson(differing);
    else for (const row of differing) print(`${row.key}: ${show(row.a)} -> ${show(row.b)}`);
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
