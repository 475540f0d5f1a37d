/** The page of `watch` while something fails or comes late: it loads no robot twice, tries again, and tells the true reason. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { type Watching, watch } from '../../src/watch/watch.js';
import { compile } from '../cli/command.js';
import { chromiumPath, newPage, onStage, openBrowser, until, type Watched } from './browser.js';
import { addRecording, fakeRun } from './fake-runs.js';

const PATIENCE = 240_000;
const inBrowser = chromiumPath === undefined ? describe.skip : describe;
/** A ball on a rail: one position a state, as the recordings of fake runs have. */
const MODEL =
  '<mujoco><worldbody><body><joint type="slide"/><geom size="0.1"/></body></worldbody></mujoco>';
const folder = mkdtempSync(join(tmpdir(), 'virel-trouble-'));
let browser: Browser;
let count = 0;
let runsDir = '';
let dir = '';
let watching: Watching;
let seen: Watched;

function makeRun(name: string, created: string): string {
  const made = fakeRun(runsDir, name, { env: name, created });
  writeFileSync(join(made, 'model.xml'), MODEL);
  return made;
}

/** Holds answers of an address back until the function is called. */
async function holdBack(page: Page, address: string): Promise<() => void> {
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  await page.route(address, async (route) => {
    await held;
    await route.continue();
  });
  return release;
}

beforeAll(async () => {
  compile();
  if (chromiumPath !== undefined) browser = await openBrowser();
}, PATIENCE);
afterAll(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true });
});
beforeEach(async () => {
  if (chromiumPath === undefined) return;
  count += 1;
  runsDir = join(folder, String(count));
  dir = makeRun('first', '2026-11-26T00:00:00.000Z');
  addRecording(dir, 1000);
  watching = await watch({ run: dir, runsDir, record: false });
  seen = await newPage(browser, watching.url);
});
afterEach(async () => {
  await seen?.page.close();
  await watching?.close();
});

inBrowser('the robot', () => {
  it('is loaded once for recordings that are chosen before it is there', async () => {
    addRecording(dir, 2000);
    const { page } = seen;
    let models = 0;
    page.on('request', (request) => {
      if (request.url().endsWith('/model')) models += 1;
    });
    const release = await holdBack(page, '**/mujoco.wasm');
    await page.goto(watching.url);
    await until(page, 'virelWatch.playing() === "000000002000-s0"');
    await page.getByLabel('Recorded episode').selectOption('000000001000-s0');
    release();
    await onStage(page);
    expect(await page.evaluate('virelWatch.playing()')).toBe('000000001000-s0');
    expect([models, seen.complaints]).toEqual([1, []]);
  });

  it('of a run that was left before it came is none of the next one', async () => {
    addRecording(makeRun('second', '2026-11-25T00:00:00.000Z'), 3000);
    const { page } = seen;
    const release = await holdBack(page, '**/mujoco.wasm');
    await page.goto(watching.url);
    await until(page, 'virelWatch.playing() === "000000001000-s0"');
    await page.locator('.run-name', { hasText: 'second' }).click();
    await until(page, 'virelWatch.playing() === "000000003000-s0"');
    release();
    await onStage(page);
    await page.locator('.run-name', { hasText: 'first' }).click();
    await until(page, 'virelWatch.playing() === "000000001000-s0"');
    await onStage(page);
    expect(seen.complaints).toEqual([]);
  });

  /** Refuses MuJoCo until the function is called. */
  async function loseMujoco(): Promise<() => void> {
    let isLost = true;
    await seen.page.route('**/mujoco.wasm', (route) => (isLost ? route.abort() : route.continue()));
    await seen.page.goto(watching.url);
    await seen.page.locator('.message', { hasText: 'The robot cannot be shown' }).waitFor();
    expect(await seen.page.evaluate('virelWatch.playing()')).toBeUndefined();
    return () => {
      isLost = false;
    };
  }

  it('that could not be loaded is tried again, though nothing new comes', async () => {
    const find = await loseMujoco();
    find();
    await onStage(seen.page);
    expect(await seen.page.evaluate('virelWatch.playing()')).toBe('000000001000-s0');
  });

  it('that could not be loaded is tried again with the recording that was chosen', async () => {
    addRecording(dir, 2000);
    const find = await loseMujoco();
    const select = seen.page.getByLabel('Recorded episode');
    await select.selectOption('000000001000-s0');
    addRecording(dir, 3000);
    await select.locator('option[value="000000003000-s0"]').waitFor({ state: 'attached' });
    expect(await select.inputValue()).toBe('000000001000-s0');
    find();
    await onStage(seen.page);
    expect(await seen.page.evaluate('virelWatch.playing()')).toBe('000000001000-s0');
  });

  it('of a run that was left is drawn no more', async () => {
    makeRun('second', '2026-11-25T00:00:00.000Z');
    const { page } = seen;
    await page.goto(watching.url);
    await onStage(page);
    await page.locator('.run-name', { hasText: 'second' }).click();
    await page.locator('.message', { hasText: 'No episode of this run is recorded' }).waitFor();
    await page.setViewportSize({ width: 900, height: 700 });
    await page.emulateMedia({ colorScheme: 'dark' });
    // whatever draws on a change of size or colours has drawn by the second frame
    await page.evaluate(
      'new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))',
    );
    expect(seen.complaints).toEqual([]);
  });
});

