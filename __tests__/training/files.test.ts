/** What the system says when it refuses a file, as one of our errors. */
import { describe, expect, it } from '@jest/globals';
import { VirelError } from '../../src/errors.js';
import { fileError } from '../../src/training/files.js';

describe('a file that the system refuses', () => {
  it.each([
    ['ENOSPC', 28, 'DISK_FULL'],
    ['EDQUOT', 122, 'QUOTA'],
    ['EACCES', 13, 'PERMISSION'],
    ['EROFS', 30, 'PERMISSION'],
    ['EIO', 5, 'IO'],
  ])('%s has one code, whether Node or the native part was refused', (name, number, code) => {
    const node = Object.assign(new Error(`${name}: some words, write`), {
      code: name,
      syscall: 'write',
    });
    expect(fileError(node, '/run/file')).toMatchObject({ code, message: '/run/file: some words' });
    const native = new VirelError('IO', `/run/file: Some words (os error ${number})`);
    expect(fileError(native, '/run')).toMatchObject({
      code,
      message: expect.stringMatching(/^\/run\/file: Some words/),
    });
  });

  it('is any other error as it is', () => {
    for (const error of [
      new Error('x'),
      new VirelError('NOT_FINITE', 'x (os error 28)'),
      undefined,
    ])
      expect(fileError(error, '/run')).toBe(error);
  });
});
