import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sha256 } from './hash.js';
import {
  type Device,
  gymnasiumVersion,
  mujocoVersion,
  torchVersion,
  type Wheel,
  wheels,
} from './parts.js';
import { sourceHash } from './source-hash.js';

/** Environment variables, as an argument so that nothing reads them behind the caller's back. */
export type Variables = Readonly<Record<string, string | undefined>>;

/** Where everything of one set-up lies. Absolute paths; none need exist yet. */
export interface Places {
  device: Device;
  /** Root of the package or checkout: Cargo.toml, native, package.json. */
  root: string;
  /** The per-user cache, shared by all clones. */
  home: string;
  lockFile: string;
  /** Unpacked wheels, the same folder whichever of them a user replaces; each part comes by one rename. */
  wheelDirectory: string;
  /** The wheels this set-up needs: those that no environment variable replaces. */
  wheels: readonly Wheel[];
  /** Folder with `lib/libtorch_cpu.so` and `include`. */
  libtorch: string;
  /** Folder with `libmujoco.so.<version>`. */
  mujoco: string;
  /** Folder of the MJCF files. */
  models: string;
  /** Link folders, named after the libraries they point to so that cargo sees a stable path. */
  linkDirectory: string;
  /** Cargo's target folder. */
  target: string;
  /** SHA-256 over the Rust sources, 16 hexadecimal digits. */
  sources: string;
  /** The built addon and its manifest. */
  addonDirectory: string;
  addon: string;
  manifest: string;
}

/** This package's root, the same from `src` and from `dist`. */
export const packageRoot = fileURLToPath(new URL('../..', import.meta.url)).replace(/[/\\]$/, '');

/** This package's version. */
export function packageVersion(): string {
  const file = join(packageRoot, 'package.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

/** The cache: `$VIREL_HOME`, else the XDG cache folder's `virel-native`. */
export function cacheHome(env: Variables): string {
  if (env['VIREL_HOME']) return resolve(env['VIREL_HOME']);
  return join(env['XDG_CACHE_HOME'] || join(env['HOME'] || homedir(), '.cache'), 'virel-native');
}

/** Where Node keeps what it compiled of us: `$NODE_COMPILE_CACHE`, else a folder of the cache. */
export function compiledPlace(env: Variables): string {
  return env['NODE_COMPILE_CACHE'] || join(cacheHome(env), 'compiled');
}

/**
 * Finds the places of a set-up. Without `device` it is the one that was set up: `cuda` if its wheels are
 * there, else `cpu`. Cheap: it hashes the Rust sources (some hundred kilobytes) and looks at two paths.
 */
export function locate(env: Variables, root = packageRoot, device?: Device): Places {
  const home = cacheHome(env);
  const chosen = device ?? (existsSync(wheelPlace(home, 'cuda')) ? 'cuda' : 'cpu');
  const wheelDirectory = wheelPlace(home, chosen);
  const libtorch = env['VIREL_LIBTORCH']
    ? resolve(env['VIREL_LIBTORCH'])
    : join(wheelDirectory, 'torch');
  const mujoco = env['VIREL_MUJOCO_DIR']
    ? resolve(env['VIREL_MUJOCO_DIR'])
    : join(wheelDirectory, 'mujoco');
  const models = env['VIREL_MODELS']
    ? resolve(env['VIREL_MODELS'])
    : join(wheelDirectory, 'gymnasium', 'envs', 'mujoco', 'assets');

  // an addon holds the paths of its libraries: another pair of libraries is another addon
  const sources = sourceHash(root);
  const libraries = shortHash(`${libtorch}\n${mujoco}\n${torchVersion}\n${mujocoVersion}`);
  const addonDirectory = join(home, 'addons', `${sources}-${libraries}`);
  return {
    device: chosen,
    root,
    home,
    lockFile: join(home, 'setup.lock'),
    wheelDirectory,
    wheels: wheels.filter((wheel) => !env[wheel.replacedBy]),
    libtorch,
    mujoco,
    models,
    linkDirectory: join(home, 'links', libraries),
    target: ownsItsSources(root) ? join(root, 'target') : join(home, 'target'),
    sources,
    addonDirectory,
    addon: join(addonDirectory, 'virel-native.node'),
    manifest: join(addonDirectory, 'manifest.json'),
  };
}

/** `wheels/<torch>-<mujoco>-<gymnasium>-<cpu|cuda>-<os-arch>`: what a user replaces never moves the rest. */
function wheelPlace(home: string, device: Device): string {
  const versions = `${torchVersion}-${mujocoVersion}-${gymnasiumVersion}`;
  return join(home, 'wheels', `${versions}-${device}-${process.platform}-${process.arch}`);
}

/** Whether the root is a checkout to build in, rather than an installed dependency or a read-only folder. */
function ownsItsSources(root: string): boolean {
  if (root.split(sep).includes('node_modules')) return false;
  try {
    accessSync(root, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function shortHash(text: string): string {
  return sha256(text).slice(0, 8);
}
