import { describe, expect, it } from '@jest/globals';
import { FileWarnings } from '../../src/training/run-log.js';

/** An error as Node makes it of a system call. */
const refused = (code: string, words: string) =>
  Object.assign(new Error(`${code}: ${words}, write`), { code, syscall: 'write' });

function setup() {
  const said: string[] = [];
  const warnings = new FileWarnings(7, ({ seed, code, message }) =>
    said.push(`${seed} ${code} ${message}`),
  );
  return { said, warnings };
}

describe('warnings of files', () => {
  it('name the file, the reason and what becomes of it', () => {
    const { said, warnings } = setup();
    warnings.refused('eval.csv', refused('EIO', 'i/o error'), 'tried again');
    warnings.refused('events.out', new Error('no such module'), 'nothing to show');
    warnings.lost('eval.csv', 1);
    warnings.lost('log.jsonl', 12);
    expect(said).toEqual([
      '7 SINK_FAILED eval.csv: i/o error; tried again',
      '7 SINK_FAILED events.out: no such module; nothing to show',
      '7 SINK_FAILED eval.csv lacks a record that could not be written',
      '7 SINK_FAILED log.jsonl lacks 12 records that could not be written',
    ]);
  });

  it('come once for each file, and of a full disk or quota once for all', () => {
    const { said, warnings } = setup();
    for (const name of ['a', 'b', 'a']) {
      warnings.refused(name, refused('EIO', 'i/o error'), 'x');
      warnings.refused(name, refused('ENOSPC', 'no space left on device'), 'x');
      warnings.refused(name, refused('EDQUOT', 'disk quota exceeded'), 'x');
    }
    expect(said.map((line) => line.split(':')[0])).toEqual([
      '7 SINK_FAILED a',
      '7 DISK_FULL a',
      '7 QUOTA a',
      '7 SINK_FAILED b',
    ]);
  });
});
