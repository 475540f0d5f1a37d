/** docs/theory.md: its lines print what stands below them, its claims exist, its table is what `verify` measures. */

import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CLAIMS, isNumeric } from '../../src/theory/claims/index.js';
import { install } from '../cli/command.js';

const PATIENCE = 120_000;
const root = fileURLToPath(new URL('../..', import.meta.url));
const page = readFileSync(join(root, 'docs/theory.md'), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'virel-theory-'));
const examples = [...page.matchAll(/^```js\n(.*?)^```\n\n```text\n(.*?)^```$/gms)];

beforeAll(() => {
  install(folder);
}, PATIENCE);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('docs/theory.md', () => {
  it('has an example in each of its sections', () => {
    expect(examples).toHaveLength(page.match(/^## \d+\./gm)?.length ?? 0);
  });

  it.each(examples.map(([, code = '', output = ''], i) => [i + 1, code, output] as const))(
    'prints in section %i what it shows',
    (_, code, output) => {
      writeFileSync(join(folder, 'example.mjs'), code);
      const env = { ...process.env, NODE_OPTIONS: '' };
      const options = { cwd: folder, env, encoding: 'utf8' } as const;
      expect(execFileSync(process.execPath, ['example.mjs'], options)).toBe(output);
    },
    PATIENCE,
  );

  it('names claims and pictures that are there', () => {
    const ids = CLAIMS.map(({ id }) => id);
    const shapes = /`((?:equation|theorem|lemma|e-step|mpo|projected)-[\w-]+|contraction)`/g;
    for (const [, id] of page.matchAll(shapes)) expect(ids).toContain(id);
    for (const [, file = ''] of page.matchAll(/\]\((images\/[^)]+)\)/g)) {
      expect([file, existsSync(join(root, 'docs', file))]).toEqual([file, true]);
    }
  });

  it('lists every place where the print is wrong, with the size that is measured', () => {
    const rows = [...page.matchAll(/^\| `([\w-]+)` +\|.*\| +([\d.e+-]+) \|$/gm)];
    const printed = CLAIMS.filter(isNumeric).filter((claim) => claim.printed !== undefined);
    expect(rows.map(([, id]) => id)).toEqual(printed.map(({ id }) => id));
    for (const [index, claim] of printed.entries()) {
      const shown = Number(rows[index]?.[2]);
      const size = claim.printed?.measure() ?? Number.NaN;
      // two digits are shown
      expect(Math.abs(shown - size) / size).toBeLessThan(0.05);
    }
  });
});
