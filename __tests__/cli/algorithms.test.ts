import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { ALGORITHMS } from '../../src/algorithms/index.js';
import { resolveConfig } from '../../src/config/resolve.js';
import { PRESET_NAMES } from '../../src/config/schema.js';
import { compile, virel } from './command.js';

const PATIENCE = 60_000;
/** An addon that is not there. */
const none = { VIREL_NATIVE_ADDON: '/nowhere', VIREL_SETUP: 'never' };
const folder = mkdtempSync(join(tmpdir(), 'virel-algorithms-'));
const run = (...words: string[]) => virel(words, folder, none);

beforeAll(compile, PATIENCE);
afterAll(() => rmSync(folder, { recursive: true }));

interface Listed {
  name: string;
  equations: string[];
  variations: Record<string, unknown[]>;
  presets: Record<string, { key: string; value: unknown; source: string; tasks?: string[] }[]>;
}

describe('the equations of an algorithm', () => {
  it('have a regulariser where a preset trains with one', () => {
    for (const { name, equations } of ALGORITHMS) {
      const factors = PRESET_NAMES.flatMap((preset) => {
        const { mean, logStd } = resolveConfig({ preset, algorithm: name }).policyRegulariser;
        return [mean, logStd];
      });
      const losses = equations.filter((equation) => equation.startsWith('J_pi ='));
      expect(losses.length).toBeGreaterThan(0);
      const isThere = losses.map((equation) => equation.includes('+ regulariser'));
      const isTrained = factors.some((factor) => factor > 0);
      expect([name, ...isThere]).toEqual([name, ...losses.map(() => isTrained)]);
    }
  });
});

describe('algorithms without the native part', () => {
  it(
    'lists every algorithm with its equations and its values in a preset',
    async () => {
      const { code, stdout } = await run('algorithms', '--preset', 'paper-v1');
      expect(code).toBe(0);
      const entries = stdout.split(/^(?=\S+: .*\n {2}\S)/m);
      expect(entries.map((entry) => entry.split('\n')[0])).toEqual(
        ALGORITHMS.map(({ name, summary }) => `${name}: ${summary}`),
      );
      for (const [index, { equations }] of ALGORITHMS.entries()) {
        for (const equation of equations) expect(entries[index]).toContain(`  ${equation}\n`);
        expect(entries[index]).toContain('values that set it apart, preset paper-v1\n  ');
      }
      expect(stdout.trimEnd().split('\n').at(-1)).toContain('paper, paper-v1, modern');
    },
    PATIENCE,
  );

  it(
    'gives all as JSON: equations, variations, and the values of each preset with their sources',
    async () => {
      const { stdout } = await run('algorithms', '--json');
      const all = JSON.parse(stdout) as Listed[];
      expect(all.map(({ name }) => name)).toEqual(ALGORITHMS.map(({ name }) => name));
      for (const { presets, equations } of all) {
        expect(equations.length).toBeGreaterThan(2);
        expect(Object.keys(presets)).toEqual(['paper', 'paper-v1', 'modern']);
        expect(
          Object.values(presets)
            .flat()
            .filter(({ source }) => source.length < 4),
        ).toEqual([]);
      }
      const own = (name: string) => all.find((each) => each.name === name)?.presets['paper'] ?? [];
      // that no reward is scaled sets it apart, although most tasks have scale 1 anyway
      expect(own('sac-twin')).toContainEqual(
        expect.objectContaining({ key: 'rewardScale', value: 1 }),
      );
      expect(own('sac-twin')).toContainEqual(
        expect.objectContaining({
          key: 'collect.uniformSteps',
          value: 1000,
          tasks: expect.arrayContaining(['Reacher', 'Swimmer']),
        }),
      );
      expect(own('beta')).toEqual([
        { key: 'temperature.kind', value: 'residual', source: 'paper, Algorithm 2' },
        expect.objectContaining({ key: 'temperature.temperatureScale', value: 0.004 }),
        expect.objectContaining({ value: 4e-4, tasks: ['Humanoid'] }),
      ]);
    },
    PATIENCE,
  );

  it(
    'shows one with its equations, the values of a preset and what it can run with',
    async () => {
      const { code, stdout } = await run('algorithms', 'mpo');
      expect(code).toBe(0);
      expect(stdout).toContain('softmax_k');
      expect(stdout).toMatch(/^ {2}temperature\.klBound: 0\.1 +# frt03/m);
      expect(stdout).toMatch(/^ {2}temperature\.kind +dual, residual, residualAuto, fixed$/m);
      const v1 = await run('algorithms', 'sac', '--preset', 'paper-v1');
      expect(v1.stdout).toMatch(/^ {2}policyRegulariser\.mean: 0 +# haarnoja\/sac/m);
    },
    PATIENCE,
  );
});

describe('config show of an algorithm', () => {
  it.each(ALGORITHMS.map(({ name }) => name))(
    '%s names the source of each value in use, and only those',
    async (name) => {
      const { code, stdout } = await run('config', 'show', '--algorithm', name, '--origin');
      expect(code).toBe(0);
      const lines = stdout.trimEnd().split('\n');
      expect(lines.filter((line) => !/^[\w.]+: \S.* # \S.{4}/.test(line))).toEqual([]);
      expect(stdout).not.toContain('undefined');
      const plain = parse((await run('config', 'show', '--algorithm', name)).stdout);
      expect(plain.algorithm).toBe(name);
    },
    PATIENCE,
  );

  it(
    'refuses with one line what an algorithm does not have',
    async () => {
      const { code, stderr } = await run(
        ...['config', 'show', '--algorithm', 'sac-twin', '--set', 'policyGradient=score'],
      );
      expect(code).toBe(2);
      expect(stderr.split('\n')[0]).toBe(
        'error CONFIG_CONFLICT: algorithm sac-twin runs with policyGradient reparameterised, not with policyGradient score',
      );
    },
    PATIENCE,
  );
});
