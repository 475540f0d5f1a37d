import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import type * as Native from '../../index.d.ts';
import { missingModel } from '../environments/models.js';
import { isVirelError, VirelError } from '../errors.js';
import { checkLibraries } from '../setup/libraries.js';
import { readManifest } from '../setup/manifest.js';
import { locate, type Places, packageVersion, type Variables } from '../setup/places.js';

/**
 * The addon's own interface, generated from the Rust binding. Values it makes are of Node's main realm: test
 * them with `ArrayBuffer.isView`, `Array.isArray` and `error.code`, never with `instanceof`.
 */
export type Addon = typeof Native;

let loaded: Addon | undefined;

/**
 * Loads the native part, once per process. Nothing native is loaded before the first call.
 *
 * @throws VirelError `NATIVE_MISSING` if it is not set up (for these Rust sources), `NATIVE_VERSION` if it was
 * built for other libraries or another version of this package, `NATIVE_LOAD` if the loader refuses it.
 */
export function loadAddon(env: Variables = process.env): Addon {
  loaded ??= openAddon(env);
  return loaded;
}

function openAddon(env: Variables): Addon {
  const override = env['VIREL_NATIVE_ADDON'];
  if (override) {
    const file = resolve(override);
    const fix = 'unset VIREL_NATIVE_ADDON';
    const addon = requireAddon(file, fix);
    checkPackage(addon.versions().package, file, fix);
    return addon;
  }
  const places = locate(env);
  checkManifest(places, env);
  return requireAddon(places.addon, rebuild);
}

const rebuild = 'npx virel-native setup --force';

/** Checks the manifest of the built addon against this package and the libraries that lie there now. */
function checkManifest(places: Places, env: Variables): void {
  const manifest = existsSync(places.addon) ? readManifest(places.manifest) : undefined;
  if (manifest === undefined) {
    // a wrong library named by the user is the cause to tell, not the addon that cannot exist for it
    if (env['VIREL_LIBTORCH'] || env['VIREL_MUJOCO_DIR']) checkLibraries(places, env);
    throw new VirelError('NATIVE_MISSING', 'the native part is not set up', {
      where: places.addonDirectory,
      fix: 'npx virel-native setup',
    });
  }
  checkPackage(manifest.package, places.manifest, rebuild);
  checkLibraries(places, env, manifest);
}

function requireAddon(file: string, fix: string): Addon {
  const require = createRequire(import.meta.url);
  try {
    return require(file) as Addon;
  } catch (cause) {
    // an error of the loader is of another realm under jest: no instanceof
    const reason = String((cause as Error).message ?? cause).split('\n')[0];
    throw new VirelError('NATIVE_LOAD', `the native part does not load: ${reason}`, {
      where: file,
      fix,
      cause,
    });
  }
}

function checkPackage(got: string, where: string, fix: string): void {
  const expected = packageVersion();
  if (got === expected) return;
  throw new VirelError('NATIVE_VERSION', `the addon is of virel-native ${got}, not ${expected}`, {
    where,
    expected,
    got,
    fix,
  });
}

/** How a verb asks for the native part. */
export interface EnsureOptions {
  /** Where lines of progress go; a live line on standard error by default. */
  log?: (line: string) => void;
  /** Never touch the network. */
  offline?: boolean;
  /** Fail with `NATIVE_MISSING` instead of setting up; so does `VIREL_SETUP=never`. */
  noSetup?: boolean;
  env?: Variables;
}

/**
 * Sets the native part up if it is missing or its Rust sources changed; a few milliseconds if it is there.
 *
 * @throws VirelError `NATIVE_MISSING` if set-up is forbidden, else what set-up throws (all exit 3).
 */
export async function ensureNative(options: EnsureOptions = {}): Promise<void> {
  const env = options.env ?? process.env;
  if (env['VIREL_NATIVE_ADDON']) return;
  const forbidden = options.noSetup || env['VIREL_SETUP'] === 'never';
  if (isReady(env, forbidden)) return;
  const { setUp } = await import('../setup/setup.js');
  const { lineReporter } = await import('../setup/progress.js');
  await setUp({
    env,
    ...(options.offline && { offline: true }),
    ...(options.log && { reporter: lineReporter(options.log) }),
  });
}

/** Whether the native part is there and fits; throws what is wrong, unless set-up may bring what is missing. */
function isReady(env: Variables, forbidden: boolean): boolean {
  try {
    checkManifest(locate(env), env);
    return true;
  } catch (error) {
    if (!forbidden && isVirelError(error) && error.code === 'NATIVE_MISSING') return false;
    throw error;
  }
}

/**
 * Folder of the MuJoCo model files: the option, else `VIREL_MODELS`, else the copy that set-up fetched.
 *
 * @throws VirelError `MODEL_MISSING` if the folder is not there.
 */
export function modelDirectory(option?: string, env: Variables = process.env): string {
  const directory = option === undefined ? locate(env).models : resolve(option);
  if (existsSync(directory)) return directory;
  throw missingModel(directory, 'no folder of MuJoCo models');
}
