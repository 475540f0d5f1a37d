/** `virel-native reproduce` as processes: a small reproduction with its report, and what is computed at once. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { FIGURES } from '../../src/sweep/figures.js';
import { compile, virel } from './command.js';

const MINUTE = 60_000;
const folder = mkdtempSync(join(tmpdir(), 'virel-reproduce-'));
beforeAll(compile, 2 * MINUTE);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** No native part, and no way to one. */
const none = { VIREL_HOME: join(folder, 'home'), VIREL_SETUP: 'never', VIREL_NATIVE_ADDON: '' };
const reproduce = (...words: string[]) => virel(['reproduce', ...words], folder);
const without = (...words: string[]) => virel(['reproduce', ...words], folder, none);
const report = (id: string) => readFileSync(join(folder, 'reproduction', id, 'REPORT.md'), 'utf8');

describe('a figure of runs', () => {
  // gradient steps begin at step 1,000
  const SMALL = ['ablations', '--steps', '1000', '--seeds', '0'];

  it(
    'is planned, trained and reported on, and the report says that this is too little',
    async () => {
      const { code, stdout, stderr } = await reproduce(...SMALL);
      expect(code).toBe(0);
      expect(stderr).toMatch(/setting +seeds +steps +time of a run\n/);
      expect(stdout.trimEnd().split('\n')).toEqual(
        ['REPORT.md', 'curves.svg', 'curves.png', 'curves.csv', 'scores.svg', 'scores.png'].map(
          (file) => `reproduction/ablations/${file}`,
        ),
      );
      const page = report('ablations');
      expect(page).toContain('Too few seeds for a claim');
      expect(page).toContain('Runs of 1,000 steps, where the figure has 1,000,000');
      expect(page).toMatch(/\| beta, temperatureScale 0.004, .* \| 1 \| .* \(1 seed\) \|/);
      expect(page).toContain('## Deviations');
      expect(page).not.toContain(folder);
      const again = await without('ablations', '--report-only', '--json');
      expect(JSON.parse(again.stdout)).toMatchObject({ figure: 'ablations' });
    },
    5 * MINUTE,
  );

  it(
    'of other lengths is refused in the same folder',
    async () => {
      const other = await without('ablations', '--steps', '2000', '--seeds', '0');
      expect([other.code, other.stdout]).toEqual([2, '']);
      expect(other.stderr).toMatch(/^error CONFIG_CONFLICT: .* with steps 1000 and 2000\n/);
    },
    MINUTE,
  );

  it.each(['fig4', 'fig7', 'fig8', 'ablations'])(
    '%s can be planned without the native part, and nothing is written',
    async (id) => {
      const words = [id, '--plan-only', '--json', '--out', 'elsewhere'];
      const { code, stdout } = await without(...words);
      expect(code).toBe(0);
      expect(JSON.parse(stdout).runs).toBeGreaterThanOrEqual(45);
      expect(existsSync(join(folder, 'elsewhere'))).toBe(false);
    },
    MINUTE,
  );
});

describe('what is computed at once', () => {
  it(
    'is the table of parameters, all of which the preset has',
    async () => {
      expect((await without('table1')).code).toBe(0);
      const page = report('table1');
      expect(page).toContain('| batch size | 128 | `replay.batchSize` | 128 | yes |');
      expect(page).not.toContain('**no**');
    },
    MINUTE,
  );

  it(
    'is the counter-example, with its pictures',
    async () => {
      expect((await without('merl-counterexample')).code).toBe(0);
      expect(report('merl-counterexample')).toContain('1 passed, 0 failed');
      const picture = 'reproduction/merl-counterexample/merl-counterexample-sweep.svg';
      expect(existsSync(join(folder, picture))).toBe(true);
    },
    MINUTE,
  );
});

describe('what cannot be', () => {
  it.each([
    [['fig5'], 'FIGURE_UNKNOWN', 'did you mean fig4?'],
    [[], 'CLI_USAGE', 'reproduce --list'],
    [['fig4', '--report-only'], 'RUN_NOT_FOUND', 'nothing was run yet'],
    [['table1', '--seeds', '0-4'], 'CLI_USAGE', 'table1 has no runs'],
    [['fig4', '--steps', '0'], 'CONFIG_RANGE', '--steps'],
    [['fig4', '--seeds', '5-1'], 'CONFIG_RANGE', '1 is before 5'],
  ])(
    '%j is %s',
    async (words, code, text) => {
      const ended = await without(...words);
      expect([ended.code, ended.stdout]).toEqual([2, '']);
      expect(ended.stderr).toMatch(new RegExp(`^error ${code}: `));
      expect(ended.stderr).toContain(text);
      expect(ended.stderr).toMatch(/\n {2}fix: \S/);
    },
    MINUTE,
  );

  it(
    'is told by the list',
    async () => {
      const { stdout } = await without('--list');
      for (const { id } of FIGURES) expect(stdout).toMatch(new RegExp(`^${id} `, 'm'));
    },
    MINUTE,
  );
});
