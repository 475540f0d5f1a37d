import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, jest } from '@jest/globals';
import { locate, type Variables } from '../../src/setup/places.js';
import { type SetupOptions, setUp } from '../../src/setup/setup.js';
import { requireTools } from '../../src/setup/tools.js';
import {
  checkout,
  folder,
  pathBefore,
  pathWith,
  placesOf,
  recorder,
  variables,
  wheelFolder,
  write,
} from './stand-in.js';

const good = wheelFolder();

/** Runs a set-up that must fail, and gives its error. */
async function failure(more: Variables, options: SetupOptions = {}, wheels = good.wheels) {
  const env = variables(folder(), more);
  const places = options.places ?? placesOf(checkout(), env, wheels);
  const failed = setUp({ env, places, ...recorder(), ...options });
  const error = await failed.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({
    isVirelError: true,
    exit: 3,
    fix: expect.stringContaining('virel-native setup'),
  });
  return error as {
    code: string;
    message: string;
    fix: string;
    got?: string;
    where?: string;
    expected?: string;
  };
}

// real pip and cargo, a few seconds each on an idle machine
jest.setTimeout(180_000);

describe('a missing or old tool is named with the command that brings it', () => {
  it('cargo and rustc', async () => {
    const error = await failure(pathWith({ without: ['cargo', 'rustc'] }));
    expect(error).toMatchObject({
      code: 'TOOL_MISSING',
      message: 'cargo not found; rustc not found',
    });
    expect(error.fix).toMatch(/^curl .*rustup.* && npx virel-native setup$/);
  });

  it('an old rustc', async () => {
    const error = await failure(pathBefore({ rustc: 'echo rustc 1.90.0' }));
    expect(error).toMatchObject({ code: 'TOOL_VERSION', got: '1.90.0' });
    expect(error.message).toBe('rustc 1.90.0, 1.95 or newer needed');
  });

  it('a C++ compiler', async () => {
    const error = await failure(pathWith({ without: ['c++', 'g++'] }));
    expect(error).toMatchObject({ code: 'TOOL_MISSING', message: 'a C++ compiler not found' });
    expect(error.fix).toContain('install -y g');
  });

  it('a C++ compiler without C++17', async () => {
    const script = 'case "$*" in *std=c++17*) exit 1;; *) echo g++ 4.8;; esac';
    const error = await failure(pathBefore({ 'c++': script }));
    expect(error).toMatchObject({ code: 'TOOL_VERSION', got: 'g++ 4.8' });
  });

  it('pip', async () => {
    const script =
      'case "$1" in --version) echo Python 3.11.0;; *) echo No module named pip; exit 1;; esac';
    const error = await failure(pathBefore({ python3: script }));
    expect(error).toMatchObject({ code: 'TOOL_MISSING', message: 'pip not found' });
    expect(error.fix).toContain('python3-pip');
  });

  it('an old Python', async () => {
    const error = await failure(pathBefore({ python3: 'echo Python 3.9.2' }));
    expect(error).toMatchObject({ code: 'TOOL_VERSION', got: '3.9.2' });
  });

  it('but not a tool that this set-up does not need', () => {
    const env = variables(folder(), pathWith({ without: ['python3'] }));
    expect(Object.keys(requireTools(['cargo', 'rustc', 'c++'], env))).toHaveLength(3);
  });
});

describe('a disk without room', () => {
  it('is refused before anything is fetched', async () => {
    const error = await failure({}, { free: () => 12 });
    expect(error).toMatchObject({
      code: 'SETUP_FAILED',
      message: 'not enough free disk',
      got: '12 MB free',
    });
    expect(error.fix).toContain('VIREL_HOME');
  });

  it('names the cache when it cannot be written', async () => {
    const file = join(folder(), 'file');
    writeFileSync(file, '');
    const error = await failure({ VIREL_HOME: join(file, 'cache') });
    expect(error).toMatchObject({
      code: 'SETUP_FAILED',
      fix: expect.stringContaining('VIREL_HOME=DIR'),
    });
  });
});

