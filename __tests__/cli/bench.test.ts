import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { BenchReport } from '../../src/bench/bench.js';
import { compile, virel } from './command.js';

const PATIENCE = 120_000;
let folder: string;
beforeAll(() => {
  compile();
  folder = mkdtempSync(join(tmpdir(), 'virel-bench-'));
}, PATIENCE);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const SMALL = [
  '--env',
  'InvertedPendulum-v5',
  '--hidden',
  '16,16',
  '--batch',
  '8',
  '--seconds',
  '0.3',
];

describe('bench', () => {
  it(
    'reports machine, calibration and all three works as JSON',
    async () => {
      const { code, stdout } = await virel(
        ['bench', ...SMALL, '--threads', '2', '--environments', '2', '--json'],
        folder,
      );
      expect(code).toBe(0);
      const { machine, calibration, rows } = JSON.parse(stdout) as BenchReport;
      expect(machine.cores).toBeGreaterThan(0);
      expect(machine.threads).toBeGreaterThan(0);
      expect(Object.keys(calibration.gemms)).toContain(calibration.gemm);
      expect(calibration.gemmGflops).toBe(calibration.gemms[calibration.gemm]);
      expect(calibration.gemmGflops).toBeGreaterThan(0);
      expect(calibration.fmaGflops).toBeGreaterThan(0);
      expect(rows.map(({ name }) => name)).toEqual(['update', 'env', 'train']);
      for (const row of rows) {
        expect(row).toMatchObject({
          env: 'InvertedPendulum-v5',
          algorithm: 'virel',
          engine: 'kernel',
          threads: 2,
          hidden: [16, 16],
          batch: 8,
          environments: 2,
          samples: 9,
        });
        expect(row.spread).toBeGreaterThanOrEqual(0);
      }
      expect(rows[0]?.updatesPerSecond).toBeGreaterThan(0);
      expect(rows[0]?.shareOfCeiling).toBeGreaterThan(0);
      expect(rows[1]?.envStepsPerSecond).toBeGreaterThan(0);
      expect(rows[2]?.trainStepsPerSecond).toBeGreaterThan(0);
    },
    PATIENCE,
  );

  it(
    'is a table for people, of one work where that is asked',
    async () => {
      const words = ['bench', ...SMALL, '--only', 'update', '--threads', '1', '--algo', 'beta'];
      const { code, stdout } = await virel(words, folder);
      expect(code).toBe(0);
      expect(stdout).toMatch(
        /^update +1 thread +[\d.]+ updates\/s +\+-[\d.]+ % +\d+ % of the ceiling$/m,
      );
      expect(stdout).toContain('in use:');
      expect(stdout).not.toMatch(/^(env|train) /m);
    },
    PATIENCE,
  );

  it.each([
    [['--hidden', '16,x'], 'CONFIG_RANGE', '--hidden'],
    [['--batch', '0'], 'CONFIG_RANGE', '--batch'],
    [['--environments', 'all'], 'CONFIG_RANGE', '--environments'],
    [['--threads', '-1'], 'CONFIG_RANGE', '--threads'],
    [['--seconds', 'long'], 'CONFIG_RANGE', 'seconds'],
    [['--env', 'Hoper-v5'], 'ENV_UNKNOWN', 'Hopper-v5'],
    [['--algorithm', 'ppo'], 'ALGORITHM_UNKNOWN', 'virel'],
    [['--only', 'all'], 'CLI_USAGE', 'update'],
  ])(
    'refuses %j as %s',
    async (words, code, told) => {
      const { code: exit, stderr } = await virel(['bench', ...words], folder);
      expect(exit).toBe(2);
      expect(stderr).toContain(code);
      expect(stderr).toContain(told);
      expect(stderr).not.toMatch(/^\s+at /m);
    },
    PATIENCE,
  );
});
