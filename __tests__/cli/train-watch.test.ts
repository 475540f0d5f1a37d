/** `train --watch` as processes: the page beside training, its end with the run, and what is left when one of both dies. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RunList, RunUpdate } from '../../src/watch/shared/wire.js';
import { endless, isAlive, json, until } from '../training/supervised.js';
import { compile, type Running, start } from './command.js';

const PATIENCE = 120_000;
const folder = mkdtempSync(join(tmpdir(), 'virel-train-watch-'));
beforeAll(compile, PATIENCE);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The process of the page: a child of the supervisor. */
function pageOf({ child }: Running): number {
  const isPage = (pid: string) => {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      return parent === child.pid && command.includes('page-process');
    } catch {
      return false;
    }
  };
  return Number(readdirSync('/proc').find((name) => /^\d+$/.test(name) && isPage(name)));
}

/** Starts an endless run with its page. */
async function watched(name: string, command = endless(join(folder, name))) {
  const runDir = join(folder, name);
  const running = start([...command, '--watch', '--runs-dir', folder], folder);
  let stdout = '';
  running.child.stdout?.on('data', (text: string) => {
    stdout += text;
  });
  await running.says('"event":"watching"');
  const line = stdout.split('\n').find((each) => each.includes('"event":"watching"')) ?? '';
  const told: { url: string; port: number; runDir: string } = JSON.parse(line);
  const [, token] = told.url.split('#t=');
  const get = (path: string) =>
    fetch(`http://127.0.0.1:${told.port}${path}`, {
      headers: { Authorization: `Bearer ${token}` },
    });
  return { running, runDir, told, get, page: pageOf(running) };
}

/** Reads a stream of updates to its end. */
async function updatesOf(response: Response): Promise<RunUpdate[]> {
  let text = '';
  const decoder = new TextDecoder();
  try {
    for await (const part of response.body as unknown as AsyncIterable<Uint8Array>)
      text += decoder.decode(part, { stream: true });
  } catch {
    // the server ended
  }
  return [...text.matchAll(/^data: (.*)$/gm)].map(([, data = '']) => JSON.parse(data));
}

describe('train --watch', () => {
  it(
    'shows the run while it trains, tells an open page how it ended, and ends with it',
    async () => {
      const { running, runDir, told, get, page } = await watched('whole');
      expect(told.runDir).toBe(runDir);
      const list = (await (await get('/api/runs')).json()) as RunList & { first: string };
      expect(list.runs).toMatchObject([{ id: list.first, name: 'whole', state: 'running' }]);
      const updates = updatesOf(await get(`/api/runs/${list.first}/updates`));
      await running.says('"event":"evaluation"');
      running.child.kill('SIGINT');
      const { code, stderr } = await running.ended;
      expect([code, isAlive(page)]).toEqual([130, false]);
      expect(stderr).toContain(`watching ${told.url} until training ends\n`);
      const states = (await updates).flatMap(({ entry }) => entry?.state ?? []);
      expect([states[0], states.at(-1)]).toEqual(['running', 'stopped']);
      await expect(get('/api/runs')).rejects.toThrow('fetch failed');
    },
    PATIENCE,
  );

  it(
    'is there of a run that goes on, too',
    async () => {
      const command = ['resume', join(folder, 'whole'), '--quiet', '--json'];
      const { running, told, runDir, page } = await watched('whole', command);
      expect([told.runDir, isAlive(page)]).toEqual([runDir, true]);
      running.child.kill('SIGINT');
      expect([(await running.ended).code, isAlive(page)]).toEqual([130, false]);
    },
    PATIENCE,
  );

  it(
    'trains on when its page dies, and says so once',
    async () => {
      const { running, runDir, page } = await watched('orphan');
      const evaluations = () => readFileSync(join(runDir, 'eval.csv'), 'utf8').split('\n').length;
      process.kill(page, 'SIGKILL');
      await until(() => !isAlive(page));
      const before = evaluations();
      await until(() => evaluations() > before + 2);
      running.child.kill('SIGTERM');
      const { code, stderr } = await running.ended;
      expect(code).toBe(143);
      expect(stderr.match(/warning PAGE_LOST: .*/g)).toEqual([
        'warning PAGE_LOST: no page to watch (it ended with SIGKILL); training goes on',
      ]);
    },
    PATIENCE,
  );

  it(
    'leaves no page behind when its own process is killed',
    async () => {
      const { running, runDir, page } = await watched('killed');
      expect(isAlive(page)).toBe(true);
      running.child.kill('SIGKILL');
      await running.ended;
      await until(() => !isAlive(page) && existsSync(join(runDir, 'summary.json')));
      expect(json(join(runDir, 'summary.json')).state).toBe('stopped');
    },
    PATIENCE,
  );
});
