/** The scripts of examples/ run as their reader would run them, with a few steps. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { compile } from '../cli/command.js';

const PATIENCE = 240_000;
const examples = fileURLToPath(new URL('../../examples', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'virel-examples-'));
beforeAll(compile, PATIENCE);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What an example prints, in a folder of its own. */
function run(name: string, ...words: string[]): string {
  const env = { ...process.env, NODE_OPTIONS: '' };
  const options = { cwd: folder, env, encoding: 'utf8' } as const;
  return execFileSync(process.execPath, [join(examples, name), ...words], options);
}

describe('examples', () => {
  it(
    'learning-curve.mjs follows a run, stops it at the return that was asked for, and draws it',
    () => {
      const printed = run('learning-curve.mjs', '--steps', '60', '--stop', '0');
      // a pole that falls at once earns more than 0: the first evaluation is good enough
      expect(printed).toMatch(/^step 3: [\d.]+ \+\/- [\d.]+, \d+ episodes\n/);
      expect(printed).toMatch(/stopped: final score [\d.]+, \S+, curve\.svg\n$/);
      expect(readFileSync(join(folder, 'curve.svg'), 'utf8')).toContain('InvertedPendulum-v5');
    },
    PATIENCE,
  );

  it(
    'compare-algorithms.mjs trains every seed of both, and says that they are few',
    () => {
      const printed = run('compare-algorithms.mjs', '--steps', '60', '--seeds', '2');
      expect(printed.match(/^(beta|sac), seed [01]: [\d.]+$/gm)).toHaveLength(4);
      expect(printed).toMatch(/beta: IQM [\d.]+ \[.*\] P\(> sac\) [\d.]+ \[/);
      expect(printed).toContain('FEW_SEEDS: ');
      expect(readFileSync(join(folder, 'comparison.svg'), 'utf8')).toContain('<svg');
    },
    PATIENCE,
  );

  it(
    'point-mass.mjs trains on an environment of its own and holds the policy against the best one',
    () => {
      const printed = run('point-mass.mjs', '--steps', '100');
      expect(printed.match(/^\d+ -[\d.]+$/gm)).toHaveLength(10);
      const [, learned, best] =
        /learned (-[\d.]+), linear regulator (-[\d.]+)\n$/.exec(printed) ?? [];
      // from within 1 of the middle the regulator pays about 3, a policy of 100 steps far more
      expect(Number(best)).toBeCloseTo(-3.14, 1);
      expect(Number(learned)).toBeLessThan(Number(best));
    },
    PATIENCE,
  );

  it('are short, and say in their first lines how to run them', () => {
    const scripts = readdirSync(examples).filter((name) => name.endsWith('.mjs'));
    expect(scripts).toHaveLength(5);
    for (const name of ['learning-curve.mjs', 'compare-algorithms.mjs', 'point-mass.mjs']) {
      const text = readFileSync(join(examples, name), 'utf8');
      expect(text.split('\n').length).toBeLessThan(72);
      expect(text).toContain(`//   node examples/${name} --`);
    }
  });
});
