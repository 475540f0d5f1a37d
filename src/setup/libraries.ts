import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { VirelError } from '../errors.js';
import { mujocoVersion, torchVersion } from './parts.js';
import type { Places, Variables } from './places.js';

/** Version of a libtorch folder, from the file that PyTorch puts there; `undefined` if it is none. */
export function libtorchVersion(directory: string): string | undefined {
  // the wheel has version.py, the zip archive build-version
  const wheel = read(join(directory, 'version.py'))?.match(/^__version__ = '([^']+)'/m)?.[1];
  return wheel ?? read(join(directory, 'build-version'))?.trim();
}

/** Version of the libmujoco in a folder, from its file name; `undefined` if there is none. */
export function libmujocoVersion(directory: string): string | undefined {
  if (!existsSync(directory)) return undefined;
  const names = readdirSync(directory).map((name) => /^libmujoco\.so\.(\d[\d.]*)$/.exec(name)?.[1]);
  const found = names.filter((name) => name !== undefined);
  return found.includes(mujocoVersion) ? mujocoVersion : found[0];
}

/**
 * Refuses libraries that the addon was not built for: one tch fits one libtorch exactly, and mujoco-rs any
 * libmujoco but its own panics. Build suffixes (`+cpu`, `+cu130`) do not matter.
 *
 * @throws VirelError `NATIVE_VERSION` on another version, `NATIVE_MISSING` where no library lies.
 */
export function checkLibraries(
  places: Pick<Places, 'libtorch' | 'mujoco'>,
  env: Variables,
  built = { torch: torchVersion, mujoco: mujocoVersion },
  names: readonly ('torch' | 'mujoco')[] = ['torch', 'mujoco'],
): void {
  if (names.includes('torch'))
    check(
      'torch',
      built.torch,
      libtorchVersion(places.libtorch),
      places.libtorch,
      env,
      'VIREL_LIBTORCH',
    );
  if (names.includes('mujoco'))
    check(
      'MuJoCo',
      built.mujoco,
      libmujocoVersion(places.mujoco),
      places.mujoco,
      env,
      'VIREL_MUJOCO_DIR',
    );
}

function check(
  name: string,
  expected: string,
  got: string | undefined,
  directory: string,
  env: Variables,
  variable: string,
): void {
  if (got !== undefined && plain(got) === plain(expected)) return;
  const where = env[variable] ? `${variable}=${env[variable]}` : directory;
  const unset = env[variable] ? `unset ${variable}` : undefined;
  if (got === undefined)
    throw new VirelError('NATIVE_MISSING', `no ${name} library found`, {
      where,
      expected,
      fix: unset ?? 'npx virel-native setup',
    });
  const fix = unset ?? 'npx virel-native setup --force';
  throw new VirelError('NATIVE_VERSION', `the addon needs ${name} ${expected}, not ${got}`, {
    where,
    expected,
    got,
    fix,
  });
}

/** A version without its build suffix. */
function plain(version: string): string {
  return version.split('+')[0] ?? version;
}

function read(file: string): string | undefined {
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}
