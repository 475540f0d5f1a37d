/** A robot of one's own, of meshes on a height field: its files go along with the run, and the page draws it of them. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { namedFiles } from '../../src/training/model-assets.js';
import { recordEpisode } from '../../src/watch/record.js';
import { writeSite } from '../../src/watch/static-site.js';
import { watch } from '../../src/watch/watch.js';
import { compile } from '../cli/command.js';
import { shortRun } from '../export/runs.js';
import { chromiumPath, onStage, openBrowser, visit } from './browser.js';

const PATIENCE = 240_000;
const examples = fileURLToPath(new URL('../../examples', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'virel-own-model-'));
const models = join(folder, 'models');
const ELEVATION = [0, 1, 2, 3, 4, 5];
let runDir = '';
let browser: Browser;
const inBrowser = chromiumPath === undefined ? describe.skip : describe;

/** A tetrahedron as binary STL. */
function tetrahedron(): Buffer {
  const corners = [
    [0, 0, 0],
    [0.3, 0, 0],
    [0, 0.3, 0],
    [0, 0, 0.3],
  ];
  const faces = [
    [0, 2, 1],
    [0, 1, 3],
    [0, 3, 2],
    [1, 2, 3],
  ];
  const bytes = Buffer.alloc(84 + 50 * faces.length);
  bytes.writeUInt32LE(faces.length, 80);
  for (const [index, face] of faces.entries()) {
    const numbers = face.flatMap((corner) => corners[corner] as number[]);
    for (const [at, value] of numbers.entries())
      bytes.writeFloatLE(value, 84 + 50 * index + 12 + 4 * at);
  }
  return bytes;
}

beforeAll(async () => {
  compile();
  mkdirSync(join(models, 'meshes'), { recursive: true });
  writeFileSync(join(models, 'meshes/cart.stl'), tetrahedron());
  writeFileSync(
    join(models, 'look.xml'),
    "<mujoco><asset><material name='m' rgba='1 0 0 1'/></asset></mujoco>",
  );
  const own = `<compiler meshdir="meshes"/><include file="look.xml"/>
  <asset>
    <mesh name="cart" file="cart.stl"/>
    <!-- <mesh name="none" file="not-there.stl"/> -->
    <hfield name="hills" nrow="2" ncol="3" size="2 1 0.5 0.1" elevation="${ELEVATION.join(' ')}"/>
  </asset>`;
  const xml = readFileSync(join(examples, 'cart-pole.xml'), 'utf8')
    .replace('<worldbody>', `${own}<worldbody><geom type="hfield" hfield="hills" pos="0 0 -1"/>`)
    .replace('type="box" size="0.15 0.1 0.05"', 'type="mesh" mesh="cart" material="m"');
  writeFileSync(join(models, 'cart.xml'), xml);
  runDir = await shortRun(folder, 'run', {
    env: {
      id: 'InvertedPendulum-v5',
      modelFile: join(models, 'cart.xml'),
      taskFile: join(examples, 'cart-pole.json'),
    },
    network: { hidden: [4] },
  });
  await recordEpisode(runDir);
  if (chromiumPath !== undefined) browser = await openBrowser();
}, PATIENCE);
afterAll(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true });
});

interface Drawn {
  shape: string;
  colour: number[];
  mesh?: { corners: Record<string, number>; triangles: Record<string, number> };
}

/** What is drawn at an address. */
async function partsAt(url: string): Promise<{ parts: Drawn[]; complaints: string[] }> {
  const { page, complaints } = await visit(browser, url);
  await onStage(page);
  const parts = (await (page as Page).evaluate('virelWatch.parts()')) as Drawn[];
  await page.close();
  return { parts, complaints };
}

function expectRobot({ parts, complaints }: { parts: Drawn[]; complaints: string[] }): void {
  expect(parts.map(({ shape }) => shape)).toEqual(['hfield', 'mesh', 'capsule']);
  const [field, cart] = parts as [Drawn, Drawn];
  expect(Object.values(cart.mesh?.corners ?? {})).toHaveLength(4 * 3);
  expect(Object.values(cart.mesh?.triangles ?? {})).toHaveLength(4 * 3);
  expect(cart.colour).toEqual([1, 0, 0, 1]);
  const corners = Object.values(field.mesh?.corners ?? {});
  // six corners over 4 by 2 metres, the highest at 0.5; MuJoCo counts rows from the other side than its XML
  expect(corners.filter((_, index) => index % 3 === 0)).toEqual([-2, 0, 2, -2, 0, 2]);
  expect(corners.filter((_, index) => index % 3 === 1)).toEqual([-1, -1, -1, 1, 1, 1]);
  const heights = [3, 4, 5, 0, 1, 2].map((elevation) => Math.fround(elevation / 10));
  for (const [index, height] of heights.entries())
    expect(corners[3 * index + 2]).toBeCloseTo(height, 6);
  expect(Object.values(field.mesh?.triangles ?? {})).toHaveLength(4 * 3);
  expect(complaints).toEqual([]);
}

describe('the folder of a run with a model of its own', () => {
  it('holds the files that the model names, by their hash', () => {
    const { assets } = JSON.parse(readFileSync(join(runDir, 'assets/index.json'), 'utf8'));
    expect(assets.map(({ name }: { name: string }) => name)).toEqual([
      'look.xml',
      'meshes/cart.stl',
    ]);
    expect(readdirSync(join(runDir, 'assets'))).toHaveLength(3);
    expect(readFileSync(join(runDir, 'assets', assets[1].file))).toEqual(tetrahedron());
  });

  it('holds none that lies outside of the folder of the model', () => {
    writeFileSync(join(folder, 'secret.stl'), 'SECRET');
    const names = ['../../secret.stl', join(folder, 'secret.stl'), '/etc/passwd', 'cart.stl'];
    const meshes = names.map((name, index) => `<mesh name="m${index}" file='${name}'/>`);
    const path = join(models, 'hostile.xml');
    writeFileSync(
      path,
      `<mujoco><compiler meshdir="meshes"/><asset>${meshes.join('')}</asset></mujoco>`,
    );
    expect([...namedFiles(path).keys()]).toEqual(['meshes/cart.stl']);
    writeFileSync(
      path,
      '<mujoco><include file="../hostile.xml"/><include file="hostile.xml"/></mujoco>',
    );
    expect([...namedFiles(path).keys()]).toEqual(['hostile.xml']);
  });
});

inBrowser('the page', () => {
  it(
    'draws meshes and height fields, live and from one file',
    async () => {
      const own = await watch({ run: runDir, runsDir: folder, record: false });
      try {
        expectRobot(await partsAt(own.url));
      } finally {
        await own.close();
      }
      const out = join(folder, 'site');
      await writeSite(runDir, { out, single: true });
      expectRobot(await partsAt(pathToFileURL(join(out, 'index.html')).href));
    },
    PATIENCE,
  );

  it(
    'says which file is missing where the run has none of them',
    async () => {
      rmSync(join(runDir, 'assets'), { recursive: true });
      const out = join(folder, 'bare');
      await writeSite(runDir, { out, single: true });
      expect(existsSync(join(out, 'index.html'))).toBe(true);
      const { page } = await visit(browser, pathToFileURL(join(out, 'index.html')).href);
      const message = page.locator('.message', { hasText: 'The robot cannot be shown' });
      await message.waitFor({ timeout: 60_000 });
      expect(await message.textContent()).toContain('look.xml');
      await page.close();
    },
    PATIENCE,
  );
});
