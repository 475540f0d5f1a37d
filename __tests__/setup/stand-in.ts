import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll } from '@jest/globals';
import { modelHashes, type Wheel } from '../../src/setup/parts.js';
import { locate, type Places, type Variables } from '../../src/setup/places.js';
import { lineReporter, type Reporter } from '../../src/setup/progress.js';
import { findProgram } from '../../src/setup/tools.js';

// A package small enough to set up in seconds: real wheels for the real pip, a real crate for the real cargo, a
// real addon for the real Node. Only their content is small.

/** A folder of one test's own. */
export function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'virel-setup-'));
  folders.push(made);
  return made;
}

const folders: string[] = [];
// a killed child may still be closing its files
afterAll(() => {
  for (const made of folders) rmSync(made, { recursive: true, force: true, maxRetries: 5 });
});

/** An environment with a cache of its own; nothing of the caller's VIREL_* and pip settings. */
export function variables(home: string, more: Variables = {}): Variables {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(VIREL|PIP|CARGO_TARGET)_/.test(name),
  );
  return { ...Object.fromEntries(inherited), VIREL_HOME: home, PIP_NO_INDEX: '1', ...more };
}

/** Lines of a set-up, to look at. */
export function recorder(): { lines: string[]; reporter: Reporter } {
  const lines: string[] = [];
  return { lines, reporter: lineReporter((line) => lines.push(line)) };
}

/** What the stand-in addon answers; `torch` can be wrong on purpose. */
export function addonSource(torch = '2.13.0'): string {
  return `use std::ffi::{c_char, c_void};
unsafe extern "C" {
    fn napi_create_string_utf8(env: *mut c_void, text: *const c_char, length: usize, out: *mut *mut c_void) -> i32;
    fn napi_run_script(env: *mut c_void, script: *mut c_void, out: *mut *mut c_void) -> i32;
}
const EXPORTS: &str = "({ \\
  versions: () => ({ package: '0.1.0', torch: '${torch}', mujoco: '3.17.0' }), \\
  Environment: { create: (id, models) => { \\
    process.getBuiltinModule('node:fs').readFileSync(models + '/inverted_pendulum.xml'); \\
    return { actionSize: 1, observationSize: 4, reset() {}, dispose() {}, \\
      step: () => ({ observation: new Float64Array(4) }) }; \\
  } } })";
#[unsafe(no_mangle)]
pub unsafe extern "C" fn napi_register_module_v1(env: *mut c_void, _: *mut c_void) -> *mut c_void {
    let mut value = std::ptr::null_mut();
    unsafe {
        napi_create_string_utf8(env, EXPORTS.as_ptr().cast(), EXPORTS.len(), &mut value);
        napi_run_script(env, value, &mut value);
    }
    value
}
`;
}

/** A checkout: a workspace with one crate in native/binding, and its lock file. */
export function checkout(source = addonSource()): string {
  const root = folder();
  write(join(root, 'Cargo.toml'), '[workspace]\nresolver = "3"\nmembers = ["native/binding"]\n');
  write(
    join(root, 'Cargo.lock'),
    'version = 4\n\n[[package]]\nname = "stand-in"\nversion = "0.1.0"\n',
  );
  write(
    join(root, 'native/binding/Cargo.toml'),
    '[package]\nname = "stand-in"\nversion = "0.1.0"\nedition = "2024"\n[lib]\ncrate-type = ["cdylib"]\n',
  );
  write(join(root, 'native/binding/src/lib.rs'), source);
  return root;
}

/** The places of a set-up of a stand-in checkout. */
export function placesOf(root: string, env: Variables, wheels: readonly Wheel[]): Places {
  return { ...locate(env, root), wheels };
}

