/** `virel-native export` as a process: files, JSON, exit codes, without the native part. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { tryLock } from '../../src/locking/lock.js';
import { shortRun } from '../export/runs.js';
import { compile, start, virel } from './command.js';

const PATIENCE = 120_000;
/** An addon that is not there, and nothing to set one up with. */
const none = { VIREL_NATIVE_ADDON: '/nowhere', VIREL_SETUP: 'never' };
const folder = mkdtempSync(join(tmpdir(), 'virel-export-cli-'));
const run = (...words: string[]) => virel(['export', ...words], folder, none);

beforeAll(async () => {
  compile();
  await shortRun(folder, 'runs/Hopper-v5/sac/seed-4', {
    env: 'Hopper-v5',
    algorithm: 'sac',
    seed: 4,
    network: { hidden: [4] },
  });
}, PATIENCE);
afterAll(() => rmSync(folder, { recursive: true }));

describe('export', () => {
  it(
    'prints files and sizes, what they are of on standard error, and has a folder of its own',
    async () => {
      const { code, stdout, stderr } = await run('latest', '--format', 'onnx');
      expect([code, stdout]).toEqual([
        0,
        expect.stringMatching(
          /^exports\/Hopper-v5-sac-seed-4\/onnx\/policy\.onnx {2}[\d,]+ bytes\n$/,
        ),
      ]);
      expect(stderr).toMatch(/^sac on Hopper-v5, step 300 \| .*seed-4\n$/);
    },
    PATIENCE,
  );

  it(
    'that is killed leaves no file of its own name, and the next one removes what is left and says so',
    async () => {
      const out = join(folder, 'killed');
      const staging = () => (existsSync(out) ? readdirSync(out) : []);
      const first = start(['export', 'seed-4', '--format', 'hub', '-o', 'killed'], folder, none);
      const written = join(out, `.export-${first.child.pid}`, 'files');
      while (!existsSync(written)) await new Promise((resolve) => setTimeout(resolve, 1));
      first.child.kill('SIGKILL');
      await first.ended;
      const [left = ''] = staging();
      expect([left, staging().length]).toEqual([`.export-${first.child.pid}`, 1]);
      // one that is still written, by this process, stays
      const living = join(out, `.export-${process.pid}`);
      mkdirSync(living);
      const lock = tryLock(join(living, 'export.lock'));
      const { code, stderr } = await run('seed-4', '--format', 'onnx', '-o', 'killed');
      expect(code).toBe(0);
      expect(stderr).toContain(`removed killed/${left}, left by an export that was killed\n`);
      expect(staging().sort()).toEqual([`.export-${process.pid}`, 'policy.onnx']);
      expect('release' in lock).toBe(true);
    },
    PATIENCE,
  );

  it(
    'prints one JSON value with --json',
    async () => {
      const words = ['seed-4', '--format', 'typescript', '-o', 'out', '--step', 'best', '--json'];
      const { code, stdout, stderr } = await run(...words);
      expect([code, stderr]).toEqual([0, '']);
      const dir = join(folder, 'out');
      expect(JSON.parse(stdout)).toEqual({
        format: 'typescript',
        env: 'Hopper-v5',
        algorithm: 'sac',
        step: 300,
        dir,
        files: [{ file: join(dir, 'policy.ts'), bytes: expect.any(Number) }],
      });
    },
    PATIENCE,
  );

  it(
    'refuses to write over a file with exit 2, and does with --force',
    async () => {
      const words = ['--format', 'safetensors', '--out', 'twice'];
      expect((await run(...words)).code).toBe(0);
      const again = await run(...words);
      expect([again.code, again.stdout]).toEqual([2, '']);
      expect(again.stderr).toContain('error EXPORT_EXISTS: ');
      expect(again.stderr).toContain('fix: name another folder: -o DIR, or replace it: --force');
      expect((await run(...words, '--force')).code).toBe(0);
    },
    PATIENCE,
  );

  it.each([
    [[], 2, 'error CLI_USAGE: export: --format is missing'],
    [['--format', 'onx'], 2, 'fix: did you mean onnx?'],
    [['--format', ''], 2, 'error EXPORT_UNSUPPORTED: no format ""'],
    [['--format', 'onnx', '--step', 'first'], 2, 'error CONFIG_TYPE: --step'],
    [['--format', 'onnx', '--step', '17'], 1, 'error CHECKPOINT_NONE: '],
    [['--format', 'onnx', '-o', ''], 2, 'error CLI_USAGE: --out: '],
    [['nothing', '--format', 'onnx'], 2, 'error RUN_NOT_FOUND: no run nothing'],
    [
      ['--format', 'onnx', '--format', 'hub'],
      2,
      'error CLI_USAGE: --format is given more than once',
    ],
  ] as const)(
    '%j exits %i, with nothing written',
    async (words, expected, message) => {
      const before = readdirSync(folder);
      const { code, stdout, stderr } = await run(...words);
      expect([code, stdout]).toEqual([expected, '']);
      expect(stderr).toContain(message);
      expect(stderr).toContain('fix: ');
      expect(readdirSync(folder)).toEqual(before);
      expect(existsSync(join(folder, 'undefined'))).toBe(false);
    },
    PATIENCE,
  );
});
