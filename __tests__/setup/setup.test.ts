import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { type Places, packageRoot, type Variables } from '../../src/setup/places.js';
import { setUp } from '../../src/setup/setup.js';
import {
  addonSource,
  checkout,
  folder,
  placesOf,
  recorder,
  variables,
  wheelFolder,
  write,
} from './stand-in.js';

const wheels = wheelFolder();

function sized(home = folder(), root = checkout()) {
  const env = variables(home);
  return { env, root, home, places: placesOf(root, env, wheels.wheels) };
}

// real pip and cargo, a few seconds each on an idle machine
jest.setTimeout(180_000);

describe('set-up', () => {
  it('fetches, prunes, links, builds and proves, and writes the manifest last', async () => {
    const { env, places } = sized();
    const { lines, reporter } = recorder();
    const { manifest, changed } = await setUp({ env, places, from: wheels.directory, reporter });

    expect(changed).toBe(true);
    expect(manifest).toMatchObject({
      package: '0.1.0',
      torch: '2.13.0',
      mujoco: '3.17.0',
      device: 'cpu',
    });
    expect(manifest.wheels).toHaveLength(3);
    expect(JSON.parse(readFileSync(places.manifest, 'utf8'))).toEqual(manifest);

    // the GPU half is gone, and the linker is led to the CPU half
    expect(readdirSync(join(places.libtorch, 'lib')).sort()).toEqual([
      'libc10.so',
      'libtorch_cpu.so',
    ]);
    expect(readFileSync(join(places.linkDirectory, 'lib', 'libtorch.so'), 'utf8')).toBe(
      'INPUT(-ltorch_cpu)\n',
    );
    expect(readFileSync(join(places.linkDirectory, 'mujoco', 'libmujoco.so'), 'utf8')).toBe(
      'physics',
    );
    expect(createRequire(import.meta.url)(places.addon).versions().torch).toBe('2.13.0');

    // sizes come before the first step, and nothing half-made or locked stays
    expect(lines.findIndex((line) => line.includes('download'))).toBeLessThan(
      lines.findIndex((line) => line.includes('[1/6]')),
    );
    expect(readdirSync(places.home).sort()).toEqual(['addons', 'links', 'wheels']);
    expect(readdirSync(join(places.home, 'wheels'))).toHaveLength(1);
  });

  it('does nothing the second time, and nothing in a second clone', async () => {
    const { env, places, home } = sized();
    await setUp({ env, places, from: wheels.directory, ...recorder() });
    const second = await setUp({ env, places, ...recorder() });
    expect(second.changed).toBe(false);

    const clone = placesOf(checkout(), env, wheels.wheels);
    expect(clone.root).not.toBe(places.root);
    expect(clone.home).toBe(home);
    expect((await setUp({ env, places: clone, ...recorder() })).changed).toBe(false);
    expect(existsSync(join(clone.root, 'target'))).toBe(false);
  });

  it('builds changed Rust sources again, with the wheels that are there', async () => {
    const { env, places, root } = sized();
    await setUp({ env, places, from: wheels.directory, ...recorder() });
    write(join(root, 'native/binding/src/lib.rs'), `${addonSource()}// changed\n`);
    const changed = placesOf(root, env, wheels.wheels);
    expect(changed.addon).not.toBe(places.addon);

    // no index and no folder of wheels: a second fetch would fail
    const { lines, reporter } = recorder();
    expect((await setUp({ env, places: changed, reporter })).changed).toBe(true);
    expect(lines.join('\n')).not.toContain('[2/6]');
  });

  it("keeps wheels and addon when the models are the user's", async () => {
    const { env, places, root } = sized();
    await setUp({ env, places, from: wheels.directory, ...recorder() });
    const own = { ...env, VIREL_MODELS: folder() };
    const needed = wheels.wheels.filter(({ replacedBy }) => replacedBy !== 'VIREL_MODELS');
    const other = placesOf(root, own, needed);
    expect(other).toEqual({ ...places, models: own.VIREL_MODELS, wheels: needed });
    expect((await setUp({ env: own, places: other, ...recorder() })).changed).toBe(false);
  });

  it('fetches a lost model again, and only the models, without a build', async () => {
    const { env, places } = sized();
    await setUp({ env, places, from: wheels.directory, ...recorder() });
    const [lost, kept] = [
      join(places.models, 'hopper.xml'),
      join(places.libtorch, 'lib', 'libtorch_cpu.so'),
    ];
    rmSync(lost);
    const before = statSync(kept);
    const { lines, reporter } = recorder();
    const { changed } = await setUp({ env, places, from: wheels.directory, reporter });
    expect(changed).toBe(true);
    expect(existsSync(lost)).toBe(true);
    expect(statSync(kept).ino).toBe(before.ino);
    expect(lines.join('\n')).toContain('gymnasium 1.4.0');
    expect(lines.join('\n')).not.toMatch(/torch 2|cargo build/);
    expect(readdirSync(join(places.home, 'wheels'))).toHaveLength(1);
    expect((await setUp({ env, places, ...recorder() })).changed).toBe(false);
  });

  it.each([
    'torch/lib/libtorch_cpu.so',
    'torch/lib/libc10.so',
    'torch/version.py',
    'nvidia/cu13/include/crt/host_config.h',
    'mujoco/libmujoco.so.3.17.0',
  ])('fetches a lost %s again', async (name) => {
    const { env, places } = sized();
    await setUp({ env, places, from: wheels.directory, ...recorder() });
    rmSync(join(places.wheelDirectory, name));
    await setUp({ env, places, from: wheels.directory, ...recorder() });
    expect(existsSync(join(places.wheelDirectory, name))).toBe(true);
  });

  it('fetches and builds again when forced', async () => {
    const { env, places } = sized();
    await setUp({ env, places, from: wheels.directory, ...recorder() });
    rmSync(join(places.libtorch, 'version.py'));
    await setUp({ env, places, from: wheels.directory, force: true, ...recorder() });
    expect(existsSync(join(places.libtorch, 'version.py'))).toBe(true);
  });

  it('refuses an addon that reports another libtorch, and leaves no manifest', async () => {
    const { env, places } = sized(folder(), checkout(addonSource('2.12.0')));
    const failed = setUp({ env, places, from: wheels.directory, ...recorder() });
    await expect(failed).rejects.toMatchObject({
      code: 'NATIVE_VERSION',
      got: '2.12.0',
      exit: 3,
    });
    expect(existsSync(places.manifest)).toBe(false);
  });
});