/** A folder with a wheel each for libtorch, MuJoCo and the models. */
export function wheelFolder(torchVersion = '2.13.0'): { directory: string; wheels: Wheel[] } {
  const directory = folder();
  const torch = wheel(
    directory,
    'torch',
    torchVersion,
    'cp311-cp311-manylinux_2_28_x86_64',
    'VIREL_LIBTORCH',
    {
      'torch/version.py': `__version__ = '${torchVersion}+cu130'\n`,
      'torch/lib/libtorch_cpu.so': 'cpu half',
      'torch/lib/libc10.so': 'c10',
      'torch/lib/libtorch_cuda.so': 'gpu half',
      'nvidia/cu13/include/crt/host_config.h': '',
    },
  );
  const mujoco = wheel(
    directory,
    'mujoco',
    '3.17.0',
    'cp311-cp311-manylinux_2_28_x86_64',
    'VIREL_MUJOCO_DIR',
    {
      'mujoco/libmujoco.so.3.17.0': 'physics',
    },
  );
  const models = wheel(directory, 'gymnasium', '1.4.0', 'py3-none-any', 'VIREL_MODELS', {
    ...Object.fromEntries(
      Object.keys(modelHashes).map((file) => [`gymnasium/envs/mujoco/assets/${file}`, '<mujoco/>']),
    ),
  });
  return { directory, wheels: [torch, mujoco, models] };
}

/** A PATH of links to the machine's programs, less some, with some replaced by shell scripts. */
export function pathWith(options: {
  without?: string[];
  scripts?: Record<string, string>;
}): Variables {
  const bin = folder();
  const names = [
    'sh',
    'env',
    'cc',
    'c++',
    'g++',
    'ld',
    'as',
    'cargo',
    'rustc',
    'python3',
    'apt-get',
  ];
  for (const name of names) {
    const path = name === 'python3' ? python() : findProgram(name, process.env);
    if (path && !options.without?.includes(name) && options.scripts?.[name] === undefined)
      symlinkSync(path, join(bin, name));
  }
  for (const [name, script] of Object.entries(options.scripts ?? {})) {
    write(join(bin, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  // a home without ~/.cargo/bin, where set-up looks too; rustup's own settings stay
  const { HOME = '' } = process.env;
  const rustup = process.env['RUSTUP_HOME'] ?? join(HOME, '.rustup');
  return { PATH: bin, CARGO_HOME: folder(), RUSTUP_HOME: rustup };
}

/** The interpreter itself, past shims that need the whole PATH. */
function python(): string {
  const asked = spawnSync('python3', ['-c', 'import sys; print(sys.executable)'], {
    encoding: 'utf8',
  });
  return asked.stdout.trim();
}

/** The PATH of this process with one folder of scripts in front. */
export function pathBefore(scripts: Record<string, string>): Variables {
  const { PATH = '' } = pathWith({ without: ['cargo', 'rustc', 'c++', 'python3'], scripts });
  return { PATH: `${PATH}${delimiter}${process.env['PATH']}` };
}

export function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

function wheel(
  directory: string,
  name: string,
  version: string,
  tag: string,
  replacedBy: Wheel['replacedBy'],
  files: Record<string, string>,
): Wheel {
  const information = `${name}-${version}.dist-info`;
  const content = {
    ...files,
    [`${information}/METADATA`]: `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n`,
    [`${information}/WHEEL`]: `Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: ${tag}\n`,
    [`${information}/RECORD`]: Object.entries(files).map(record).join(''),
  };
  const path = join(directory, `${name}-${version}-${tag}.whl`);
  const zip =
    'import json, sys, zipfile\nwith zipfile.ZipFile(sys.argv[1], "w") as archive:\n  for name, text in json.loads(sys.argv[2]).items(): archive.writestr(name, text)';
  const made = spawnSync('python3', ['-c', zip, path, JSON.stringify(content)], {
    encoding: 'utf8',
  });
  if (made.status !== 0) throw new Error(made.stderr);
  const sha256 = createHash('sha256').update(readFileSync(path)).digest('hex');
  return { name, version, sha256, megabytes: 0.1, unpackedMegabytes: 0.2, replacedBy };
}

/** A line of a wheel's own list of files. */
function record([file, text]: [string, string]): string {
  const hash = createHash('sha256').update(text).digest('base64url');
  return `${file},sha256=${hash},${Buffer.byteLength(text)}\n`;
}
