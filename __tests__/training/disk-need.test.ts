/** What a run says of its disk before it begins, held against what one writes. */
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { resolveConfig } from '../../src/config/resolve.js';
import { TASKS } from '../../src/environments/tasks.js';
import { diskNeed, diskWarning } from '../../src/training/disk-need.js';
import { noTmpfs, smallDisk } from '../support/small-disk.js';
import { folder, of, run } from './counted-runs.js';

const needOf = (env: string, options = {}) => {
  const task = TASKS.find(({ id }) => id === env);
  if (task === undefined) throw new Error(env);
  return diskNeed(resolveConfig({ env, ...options }), task);
};

describe('the disk that a run will need', () => {
  it('is two checkpoints and the rows of the replay buffer, 2.9 GB of Humanoid, 0.17 of HalfCheetah', () => {
    expect(needOf('Humanoid-v5').rows * needOf('Humanoid-v5').row).toBeCloseTo(2.86e9, -8);
    expect(needOf('HalfCheetah-v5').rows * needOf('HalfCheetah-v5').row).toBe(168e6);
    const { checkpoint, total, rows, row } = needOf('Hopper-v5');
    expect(total).toBe(2 * checkpoint + rows * row);
  });

  it('has no more rows than steps, than the ring holds, than are still to come; none where none are kept', () => {
    expect(needOf('Hopper-v5', { steps: 5000 }).rows).toBe(5000);
    expect(needOf('Hopper-v5', { replay: { capacity: 7000 } }).rows).toBe(7000);
    expect(needOf('Hopper-v5', { checkpoint: { replay: false } }).rows).toBe(0);
    const config = resolveConfig({ env: 'Hopper-v5', steps: 5000 });
    const task = { observationSize: 11, actionSize: 3, actionLow: [], actionHigh: [] };
    expect(diskNeed(config, task as never, 4000).rows).toBe(1000);
  });

  it('is a warning with the bytes and the setting that lowers them, only where the disk is too small', () => {
    const need = needOf('Humanoid-v5');
    expect(diskWarning(need, '/x', need.total)).toBeUndefined();
    const text = diskWarning(need, '/x', 4e8);
    expect(text).toMatch(/^this run will need 2\.9 GB \(2 checkpoints of \d+ MB, 1,000,000 rows /);
    expect(text).toContain('400 MB free in /x; --set replay.capacity=N');
    const bare = diskWarning(needOf('Humanoid-v5', { checkpoint: { replay: false } }), '/x', 1e6);
    expect(bare).not.toContain('rows');
    expect(diskWarning(need, join(folder, 'nowhere'))).toBeUndefined();
  });

  it('is not said of a run that has room', async () => {
    const { events } = await run({});
    expect(of(events, 'warning')).toEqual([]);
  });

  const test = noTmpfs === undefined ? it : it.skip;
  test(`is said before the first step of a run that trains all the same (${noTmpfs ?? 'a disk of 1 MB'})`, async () => {
    const disk = smallDisk('1m');
    try {
      const { events, ended } = await run({ runDir: join(disk.path, 'run') });
      expect(events.slice(0, 2)).toMatchObject([
        { event: 'start' },
        {
          event: 'warning',
          code: 'DISK_FULL',
          message: expect.stringMatching(/^this run will need/),
        },
      ]);
      expect(ended).toMatchObject({ status: 'fulfilled', value: { state: 'finished' } });
    } finally {
      disk.remove();
    }
  });
});
