import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { takeLock } from '../../src/setup/lock.js';
import { folder } from './stand-in.js';

const quiet = { onWait: () => {}, pollMs: 5 };

describe('the lock of a set-up', () => {
  it('keeps a second one waiting, which is told once who holds it', async () => {
    const file = join(folder(), 'setup.lock');
    const release = await takeLock(file, quiet);
    const told: string[] = [];
    let entered = false;
    const second = takeLock(file, { onWait: (text) => told.push(text), pollMs: 5 }).then((free) => {
      entered = true;
      return free;
    });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(entered).toBe(false);
    expect(told).toEqual([expect.stringContaining(`set-up runs in process ${process.pid} on`)]);
    release();
    (await second)();
    expect(existsSync(file)).toBe(false);
  });

  it('is taken over from a process that is gone', async () => {
    const file = join(folder(), 'setup.lock');
    const release = await takeLock(file, quiet);
    const mine = JSON.parse(readFileSync(file, 'utf8'));
    release();
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    writeFileSync(file, JSON.stringify({ ...mine, pid }));
    (await takeLock(file, quiet))();
    expect(readdirSync(dirname(file))).toEqual([]);
  });

  it('is taken over from an earlier process of the same id', async () => {
    const file = join(folder(), 'setup.lock');
    const release = await takeLock(file, quiet);
    const mine = JSON.parse(readFileSync(file, 'utf8'));
    release();
    writeFileSync(file, JSON.stringify({ ...mine, processStart: '1' }));
    (await takeLock(file, quiet))();
    expect(existsSync(file)).toBe(false);
  });

  it('is taken over when it is damaged', async () => {
    const file = join(folder(), 'setup.lock');
    writeFileSync(file, '{');
    (await takeLock(file, quiet))();
    expect(existsSync(file)).toBe(false);
  });

  it('is refused, not waited for, where a folder lies in its place', async () => {
    const file = join(folder(), 'setup.lock');
    mkdirSync(file);
    await expect(takeLock(file, quiet)).rejects.toMatchObject({
      code: 'SETUP_FAILED',
      where: file,
    });
  });

  it('of another machine is waited for, with the way out, and the wait can be aborted', async () => {
    const file = join(folder(), 'setup.lock');
    const other = { pid: 1, processStart: '1', host: 'elsewhere', since: 'yesterday' };
    writeFileSync(file, JSON.stringify(other));
    const controller = new AbortController();
    const told: string[] = [];
    const waiting = takeLock(file, {
      onWait: (text) => told.push(text),
      signal: controller.signal,
      pollMs: 5,
    });
    controller.abort();
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
    expect(told).toEqual([expect.stringContaining(`rm ${file}`)]);
  });

  it('lets one at a time in, of many that find a dead one', async () => {
    const file = join(folder(), 'setup.lock');
    writeFileSync(file, '{');
    let inside = 0;
    const visits = Array.from({ length: 8 }, async () => {
      const release = await takeLock(file, quiet);
      inside += 1;
      expect(inside).toBe(1);
      await new Promise((resolve) => setTimeout(resolve, 5));
      inside -= 1;
      release();
    });
    await Promise.all(visits);
    expect(inside).toBe(0);
  });
});