describe('a set-up that is cut off', () => {
  let child: ReturnType<typeof spawn> | undefined;
  afterEach(() => void child?.kill('SIGKILL'));

  // the crate's build script waits for a file, so that the build can be caught in the act
  const slow = `fn main() {
    let root = std::env::var("CARGO_MANIFEST_DIR").unwrap();
    std::fs::write(format!("{root}/building"), "").unwrap();
    while !std::path::Path::new(&format!("{root}/go")).exists() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}`;

  async function cut(signal: NodeJS.Signals) {
    const { env, places, root } = sized();
    write(join(root, 'native/binding/build.rs'), slow);
    const at = placesOf(root, env, wheels.wheels);
    child = startSetUp(at, env, wheels.directory);
    const crate = join(root, 'native/binding');
    await until(() => existsSync(join(crate, 'building')));
    child.kill(signal);
    const [, endedBy] = await once(child, 'exit');
    writeFileSync(join(crate, 'go'), '');
    // `building` and `go` are no sources: the places of the first run are meant
    return { env, places: at, endedBy, unused: places };
  }

  it('by Ctrl-C gives the lock back, ends by the signal, and goes on where it was', async () => {
    const { env, places, endedBy } = await cut('SIGINT');
    expect(endedBy).toBe('SIGINT');
    expect(existsSync(places.lockFile)).toBe(false);
    expect(existsSync(places.manifest)).toBe(false);
    const { lines, reporter } = recorder();
    expect((await setUp({ env, places, reporter })).changed).toBe(true);
    expect(lines.join('\n')).not.toContain('[2/6]');
  });

  it('by SIGKILL leaves a lock that the next run takes over', async () => {
    const { env, places } = await cut('SIGKILL');
    expect(existsSync(places.lockFile)).toBe(true);
    expect((await setUp({ env, places, ...recorder() })).changed).toBe(true);
    expect(existsSync(places.lockFile)).toBe(false);
  });

  it('while another one works, waits for it and then finds everything done', async () => {
    const { env, root } = sized();
    write(join(root, 'native/binding/build.rs'), slow);
    const places = placesOf(root, env, wheels.wheels);
    child = startSetUp(places, env, wheels.directory);
    await until(() => existsSync(join(root, 'native/binding/building')));
    const { lines, reporter } = recorder();
    const second = setUp({ env, places, reporter });
    await until(() => lines.length > 0);
    expect(lines).toEqual([expect.stringContaining(`process ${child.pid} on`)]);
    writeFileSync(join(root, 'native/binding/go'), '');
    expect((await second).changed).toBe(false);
  });
});

/** Runs set-up in a process of its own, from the compiled package. */
function startSetUp(places: Places, env: Variables, from: string) {
  const module = pathToFileURL(join(packageRoot, 'dist/setup/setup.js')).href;
  const program = `const { setUp } = await import(${JSON.stringify(module)});
    const { places, from } = JSON.parse(process.argv[1]);
    await setUp({ places, from });`;
  const args = ['--input-type=module', '-e', program, JSON.stringify({ places, from })];
  return spawn(process.execPath, args, { env: env as NodeJS.ProcessEnv, stdio: 'ignore' });
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(20);
}