inBrowser('the page says', () => {
  const contact = (text: string) => seen.page.locator('.contact', { hasText: text }).waitFor();

  it('that too many are open, and nothing once there is room', async () => {
    const { page } = seen;
    const [address, token] = watching.url.split('/#t=') as [string, string];
    const headers = { Authorization: `Bearer ${token}` };
    const list = await fetch(`${address}/api/runs`, { headers });
    const { first } = (await list.json()) as { first: string };
    const others = new AbortController();
    const open = () =>
      fetch(`${address}/api/runs/${first}/updates`, { headers, signal: others.signal });
    await Promise.all(Array.from({ length: 8 }, open));
    await page.goto(watching.url);
    await contact('watch gives nothing: too many pages are open. Trying again.');
    others.abort();
    await page.locator('.contact').waitFor({ state: 'hidden' });
    await onStage(page);
  });

  it('that there is no contact where nothing answers', async () => {
    await seen.page.route('**/api/runs?*', (route) => route.abort());
    await seen.page.goto(watching.url);
    await contact('No contact with watch: it ended, or the machine sleeps. Trying again.');
  });

  it('nothing any longer once it was answered, and asks again what failed', async () => {
    const { page } = seen;
    const isOther = ({ pathname }: URL) => /^\/api\/runs\/[^/]+$/.test(pathname);
    let [lists, facts] = [0, 0];
    await page.route('**/api/runs?*', (route) => {
      lists += 1;
      return lists === 1 ? route.abort() : route.continue();
    });
    let isLost = true;
    await page.route(isOther, (route) => {
      facts += 1;
      return isLost ? route.abort() : route.continue();
    });
    await page.goto(watching.url);
    await contact('No contact with watch');
    await onStage(page);
    expect(await page.locator('.contact').isVisible()).toBe(true);
    isLost = false;
    await page.locator('.contact').waitFor({ state: 'hidden' });
    await page.locator('.state', { hasText: 'of 4,000' }).waitFor();
    expect([lists, facts].every((asked) => asked > 1)).toBe(true);
  });

  it('that there is no contact with a server that ended', async () => {
    await seen.page.goto(watching.url);
    await onStage(seen.page);
    await watching.close();
    await contact('No contact with watch: it ended, or the machine sleeps. Trying again.');
  });

  it('that it is not allowed in with a wrong token, and why', async () => {
    await seen.page.goto(`${watching.url}x`);
    await contact(
      'Not allowed in: the token is missing or wrong: open the address that watch printed.',
    );
  });
});
