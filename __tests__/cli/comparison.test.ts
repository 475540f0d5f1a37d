/** `virel-native compare` and `plot` as processes: table, JSON, files, exit codes, without the native part. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { writeRun } from '../comparison/run-folders.js';
import { compile, virel } from './command.js';

const PATIENCE = 120_000;
/** An addon that is not there, and nothing to set one up with. */
const none = { VIREL_NATIVE_ADDON: '/nowhere', VIREL_SETUP: 'never' };
const folder = mkdtempSync(join(tmpdir(), 'virel-comparison-'));
const run = (...words: string[]) => virel(words, folder, none);

beforeAll(() => {
  compile();
  const scores = { beta: [200, 300, 410], sac: [100, 250, 180] };
  for (const [algorithm, returns] of Object.entries(scores)) {
    returns.forEach((score, seed) => {
      const options = { algorithm, seed };
      writeRun(join(folder, 'runs/Hopper-v5', algorithm), `seed-${seed}`, {
        options,
        returns: Array.from({ length: 10 }, (_, index) => (score * (index + 1)) / 10),
      });
    });
  }
}, PATIENCE);
afterAll(() => rmSync(folder, { recursive: true }));

describe('compare', () => {
  it(
    'prints a table on standard output, and warns of few seeds on standard error',
    async () => {
      const { code, stdout, stderr } = await run(
        'compare',
        'runs',
        '--baseline',
        'sac',
        '--reps',
        '1000',
      );
      expect([code, stderr]).toEqual([
        0,
        'warning FEW_SEEDS: seeds on Hopper-v5: beta 3, sac 3; claims need 5, headlines 10\n',
      ]);
      const lines = stdout.split('\n');
      expect(lines[0]).toBe(
        'Hopper-v5 at 1,000 steps, deterministic, whole episodes of at most 999 steps until more than 1,000',
      );
      expect(lines[1]).toMatch(/^ +seeds +mean {2}IQM \[95% CI\] +P\(> sac\) \[95% CI\]$/);
      expect(lines[2]).toMatch(
        /^ {2}beta +3 {2}303\.3 {2}303\.3 \[200\.0, 410\.0\] {2}0\.89 \[0\.\d\d, 1\.00\]$/,
      );
      expect(lines[3]).toMatch(/^ {2}sac +3 {2}176\.7 {2}176\.7 \[100\.0, 250\.0\]$/);
    },
    PATIENCE,
  );

  it(
    'exits 1 with CHECK_FAILED where a statement does not hold; --json stays one value',
    async () => {
      const words = ['compare', 'runs', '--reps', '100', '--require', 'P(beta>sac)>0.5'];
      expect((await run(...words)).code).toBe(0);
      const failing = [...words, '--require', 'IQM(sac)>1000'];
      const { code, stdout, stderr } = await run(...failing);
      expect(code).toBe(1);
      expect(stdout).toContain('ok     P(beta>sac)>0.5: 0.8889\nFAILED IQM(sac)>1000: 176.7');
      expect(stderr).toContain('error CHECK_FAILED: does not hold: IQM(sac)>1000');
      const json = await run(...failing, '--json');
      expect(json.code).toBe(1);
      const report = JSON.parse(json.stdout);
      expect(report.requirements.map(({ passed }: { passed: boolean }) => passed)).toEqual([
        true,
        false,
      ]);
    },
    PATIENCE,
  );

  it(
    'refuses what it cannot compare with exit 2 and one error',
    async () => {
      for (const [words, message] of [
        [['nothing'], 'error RUN_NOT_FOUND: no run nothing in '],
        [['runs', '--at', '2000'], 'error RUN_INCOMPLETE: '],
        [['runs', '--metric', 'eval/mean'], 'error METRIC_UNKNOWN: no metric eval/mean'],
        [['runs', '--at', 'many'], 'error CONFIG_TYPE: --at: expected a whole number'],
        [['runs', '--out', 'picture.pdf'], 'error CLI_USAGE: out: picture.pdf names no picture'],
        [['runs', '--group', 'algorithm,'], 'error CLI_USAGE: --group algorithm,: an empty key'],
        [[], 'error CLI_USAGE: '],
      ] as const) {
        const { code, stdout, stderr } = await run('compare', ...words);
        expect([code, stdout]).toEqual([2, '']);
        expect(stderr).toContain(message);
        expect(stderr).toContain('fix: ');
      }
    },
    2 * PATIENCE,
  );
});

describe('plot', () => {
  it(
    'writes the picture and the points beside it',
    async () => {
      const out = join('pictures', 'hopper.png');
      const { code, stdout, stderr } = await run(
        'plot',
        'runs/Hopper-v5',
        '--out',
        out,
        '--show-seeds',
      );
      expect([code, stdout]).toEqual([0, 'pictures/hopper.png\npictures/hopper.csv\n']);
      expect(stderr).toBe('Hopper-v5: beta, seeds 0, 1, 2\nHopper-v5: sac, seeds 0, 1, 2\n');
      const png = readFileSync(join(folder, out));
      expect(png.subarray(1, 4).toString()).toBe('PNG');
      expect(readFileSync(join(folder, 'pictures/hopper.csv'), 'utf8').split('\n')).toHaveLength(
        62,
      );
    },
    PATIENCE,
  );

  it(
    'has the numbers of the picture as JSON, and an SVG where asked',
    async () => {
      const words = ['plot', 'runs', '--smooth', 'window:2', '--data', 'points.csv', '--json'];
      const { code, stdout } = await run(...words, '--out', 'a.svg');
      expect(code).toBe(0);
      const report = JSON.parse(stdout);
      expect(report).toMatchObject({
        metric: 'eval/mean_reward',
        window: 2,
        files: ['a.svg', 'points.csv'],
      });
      expect(report.tasks[0].groups[0].centre.at(-1)).toMatchObject({
        x: 1000,
        y: expect.closeTo(303.3333 * 0.95, 3),
      });
      expect(readFileSync(join(folder, 'a.svg'), 'utf8')).toMatch(/^<svg /);
      expect(existsSync(join(folder, 'points.csv'))).toBe(true);
    },
    PATIENCE,
  );

  it(
    'refuses a smoothing that is none',
    async () => {
      for (const smooth of ['5', 'window:0', 'window:x']) {
        const { code, stderr } = await run('plot', 'runs', '--smooth', smooth);
        expect(code).toBe(2);
        expect(stderr).toContain('--smooth window');
      }
    },
    PATIENCE,
  );
});
