/** What cannot be recorded, and a page that was not built: one error each, with the way out. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { train } from '../../src/training/train.js';
import { readPageFile } from '../../src/watch/page-files.js';
import { recordEpisode } from '../../src/watch/record.js';
import { slope } from '../environments/support.js';
import { shortRun } from '../export/runs.js';

const folder = mkdtempSync(join(tmpdir(), 'virel-record-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('recordEpisode', () => {
  it('gives the same bytes for the same checkpoint and seed, and stops when it is told', async () => {
    const runDir = await shortRun(folder, 'run', { env: 'Hopper-v5', network: { hidden: [4] } });
    const first = await recordEpisode(runDir, { seed: 5 });
    const bytes = readFileSync(first.file);
    // so that the second one is read, not the first once more
    rmSync(first.file);
    const second = await recordEpisode(runDir, { seed: 5, step: 'best' });
    expect(second).toEqual(first);
    expect(readFileSync(second.file).equals(bytes)).toBe(true);
    const other = await recordEpisode(runDir, { seed: 4 });
    expect(readFileSync(other.file).equals(bytes)).toBe(false);
    rmSync(other.file);
    const signal = AbortSignal.abort();
    await expect(recordEpisode(runDir, { seed: 6, signal })).rejects.toMatchObject({
      code: 'ABORTED',
    });
    await expect(recordEpisode(runDir, { seed: 6, step: 17 })).rejects.toMatchObject({
      code: 'CHECKPOINT_NONE',
    });
    expect(readdirSync(join(runDir, 'recordings'))).toEqual(['000000000300-s5.qrec']);
  });

  it('that cannot be written is an error with the file and the way out, and leaves nothing', async () => {
    const runDir = await shortRun(folder, 'closed', { env: 'Hopper-v5', network: { hidden: [4] } });
    writeFileSync(join(runDir, 'recordings'), 'in the way');
    const path = join(runDir, 'recordings/000000000300-s5.qrec');
    const refusal = { code: 'IO', where: path, fix: expect.stringContaining('free space') };
    await expect(recordEpisode(runDir, { seed: 5 })).rejects.toMatchObject(refusal);
    rmSync(join(runDir, 'recordings'));
    // a folder cannot be replaced by a file
    mkdirSync(path, { recursive: true });
    await expect(recordEpisode(runDir, { seed: 5 })).rejects.toMatchObject(refusal);
    expect(readdirSync(join(runDir, 'recordings'))).toEqual(['000000000300-s5.qrec']);
  });

  it('refuses an environment in TypeScript, which has no MuJoCo states', async () => {
    const runDir = join(folder, 'own');
    const options = { steps: 40, collect: { startUpdates: 30 }, network: { hidden: [4] }, runDir };
    await train({ env: slope, ...options, evaluation: { episodes: 1 } }).finished;
    await expect(recordEpisode(runDir, { seed: 0 })).rejects.toMatchObject({
      code: 'RECORDING_UNSUPPORTED',
      exit: 2,
    });
  });
});

describe('the files of the page', () => {
  it('that were not built are PAGE_MISSING, with the command that builds them', () => {
    const read = () => readPageFile('page.js', join(folder, 'nothing'));
    expect(read).toThrow(
      expect.objectContaining({
        code: 'PAGE_MISSING',
        exit: 3,
        fix: expect.stringContaining('npm run build'),
      }),
    );
  });
});
