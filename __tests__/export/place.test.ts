/** The folder of an export where writing fails: it is as it was. */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { placeFiles } from '../../src/export/place.js';
import { fillDisk, noTmpfs, type SmallDisk, smallDisk } from '../support/small-disk.js';

const test = noTmpfs === undefined ? it : it.skip;
const title = (fact: string) => (noTmpfs === undefined ? fact : `${fact} (${noTmpfs})`);

let disk: SmallDisk;
beforeEach(() => {
  if (noTmpfs === undefined) disk = smallDisk('256k');
});
afterEach(() => {
  if (noTmpfs === undefined) disk.remove();
});

describe('a disk that is full', () => {
  test.each([
    ['at the lock', 0],
    ['at the files', 8192],
  ])(title('%s leaves nothing of an export, and says so'), async (_name, room) => {
    const folder = join(disk.path, 'old');
    mkdirSync(folder);
    writeFileSync(join(folder, 'mine'), 'mine');
    fillDisk(disk.path, room);
    for (const out of [folder, join(disk.path, 'new')]) {
      const place = { folder: out, names: ['a'], force: false };
      const placed = placeFiles(place, async (into) => {
        writeFileSync(join(into, 'a'), Buffer.alloc(1 << 16));
      });
      await expect(placed).rejects.toMatchObject({
        code: 'DISK_FULL',
        where: out,
        fix: 'name another folder: -o DIR',
      });
    }
    expect(readdirSync(folder)).toEqual(['mine']);
    expect(existsSync(join(disk.path, 'new'))).toBe(false);
  });
});
