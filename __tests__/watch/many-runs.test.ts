/** 10,000 runs in a folder: `watch` as a process, and its page in Chromium. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RunList } from '../../src/watch/shared/wire.js';
import { compile, type Running, start } from '../cli/command.js';
import { chromiumPath, openBrowser, until, visit } from './browser.js';

const PATIENCE = 240_000;
const MANY = 10_000;
/** Milliseconds after which the page reads the list again. */
const LIST_PACE = 5000;
const folder = mkdtempSync(join(tmpdir(), 'virel-many-runs-'));
let running: Running;
let url = '';

beforeAll(async () => {
  compile();
  const summary = { event: 'summary', state: 'finished', steps: 1000, finalScore: 1 };
  for (let index = 0; index < MANY; index += 1) {
    const dir = join(folder, 'runs', `Task-${index % 10}`, 'sac', `seed-${index}`);
    mkdirSync(dir, { recursive: true });
    const created = new Date(Date.UTC(2026, 0, 1) + index * 1000).toISOString();
    const about = { format: 1, env: `Task-${index % 10}`, algorithm: 'sac', seed: index, created };
    writeFileSync(join(dir, 'run.json'), JSON.stringify(about));
    writeFileSync(join(dir, 'summary.json'), JSON.stringify(summary));
  }
  running = start(['watch', '--no-record', '--json'], folder);
  let stdout = '';
  running.child.stdout?.on('data', (text: string) => {
    stdout += text;
  });
  await running.says('\n');
  ({ url } = JSON.parse(stdout));
}, PATIENCE);
afterAll(async () => {
  running.child.kill('SIGTERM');
  await running.ended;
  rmSync(folder, { recursive: true });
});

/** Most memory that the process ever had, in megabytes. */
const memory = () => {
  const status = readFileSync(`/proc/${running.child.pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1000;
};

describe('watch on a folder of 10,000 runs', () => {
  it(
    'begins with the newest, knows them all soon, and stays below 250 MB',
    async () => {
      const headers = { Authorization: `Bearer ${url.split('#t=')[1]}` };
      const get = async (query = '') =>
        (await (
          await fetch(`${url.split('#')[0]}api/runs${query}`, { headers })
        ).json()) as RunList;
      expect((await get()).runs[0]).toMatchObject({ name: `Task-9/sac/seed-${MANY - 1}` });
      while ((await get()).searching) await new Promise((resolve) => setTimeout(resolve, 200));
      expect((await get()).total).toBe(MANY);
      expect((await get('?q=task-3+sac')).total).toBe(MANY / 10);
      const first = await get('?offset=-1');
      expect([first.runs.length, first.runs[0]?.name]).toEqual([
        200,
        `Task-9/sac/seed-${MANY - 1}`,
      ]);
      expect((await get(`?offset=${MANY - 10}`)).runs).toHaveLength(10);
      expect(memory()).toBeLessThan(250);
    },
    PATIENCE,
  );

  (chromiumPath === undefined ? it.skip : it)(
    'shows 200 of them, more when asked, and finds one by its name',
    async () => {
      const browser = await openBrowser();
      try {
        const { page, complaints } = await visit(browser, url);
        const shown = 'document.querySelectorAll("nav li").length';
        await until(page, `${shown} === 200`);
        await page.getByRole('button', { name: /more/i }).click();
        await until(page, `${shown} === 400`);
        // what was asked for stays when the list is read again
        await page.waitForTimeout(LIST_PACE + 1000);
        expect(await page.evaluate(shown)).toBe(400);
        await page.locator('nav input').fill('seed-4321');
        await until(page, `${shown} === 1`);
        expect(await page.locator('nav li').textContent()).toContain('seed 4321');
        expect(complaints).toEqual([]);
      } finally {
        await browser.close();
      }
    },
    PATIENCE,
  );
});
