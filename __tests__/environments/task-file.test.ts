import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { readTaskFile } from '../../src/environments/task-file.js';

const folder = mkdtempSync(join(tmpdir(), 'virel-task-file-'));
afterAll(() => rmSync(folder, { recursive: true }));

const file = join(folder, 'task.json');
const read = (...lines: string[]) => {
  writeFileSync(file, lines.join('\n'));
  return readTaskFile(file);
};

describe('a task file', () => {
  it('gives its time limit', () => {
    expect(read('{', '  "maxEpisodeSteps": 500', '}', '')).toEqual({ maxEpisodeSteps: 500 });
  });

  // the error stands neither on the first line nor, but for what is missing at the end, on the last
  it.each<[string, number, string[]]>([
    ['a trailing comma in a list', 3, ['{', '"reset": [1,', '2,],', '"maxEpisodeSteps": 5', '}']],
    ['a trailing comma in an object', 3, ['{', '"maxEpisodeSteps": 5,', '}', '']],
    ['an unquoted value', 2, ['{', '"actuator": motor,', '"maxEpisodeSteps": 5', '}']],
    ['an unquoted name', 2, ['{', 'maxEpisodeSteps: 5', '}']],
    ['a missing comma', 3, ['{', '"frameSkip": 2', '"maxEpisodeSteps": 5', '}']],
    ['a comment', 2, ['{', '// the limit', '"maxEpisodeSteps": 5', '}']],
    ['a string without an end', 2, ['{', '"name": "pole,', '"maxEpisodeSteps": 5', '}']],
    ['more behind the end', 4, ['{', '"maxEpisodeSteps": 5', '}', '}', '']],
    ['a missing closing brace', 2, ['{', '"maxEpisodeSteps": 5', '', '']],
    ['nothing', 1, []],
    ['blank lines', 1, ['', '', '']],
  ])('with %s is refused on line %i', (_, line, lines) => {
    const path = file.replaceAll(/[.\\]/g, '\\$&');
    // one line a person can read, without offsets of its own
    const message = new RegExp(`^${path}:${line}: no JSON: (?!.*position)[^\n]{10,}$`);
    expect(() => read(...lines)).toThrow(
      expect.objectContaining({
        code: 'TASK_INVALID',
        where: 'env.taskFile',
        message: expect.stringMatching(message),
      }),
    );
  });

  it('with a limit that is none is refused on its line', () => {
    expect(() => read('{', '"frameSkip": 2,', '"maxEpisodeSteps": 0', '}')).toThrow(
      `${file}:3: maxEpisodeSteps: expected a whole number, at least 1, got 0`,
    );
  });
});
