/** Whatever is asked of the server of `watch`, the runs are as they were. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { PAGE_FILES } from '../../src/watch/page-files.js';
import { ROUTES } from '../../src/watch/routes.js';
import type { RunList } from '../../src/watch/shared/wire.js';
import { type Watching, watch } from '../../src/watch/watch.js';
import { compile } from '../cli/command.js';
import { addRecording, fakeRun } from './fake-runs.js';

const PATIENCE = 120_000;
const ASSET = '0123456789abcdef.stl';
const folder = mkdtempSync(join(tmpdir(), 'virel-read-only-'));
const runsDir = join(folder, 'runs');
let watching: Watching;
let headers: Record<string, string>;
/** An address of every route, its run and its files among them. */
let paths: string[];

/** Everything below the folder of runs: names, and the bytes of files. */
function contents(): [name: string, bytes: string | null][] {
  return readdirSync(runsDir, { recursive: true, withFileTypes: true })
    .map((entry): [string, string | null] => {
      const path = join(entry.parentPath, entry.name);
      return [path, entry.isFile() ? readFileSync(path, 'base64') : null];
    })
    .sort(([first], [second]) => (first < second ? -1 : 1));
}

/** Asks, and reads the answer: of a stream its first part, of others all. @returns The status. */
async function ask(path: string, method = 'GET'): Promise<number> {
  const url = `http://127.0.0.1:${watching.port}${path}`;
  const response = await fetch(url, { method, headers });
  if (path.endsWith('/updates')) {
    const reader = response.body?.getReader();
    await reader?.read();
    await reader?.cancel();
  } else await response.arrayBuffer();
  return response.status;
}

beforeAll(compile, PATIENCE);
beforeEach(async () => {
  const dir = fakeRun(runsDir, 'Hopper-v5/virel/seed-0');
  const recording = addRecording(dir, 1000);
  mkdirSync(join(dir, 'assets'));
  writeFileSync(join(dir, 'assets', ASSET), 'solid');
  const index = { format: 1, assets: [{ name: 'a.stl', file: ASSET }] };
  writeFileSync(join(dir, 'assets/index.json'), JSON.stringify(index));
  watching = await watch({ run: dir, runsDir, record: false });
  headers = { Authorization: `Bearer ${watching.url.split('#t=')[1]}` };
  const list = await fetch(`http://127.0.0.1:${watching.port}/api/runs`, { headers });
  const run = `/api/runs/${((await list.json()) as RunList & { first: string }).first}`;
  paths = [
    '/',
    ...Object.keys(PAGE_FILES).map((name) => `/${name}`),
    '/api/runs',
    '/api/runs?q=hopper&offset=0',
    run,
    ...['updates', 'model', 'assets', `assets/${ASSET}`, `recordings/${recording}`].map(
      (name) => `${run}/${name}`,
    ),
  ];
});
afterEach(async () => {
  await watching.close();
  rmSync(runsDir, { recursive: true });
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('watch', () => {
  it('changes nothing in the runs, by any route and any method', async () => {
    const before = contents();
    // run.json, status, config, origin, model, two logs, a recording, an asset and its list, five folders
    expect(before).toHaveLength(15);
    const untried = ROUTES.filter(({ pattern }) => !paths.some((path) => pattern.test(path)));
    expect(untried).toEqual([]);
    for (const path of paths) {
      expect([path, await ask(path)]).toEqual([path, 200]);
      expect([path, await ask(path, 'HEAD')]).toEqual([path, 200]);
      for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
        expect([path, method, await ask(path, method)]).toEqual([path, method, 405]);
      }
    }
    expect(contents()).toEqual(before);
  });
});
