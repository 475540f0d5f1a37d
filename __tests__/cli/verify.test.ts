/** `virel-native verify` as a process: table, JSON, a page, pictures, exit codes. */

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { compile, virel } from './command.js';

const PATIENCE = 120_000;
/** An addon that is not there, and nothing to set one up with. */
const none = { VIREL_NATIVE_ADDON: '/nowhere', VIREL_SETUP: 'never' };
const folder = mkdtempSync(join(tmpdir(), 'virel-verify-'));
const run = (...words: string[]) => virel(['verify', ...words], folder, none);

beforeAll(compile, PATIENCE);
afterAll(() => rmSync(folder, { recursive: true }));

describe('verify without the native part', () => {
  it(
    'checks the claims that --only names, in columns, and says how many passed',
    async () => {
      const { code, stdout } = await run('--only', 'theorem-4,lemma-1,assumption-2');
      expect(code).toBe(0);
      const lines = stdout.split('\n');
      const rows = lines.filter((line) => /^(ok|FAILED|-) /.test(line));
      expect(rows.map((row) => row.split(/ +/).slice(0, 2))).toEqual([
        ['ok', 'lemma-1-i'],
        ['ok', 'lemma-1-i-discrete'],
        ['ok', 'lemma-1-ii'],
        ['ok', 'theorem-4'],
        ['-', 'assumption-2'],
      ]);
      const starts = rows.map((row) => row.indexOf(row.split(/ +/)[1] as string));
      expect(new Set(starts).size).toBe(1);
      expect(stdout).toContain('4 passed, 0 failed; 1 definitions');
    },
    PATIENCE,
  );

  it(
    'prints one JSON object with the size of what is wrong in print',
    async () => {
      const { code, stdout } = await run('--json', '--only', 'equation-30,definition-1');
      expect(code).toBe(0);
      const report = JSON.parse(stdout);
      expect([report.passed, report.failed]).toEqual([1, 0]);
      const [equation, definition] = report.claims;
      expect(equation).toMatchObject({ id: 'equation-30', status: 'passed', tolerance: 1e-9 });
      expect(equation.measured).toBeLessThan(1e-9);
      // the golden number of the 3x2 MDP
      expect(equation.printed.error).toBeCloseTo(0.0941, 3);
      expect(definition).toMatchObject({ status: 'not-numeric', measured: null });
      expect(definition.statement).toContain('Not numeric: a definition');
    },
    PATIENCE,
  );

  it(
    'explains a claim on a page: derivation, code, import',
    async () => {
      const { code, stdout } = await run('--explain', 'equation-25');
      expect(code).toBe(0);
      for (const part of ['App. E.1, (25)', 'ok: measured', 'log-derivative trick', 'checked by']) {
        expect(stdout).toContain(part);
      }
      expect(stdout).toContain('eStepGradient(');
      expect(stdout).toContain("import { theory } from 'virel-native';");
      expect(stdout).toContain("theory.selectClaims(['equation-25'])");
    },
    PATIENCE,
  );

  it(
    'draws a demo into a folder and prints its files',
    async () => {
      const { code, stdout } = await run('--demo', 'merl-counterexample', '--out', 'pictures');
      expect(code).toBe(0);
      const files = stdout.trim().split('\n');
      expect(files.every((file) => existsSync(join(folder, file)))).toBe(true);
      expect(files.filter((file) => file.endsWith('.svg'))).toHaveLength(2);
      const png = files.find((file) => file.endsWith('.png')) as string;
      expect(readFileSync(join(folder, png)).subarray(1, 4).toString()).toBe('PNG');
    },
    PATIENCE,
  );

  it.each([
    [['--only', 'theorem-9'], 'CLAIM_UNKNOWN', 'theorem-4'],
    [['--explain', 'nothing'], 'CLAIM_UNKNOWN', 'virel-native verify lists'],
    [['--demo', 'maze'], 'DEMO_UNKNOWN', 'gridworld'],
    [['--only', 'theorem-1', '--demo', 'chain'], 'CLI_USAGE', '--only and --demo'],
    [['--only', ' , '], 'CLI_USAGE', '--only'],
  ])(
    'refuses %j with %s',
    async (words, errorCode, says) => {
      const { code, stderr } = await run(...words);
      expect(code).toBe(2);
      expect(stderr).toContain(`error ${errorCode}`);
      expect(stderr).toContain(says);
    },
    PATIENCE,
  );
});
