/** What never changes about a run: its config with the origin of every value, and its versions. */

import { isObject, leavesOf } from '../config/leaves.js';
import { parseConfigFile } from '../config/parse.js';
import { isVirelError } from '../errors.js';
import { readInside } from './inside.js';
import { readEntry, readObject } from './run-entry.js';
import type { ConfigRow, RunFacts } from './shared/wire.js';

const MOST_BYTES = 1 << 20;
/** Keys that are places on the disk of the run's author: nobody else's business, and of no use to them. */
const PLACES = /^env\.(modelDir|modelFile|taskFile|module)$/;

/** The name of a file instead of its place. */
const withoutPlace = (text: string) => text.replace(/^.*[/\\]/, '');

function rowOf(key: string, value: unknown, origin: unknown): ConfigRow {
  const said = typeof origin === 'string' ? origin.replace(/^file .*$/s, 'a config file') : '';
  const shown =
    typeof value === 'string' && PLACES.test(key) ? withoutPlace(value) : JSON.stringify(value);
  return [key, String(shown).replace(/^"(.*)"$/s, '$1'), said.replace(/(=).*[/\\]/s, '$1')];
}

async function configOf(dir: string): Promise<Record<string, unknown> | string> {
  const bytes = await readInside(dir, 'config.yaml', MOST_BYTES);
  if (bytes === undefined) return 'config.yaml is missing or cannot be read';
  try {
    const config = parseConfigFile(bytes, 'config.yaml');
    return isObject(config) ? config : 'config.yaml holds no config';
  } catch (error) {
    return isVirelError(error) ? error.message : 'config.yaml cannot be read';
  }
}

const VERSIONS = ['package', 'torch', 'mujoco', 'node'] as const;

/** Reads the description of a run; what cannot be read is said in `problems`. */
export async function readFacts(dir: string, name: string): Promise<RunFacts> {
  const [entry, config, origin, run] = await Promise.all([
    readEntry(dir, name),
    configOf(dir),
    readObject(dir, 'config.origin.json'),
    readObject(dir, 'run.json'),
  ]);
  const values = typeof config === 'string' ? {} : config;
  const versions = isObject(run['versions']) ? run['versions'] : {};
  const steps = values['steps'];
  return {
    entry,
    steps: typeof steps === 'number' ? steps : null,
    config: [...leavesOf(values)].map(([key, value]) => rowOf(key, value, origin[key])),
    versions: VERSIONS.flatMap((part) => {
      const version = versions[part];
      const shown = part === 'package' ? 'virel-native' : part;
      return typeof version === 'string' ? [[shown, version] as const] : [];
    }),
    problems: typeof config === 'string' ? [config] : [],
  };
}
