/** The process of a page beside training, started as `nice` would start it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { getPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { FromPage } from '../../src/watch/beside.js';
import { compile } from '../cli/command.js';
import { fakeRun } from './fake-runs.js';

const PATIENCE = 120_000;
const LOWEST = 19;
const folder = mkdtempSync(join(tmpdir(), 'virel-page-process-'));
const program = fileURLToPath(new URL('../../dist/watch/page-process.js', import.meta.url));
let run = '';
beforeAll(() => {
  compile();
  run = fakeRun(folder, 'run');
}, PATIENCE);
afterAll(() => rmSync(folder, { recursive: true }));

/** Starts the page by `nice`. @returns Its process, and its answer. */
async function pageAt(nice: number): Promise<[ChildProcess, FromPage]> {
  const words = ['-n', String(nice), process.execPath, program];
  const child = spawn('nice', words, { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
  child.send({ watch: { run, runsDir: folder, record: false } });
  const [answer] = await once(child, 'message');
  return [child, answer as FromPage];
}

describe('the process of a page', () => {
  it.each([0, 15])(
    'started %i steps below this one gives a page, at 10 or where it was if that is lower',
    async (nice) => {
      const [child, answer] = await pageAt(nice);
      const ended = once(child, 'exit');
      try {
        expect(answer).toMatchObject({ url: expect.stringContaining('#t=') });
        const began = Math.min(LOWEST, getPriority() + nice);
        expect(getPriority(child.pid)).toBe(Math.max(10, began));
      } finally {
        child.disconnect();
        await ended;
      }
    },
    PATIENCE,
  );
});
