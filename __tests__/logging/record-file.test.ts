import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { RecordFile } from '../../src/logging/record-file.js';
import { fillDisk, noTmpfs, type SmallDisk, smallDisk } from '../support/small-disk.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'virel-record-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const text = (words: string) => Buffer.from(words);

describe('a file of records', () => {
  it('begins with its head, which an empty record writes alone', () => {
    const path = join(folder, 'file');
    const file = new RecordFile(() => openSync(path, 'wx'), text('head\n'));
    file.append(new Uint8Array());
    expect(readFileSync(path, 'utf8')).toBe('head\n');
    file.append(text('one\n'));
    file.append(text('two\n'));
    file.close();
    expect(readFileSync(path, 'utf8')).toBe('head\none\ntwo\n');
  });

  it('is opened again after it could not be', () => {
    const path = join(folder, 'later', 'file');
    let path2 = path;
    const file = new RecordFile(() => openSync(path2, 'wx'), text(''));
    expect(() => file.append(text('one'))).toThrow(expect.objectContaining({ code: 'ENOENT' }));
    path2 = join(folder, 'file');
    file.append(text('one'));
    file.close();
    expect(readFileSync(path2, 'utf8')).toBe('one');
  });

  it('throws what the system says, each time', () => {
    // takes no byte, and cannot be cut either
    const file = new RecordFile(() => openSync('/dev/full', 'w'), text('head'));
    const append = () => file.append(text('one'));
    expect(append).toThrow(expect.objectContaining({ code: 'ENOSPC' }));
    expect(append).toThrow(expect.objectContaining({ code: expect.any(String) }));
    file.close();
  });

  describe('on a disk of 64 KiB', () => {
    const test = noTmpfs === undefined ? it : it.skip;
    const title = (fact: string) => (noTmpfs === undefined ? fact : `${fact} (${noTmpfs})`);
    let disk: SmallDisk | undefined;
    afterEach(() => disk?.remove());

    test(title('holds whole records only when it is full, and goes on when there is room'), () => {
      disk = smallDisk('64k');
      const path = join(disk.path, 'file');
      const line = (index: number) => `${String(index).padStart(6, '0')} ${'x'.repeat(990)}\n`;
      const file = new RecordFile(() => openSync(path, 'wx'), text('head\n'));
      const free = fillDisk(disk.path, 24_000);
      let written = 0;
      const fill = () => {
        for (; written < 1000; written += 1) file.append(text(line(written)));
      };
      expect(fill).toThrow(expect.objectContaining({ code: 'ENOSPC' }));
      expect(written).toBeGreaterThan(5);
      const whole = () =>
        `head\n${Array.from({ length: written }, (_, index) => line(index)).join('')}`;
      expect(readFileSync(path, 'utf8')).toBe(whole());
      free();
      file.append(text(line(written)));
      written += 1;
      file.close();
      expect(readFileSync(path, 'utf8')).toBe(whole());
    });
  });
});
