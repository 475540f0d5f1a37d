import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { ensureNative, loadAddon, modelDirectory } from '../../src/native/addon.js';
import { type Manifest, writeManifest } from '../../src/setup/manifest.js';
import { locate, type Variables } from '../../src/setup/places.js';
import { folder, variables, write } from './stand-in.js';

/** A cache that holds a set-up whose addon is a text file, with a manifest to change. */
function installed(change: Partial<Manifest> = {}): Variables {
  const env = variables(folder());
  const places = locate(env);
  write(join(places.libtorch, 'version.py'), "__version__ = '2.13.0+cu130'\n");
  write(join(places.mujoco, 'libmujoco.so.3.17.0'), '');
  write(places.addon, 'not a shared library');
  const manifest: Manifest = {
    format: 1,
    package: '0.1.0',
    device: 'cpu',
    torch: '2.13.0',
    mujoco: '3.17.0',
    rustc: '1.95.0',
    compiler: 'g++',
    sources: places.sources,
    sha256: '',
    libtorch: places.libtorch,
    mujocoDirectory: places.mujoco,
    models: places.models,
    links: places.linkDirectory,
    wheels: [],
    built: '2026-01-01T00:00:00.000Z',
  };
  writeManifest(places.manifest, { ...manifest, ...change });
  return env;
}

describe('loading the native part', () => {
  it('says how to set it up when it is not there', () => {
    expect(() => loadAddon(variables(folder()))).toThrow(
      expect.objectContaining({ code: 'NATIVE_MISSING', fix: 'npx virel-native setup', exit: 3 }),
    );
  });

  it('tells what the loader said', () => {
    expect(() => loadAddon(installed())).toThrow(
      expect.objectContaining({
        code: 'NATIVE_LOAD',
        message: expect.stringContaining('file too short'),
      }),
    );
  });

  it.each([
    ['libtorch', { torch: '2.12.0' }, '2.13.0+cu130'],
    ['MuJoCo', { mujoco: '3.16.0' }, '3.17.0'],
    ['version of this package', { package: '0.0.9' }, '0.0.9'],
  ])('refuses an addon built for another %s', (_, change, got) => {
    expect(() => loadAddon(installed(change))).toThrow(
      expect.objectContaining({
        code: 'NATIVE_VERSION',
        got,
        fix: 'npx virel-native setup --force',
      }),
    );
  });

  it('refuses libraries of another version that the user names', () => {
    const libtorch = folder();
    write(join(libtorch, 'version.py'), "__version__ = '2.14.1'\n");
    expect(() => loadAddon({ ...installed(), VIREL_LIBTORCH: libtorch })).toThrow(
      expect.objectContaining({
        code: 'NATIVE_VERSION',
        got: '2.14.1',
        fix: 'unset VIREL_LIBTORCH',
      }),
    );
  });

  it('refuses a damaged manifest', () => {
    const env = installed();
    writeFileSync(locate(env).manifest, '{"format":');
    expect(() => loadAddon(env)).toThrow(expect.objectContaining({ code: 'NATIVE_LOAD' }));
  });

  it('names the file when VIREL_NATIVE_ADDON does not load', () => {
    const file = join(folder(), 'absent.node');
    expect(() => loadAddon({ VIREL_NATIVE_ADDON: file })).toThrow(
      expect.objectContaining({
        code: 'NATIVE_LOAD',
        where: file,
        fix: 'unset VIREL_NATIVE_ADDON',
      }),
    );
  });
});

describe('asking for the native part', () => {
  it.each([
    ['VIREL_SETUP=never', { VIREL_SETUP: 'never' }, false],
    ['--no-setup', {}, true],
  ])('fails instead of setting up with %s', async (_, more, noSetup) => {
    const env = variables(folder(), more);
    const lines: string[] = [];
    const asked = ensureNative({ env, noSetup, log: (line) => lines.push(line) });
    await expect(asked).rejects.toMatchObject({ code: 'NATIVE_MISSING', exit: 3 });
    expect(lines).toEqual([]);
  });

  it('does nothing when it is there', async () => {
    const lines: string[] = [];
    await ensureNative({ env: installed(), log: (line) => lines.push(line) });
    expect(lines).toEqual([]);
  });
});

describe('the folder of models', () => {
  it('is the option, else VIREL_MODELS, else the fetched copy', () => {
    const [option, variable] = [folder(), folder()];
    const env = variables(folder());
    mkdirSync(locate(env).models, { recursive: true });
    expect(modelDirectory(option, { ...env, VIREL_MODELS: variable })).toBe(option);
    expect(modelDirectory(undefined, { ...env, VIREL_MODELS: variable })).toBe(variable);
    expect(modelDirectory(undefined, env)).toBe(locate(env).models);
  });

  it('is missed with a code and a command', () => {
    expect(() => modelDirectory('/nowhere')).toThrow(
      expect.objectContaining({ code: 'MODEL_MISSING', where: '/nowhere', exit: 3 }),
    );
  });
});
