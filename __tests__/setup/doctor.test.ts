import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import {
  type Diagnosis,
  describeDiagnosis,
  examine,
  neededLibraries,
} from '../../src/setup/doctor.js';
import { mujocoVersion } from '../../src/setup/parts.js';
import { locate, type Places, type Variables } from '../../src/setup/places.js';
import { setUp } from '../../src/setup/setup.js';
import {
  checkout,
  folder,
  pathWith,
  placesOf,
  recorder,
  variables,
  wheelFolder,
} from './stand-in.js';

jest.setTimeout(180_000);

function find({ parts }: Diagnosis, name: string) {
  return parts.find((part) => part.name === name);
}

describe('doctor on an empty home', () => {
  it('is not ok, and every failed part has the command that mends it', async () => {
    const diagnosis = await examine(variables(folder()));
    expect(diagnosis.ok).toBe(false);
    for (const part of diagnosis.parts) {
      expect(part.ok).toBe(part.status !== 'fail');
      if (!part.ok) expect(part.fix).toContain('npx virel-native setup');
    }
    const failed = diagnosis.parts.filter(({ ok }) => !ok).map(({ name }) => name);
    expect(failed).toEqual(['libtorch', 'mujoco', 'models', 'addon']);
    expect(describeDiagnosis(diagnosis)).toContain('fail  libtorch');
  });

  it('fails a missing tool, which a build would need', async () => {
    const diagnosis = await examine(variables(folder(), pathWith({ without: ['cargo'] })));
    expect(find(diagnosis, 'cargo')).toMatchObject({
      ok: false,
      note: 'TOOL_MISSING: cargo not found',
    });
  });
});

describe('doctor on a set-up', () => {
  const wheels = wheelFolder();
  let env: Variables;
  let places: Places;
  beforeAll(async () => {
    env = variables(folder());
    places = placesOf(checkout(), env, wheels.wheels);
    await setUp({ env, places, from: wheels.directory, ...recorder() });
  });

  it('is ok, with versions and places', async () => {
    const diagnosis = await examine(env, places);
    expect(diagnosis.ok).toBe(true);
    expect(find(diagnosis, 'libtorch')).toMatchObject({
      version: '2.13.0+cu130',
      path: places.libtorch,
    });
    expect(find(diagnosis, 'mujoco')).toMatchObject({
      version: mujocoVersion,
      path: places.mujoco,
    });
    expect(find(diagnosis, 'addon')).toMatchObject({ version: '0.1.0', path: places.addon });
    // the stand-in's models are not Gymnasium's
    expect(find(diagnosis, 'models')).toMatchObject({ status: 'warn', ok: true });
  });

  it('only warns of a missing tool while the addon works', async () => {
    const without = pathWith({ without: ['cargo', 'rustc'] });
    const diagnosis = await examine({ ...env, ...without }, places);
    expect(find(diagnosis, 'cargo')).toMatchObject({ status: 'warn', ok: true });
    expect(diagnosis.ok).toBe(true);
  });

  it('sees a library that was changed since pip unpacked it', async () => {
    writeFileSync(join(places.libtorch, 'lib', 'libtorch_cpu.so'), 'cpu halF');
    expect(find(await examine(env, places), 'libtorch')).toMatchObject({
      ok: false,
      note: 'libtorch_cpu.so was changed since pip unpacked it',
      fix: 'npx virel-native setup --force',
    });
  });

  it('sees an addon that was changed since it was proved', async () => {
    writeFileSync(places.addon, 'something else');
    expect(find(await examine(env, places), 'addon')).toMatchObject({
      ok: false,
      note: 'NATIVE_LOAD: the file was changed since it was proved',
    });
  });
});

describe('the built addon', () => {
  it('loads libtorch, MuJoCo and the C and C++ runtimes, and nothing else', () => {
    const needed = neededLibraries(locate(process.env).addon, process.env);
    const plain = needed?.filter((name) => !/^(libm|libdl|libpthread|librt)\.so/.test(name)).sort();
    expect(plain).toEqual(
      [
        'ld-linux-x86-64.so.2',
        'libc.so.6',
        'libc10.so',
        'libgcc_s.so.1',
        `libmujoco.so.${mujocoVersion}`,
        'libstdc++.so.6',
        'libtorch_cpu.so',
      ].sort(),
    );
  });
});
