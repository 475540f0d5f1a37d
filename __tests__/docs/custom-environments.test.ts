/** What docs/custom-environments.md shows is what lies in examples/, and is run as its reader would. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { install } from '../cli/command.js';

const PATIENCE = 240_000;
const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'virel-docs-'));
beforeAll(() => install(folder), PATIENCE);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const page = readFileSync(join(root, 'docs/custom-environments.md'), 'utf8');
/** The first two blocks, by the names that stand above them. */
const blocks = [...page.matchAll(/^`([\w-]+\.mjs)`[^\n]*\n\n```js\n(.*?)^```$/gms)].map(
  ([, name = '', text = '']) => ({ name, text }),
);

describe('the example of docs/custom-environments.md', () => {
  it('is what examples/ holds', () => {
    expect(blocks.map(({ name }) => name)).toEqual(['pendulum.mjs', 'train-pendulum.mjs']);
    for (const { name, text } of blocks) {
      expect(text).toBe(readFileSync(join(root, 'examples', name), 'utf8'));
    }
  });

  it(
    'learns to swing the pendulum up and to hold it, as pasted',
    () => {
      for (const { name, text } of blocks) writeFileSync(join(folder, name), text);
      const options = {
        cwd: folder,
        env: { ...process.env, NODE_OPTIONS: '' },
        encoding: 'utf8',
      } as const;
      const lines = execFileSync(process.execPath, ['train-pendulum.mjs'], options)
        .trimEnd()
        .split('\n');
      const means = lines.slice(0, 6).map((line) => Number(line.split(' ')[1]));
      expect(lines[6]).toMatch(/^torque when it hangs at rest: -?[\d.]+$/);
      // hanging still collects about −1600, held upright 0; the swing itself costs some 150
      expect(Math.min(...means)).toBeLessThan(-800);
      expect(means.at(-1)).toBeGreaterThan(-300);
    },
    PATIENCE,
  );
});
