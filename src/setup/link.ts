import {
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { mujocoVersion } from './parts.js';
import type { Places, Variables } from './places.js';

/** What cargo must be told to find the libraries. */
interface LinkVariables {
  LIBTORCH: string;
  LIBTORCH_LIB: string;
  MUJOCO_DYNAMIC_LINK_DIR: string;
}

/** Settings of tch's build script that would lead it to another libtorch, or to another way of linking. */
const FOREIGN = [
  'LIBTORCH_USE_PYTORCH',
  'LIBTORCH_INCLUDE',
  'LIBTORCH_STATIC',
  'LIBTORCH_CXX11_ABI',
  'LIBTORCH_BYPASS_VERSION_CHECK',
];

/** The environment of every cargo command of this package: the caller's, but our libraries and no others. */
export function cargoVariables(
  env: Variables,
  places: Pick<Places, 'libtorch' | 'linkDirectory'>,
): Variables {
  const kept = Object.entries(env).filter(([name]) => !FOREIGN.includes(name));
  return { ...Object.fromEntries(kept), ...linkVariables(places) };
}

/** Where cargo finds the libraries. */
function linkVariables(places: Pick<Places, 'libtorch' | 'linkDirectory'>): LinkVariables {
  return {
    LIBTORCH: places.libtorch,
    LIBTORCH_LIB: places.linkDirectory,
    MUJOCO_DYNAMIC_LINK_DIR: join(places.linkDirectory, 'mujoco'),
  };
}

/**
 * Lays out the folders that the linker looks in. libtorch's has no GPU library, so torch-sys asks for none and
 * the addon loads on machines without a GPU; `libtorch.so` is a linker script, which GNU ld and lld both read.
 */
export function linkLibraries(places: Places): void {
  const lib = join(places.linkDirectory, 'lib');
  const mujoco = join(places.linkDirectory, 'mujoco');
  mkdirSync(lib, { recursive: true });
  mkdirSync(mujoco, { recursive: true });
  for (const name of ['libtorch_cpu.so', 'libc10.so', 'libgomp.so.1']) {
    const library = join(places.libtorch, 'lib', name);
    if (existsSync(library)) symlink(library, join(lib, name));
  }
  write(join(lib, 'libtorch.so'), 'INPUT(-ltorch_cpu)\n');

  const library = join(places.mujoco, `libmujoco.so.${mujocoVersion}`);
  symlink(library, join(mujoco, 'libmujoco.so'));
  symlink(library, join(mujoco, `libmujoco.so.${mujocoVersion}`));
}

/** Links, leaving a right link alone: cargo rebuilds on newer times. */
function symlink(target: string, path: string): void {
  try {
    if (readlinkSync(path) === target) return;
  } catch {
    // not there, or no link: made below
  }
  rmSync(path, { force: true });
  symlinkSync(target, path);
}

function write(path: string, text: string): void {
  if (existsSync(path) && readFileSync(path, 'utf8') === text) return;
  writeFileSync(path, text);
}