describe('wheels that do not come', () => {
  it('without a network', async () => {
    const nowhere = {
      PIP_NO_INDEX: '0',
      PIP_INDEX_URL: 'http://127.0.0.1:9/simple',
      PIP_RETRIES: '1',
    };
    const error = await failure(nowhere);
    expect(error).toMatchObject({
      code: 'SETUP_FAILED',
      message: expect.stringMatching(/^no network: pip/),
    });
  });

  it('offline, with none on this machine', async () => {
    const error = await failure({}, { offline: true });
    expect(error).toMatchObject({
      code: 'SETUP_FAILED',
      message: 'torch==2.13.0 is not on this machine',
    });
    expect(error.fix).toContain('--from DIR');
  });

  it('of another version', async () => {
    const other = wheelFolder('2.12.0');
    const error = await failure({}, { from: other.directory });
    expect(error).toMatchObject({
      code: 'SETUP_FAILED',
      expected: 'torch==2.13.0',
      got: '2.12.0',
    });
  });

  it('of the right name and another content', async () => {
    const other = wheelFolder();
    const [torch] = readdirSync(other.directory).filter((name) => name.startsWith('torch'));
    const [mujoco] = readdirSync(other.directory).filter((name) => name.startsWith('mujoco'));
    renameSync(join(other.directory, mujoco ?? ''), join(other.directory, torch ?? ''));
    const error = await failure({}, { from: other.directory });
    expect(error.code).toBe('SETUP_HASH');
    expect(error.message).toContain('torch');
    expect(error.expected).toBe(good.wheels[0]?.sha256);
  });

  it('leave nothing half-made, and come at the next run', async () => {
    const env = variables(folder());
    const places = placesOf(checkout(), env, good.wheels);
    await failure({}, { env, places, offline: true });
    expect(readdirSync(join(places.home, 'wheels'))).toEqual([]);
    expect((await setUp({ env, places, from: good.directory, ...recorder() })).changed).toBe(true);
  });
});

describe('a build that fails', () => {
  it('shows the first error of the compiler', async () => {
    const env = variables(folder());
    const places = placesOf(checkout('pub fn broken( {}'), env, good.wheels);
    const error = await failure({}, { env, places, from: good.directory });
    expect(error).toMatchObject({ code: 'SETUP_FAILED', message: 'cargo build failed' });
    expect(error.got).toMatch(/^error: .*src\/lib\.rs/s);
  });

  it('without a network for the crates', async () => {
    const proxy = 'http://127.0.0.1:9';
    const env = variables(folder(), {
      CARGO_HTTP_PROXY: proxy,
      CARGO_NET_RETRY: '0',
      ...pathWith({}),
    });
    const root = checkout();
    const manifest = join(root, 'native/binding/Cargo.toml');
    write(manifest, `${readFileSync(manifest, 'utf8')}[dependencies]\nitoa = "=1.0.15"\n`);
    const registry = '"registry+https://github.com/rust-lang/crates.io-index"';
    const checksum = '4a5f13b858c8d314ee3e8f639011f7ccefe71f97f96e50151fb991f267928e2c';
    write(
      join(root, 'Cargo.lock'),
      `version = 4\n[[package]]\nname = "itoa"\nversion = "1.0.15"\nsource = ${registry}\nchecksum = "${checksum}"\n` +
        '[[package]]\nname = "stand-in"\nversion = "0.1.0"\ndependencies = ["itoa"]\n',
    );
    const error = await failure(
      {},
      { env, places: placesOf(root, env, good.wheels), from: good.directory },
    );
    expect(error).toMatchObject({
      code: 'SETUP_FAILED',
      message: expect.stringMatching(/^no network: cargo/),
    });
  });

  it('that made an addon which does not load is told with the reason', async () => {
    const env = variables(folder());
    const places = placesOf(checkout('pub fn nothing() {}'), env, good.wheels);
    const failed = setUp({ env, places, from: good.directory, ...recorder() });
    await expect(failed).rejects.toMatchObject({
      code: 'NATIVE_LOAD',
      exit: 3,
      message: expect.stringContaining('Module did not self-register'),
    });
  });
});

describe("a user's own libraries", () => {
  it('make their wheels unnecessary', () => {
    const env = variables('/cache', {
      VIREL_LIBTORCH: '/opt/libtorch',
      VIREL_MODELS: '/opt/models',
    });
    const places = locate(env, checkout());
    expect(places.wheels.map(({ name }) => name)).toEqual(['mujoco']);
    expect(places).toMatchObject({ libtorch: '/opt/libtorch', models: '/opt/models' });
  });

  it('move neither the other libraries nor, for models, the addon', () => {
    const [root, home] = [checkout(), folder()];
    const plain = locate(variables(home), root);
    const { libtorch, addon } = plain;
    expect(locate(variables(home, { VIREL_MODELS: '/opt/models' }), root)).toMatchObject({
      libtorch,
      addon,
    });
    expect(locate(variables(home, { VIREL_MUJOCO_DIR: '/opt/mujoco' }), root)).toMatchObject({
      libtorch,
      models: plain.models,
    });
  });

  it('of another version are refused before the build', async () => {
    const libtorch = folder();
    write(join(libtorch, 'build-version'), '2.14.1+cpu\n');
    const env = variables(folder(), { VIREL_LIBTORCH: libtorch });
    const root = checkout();
    const wheels = good.wheels.filter(({ name }) => name !== 'torch');
    const failed = setUp({
      env,
      places: placesOf(root, env, wheels),
      from: good.directory,
      ...recorder(),
    });
    await expect(failed).rejects.toMatchObject({
      code: 'NATIVE_VERSION',
      got: '2.14.1+cpu',
      fix: 'unset VIREL_LIBTORCH',
      exit: 3,
    });
  });
});
