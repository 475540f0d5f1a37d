/** The folder of an export where writing fails: it is as it was. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { placeFiles } from '../../src/export/place.js';
import { fillDisk, noTmpfs, type SmallDisk, smallDisk } from '../support/small-disk.js';

const test = noTmpfs === undefined ? it : it.skip;
const title = (fact: string) => (noTmpfs === undefined ? fact : `${fact} (${noTmpfs})`);

describe('a disk that is full', () => {
  let disk: SmallDisk;
  beforeEach(() => {
    if (noTmpfs === undefined) disk = smallDisk('256k');
  });
  afterEach(() => {
    if (noTmpfs === undefined) disk.remove();
  });

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

describe('a folder in which nothing can be made', () => {
  /** Characters of the longest path; beside the folder's there is no room for a name in it. */
  const LONGEST = 4095;
  const parents = mkdtempSync(join(tmpdir(), 'virel-place-'));
  afterAll(() => rmSync(parents, { recursive: true }));

  it('is gone again if it was new, and stays if it was there', async () => {
    let parent = parents;
    while (parent.length < LONGEST - 255) parent = join(parent, 'p'.repeat(100));
    mkdirSync(parent, { recursive: true });
    const folder = `${parent}/`.padEnd(LONGEST - 5, 'f');
    const write = async () => {};
    const placed = () => placeFiles({ folder, names: ['a'], force: false }, write);
    await expect(placed()).rejects.toMatchObject({ code: 'IO', where: folder });
    expect(readdirSync(parent)).toEqual([]);
    mkdirSync(folder);
    await expect(placed()).rejects.toMatchObject({ code: 'IO', where: folder });
    expect(readdirSync(parent)).toHaveLength(1);
  });
});
