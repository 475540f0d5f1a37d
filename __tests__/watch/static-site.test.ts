/** The folder that `watch --static` writes: what it holds, and what goes from it. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Snapshot } from '../../src/watch/shared/wire.js';
import { writeSite } from '../../src/watch/static-site.js';
import { compile } from '../cli/command.js';
import { addRecording, fakeRun } from './fake-runs.js';

const PATIENCE = 120_000;
const PAGE = ['index.html', 'page.js', 'page.css', 'icon.svg', 'mujoco.wasm'];
const ASSET = '0123456789abcdef.stl';
const folder = mkdtempSync(join(tmpdir(), 'virel-site-'));

beforeAll(compile, PATIENCE);
afterAll(() => rmSync(folder, { recursive: true }));

describe('a site', () => {
  it('holds every file that it names, and loses the model of an earlier one that had one', async () => {
    const run = fakeRun(folder, 'run');
    const id = addRecording(run, 1000);
    mkdirSync(join(run, 'assets'));
    writeFileSync(join(run, 'assets', ASSET), 'solid');
    const lost = { name: 'lost.stl', file: 'fedcba9876543210.stl' };
    const assets = [{ name: 'a.stl', file: ASSET }, lost];
    writeFileSync(join(run, 'assets/index.json'), JSON.stringify({ format: 1, assets }));
    const out = join(folder, 'site');
    const namesOf = async (force: boolean) => {
      const { files } = await writeSite(run, { out, force });
      const names = files.map(({ file }) => basename(file));
      expect(readdirSync(out).sort()).toEqual([...names].sort());
      return names;
    };
    const rest = ['licences.txt', 'run.json'];
    const more = [ASSET, `${id}.qrec`];
    expect(await namesOf(false)).toEqual([...PAGE, ...rest, 'model.xml', ...more]);
    const snapshot = JSON.parse(readFileSync(join(out, 'run.json'), 'utf8')) as Snapshot;
    expect(snapshot.assets).toEqual([{ name: 'a.stl', file: ASSET }]);
    rmSync(join(run, 'model.xml'));
    expect(await namesOf(true)).toEqual([...PAGE, ...rest, ...more]);
  });

  it('of one file leaves what else lies in its folder', async () => {
    const run = fakeRun(folder, 'single');
    const out = join(folder, 'mail');
    mkdirSync(out);
    writeFileSync(join(out, 'model.xml'), 'mine');
    await writeSite(run, { out, single: true });
    expect(readdirSync(out).sort()).toEqual(['index.html', 'model.xml']);
    await expect(writeSite(run, { out, single: true })).rejects.toMatchObject({
      code: 'EXPORT_EXISTS',
    });
  });
});
