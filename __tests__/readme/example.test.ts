/** What the README shows is run as its reader would. */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { install, virel } from '../cli/command.js';

const PATIENCE = 120_000;
const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'virel-readme-'));
beforeAll(() => install(folder), PATIENCE);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the README's Node example", () => {
  it(
    'trains, evaluates and steps as pasted',
    () => {
      const readme = readFileSync(join(root, 'README.md'), 'utf8');
      const [, example] = /^```js\n(.*?)^```$/ms.exec(readme) ?? [];
      writeFileSync(join(folder, 'example.mjs'), example ?? '');
      const env = { ...process.env, NODE_OPTIONS: '' };
      const options = { cwd: folder, env, encoding: 'utf8' } as const;
      const stdout = execFileSync(process.execPath, ['example.mjs'], options);
      const evaluation = (step: number) => `${step} [\\d.]+\\n`;
      // a pole that starts upright is worth 1 after one step
      expect(stdout).toMatch(
        new RegExp(`^${[1000, 2000, 3000].map(evaluation).join('')}first reward 1\\n$`),
      );
    },
    PATIENCE,
  );
});

describe.each(['README.md', 'docs/custom-environments.md'])(
  'commands with --env-module in %s',
  (page) => {
    const text = readFileSync(join(root, page), 'utf8').replaceAll(/\\\n\s*/g, '');
    const commands = [...text.matchAll(/^npx virel-native train (.*--env-module \S+\.mjs .*)$/gm)];

    it(
      'find their file in a clone, learn from their own actions and are evaluated on the way',
      async () => {
        expect(commands.length).toBeGreaterThan(0);
        for (const [, words = ''] of commands) {
          const asked = words
            .replaceAll(/--(seeds|jobs) \S+/g, '')
            .split(/\s+/)
            .filter(Boolean);
          const shown = await virel(['config', 'show', '--json', ...asked], root);
          expect(shown).toMatchObject({ code: 0, stderr: '' });
          const { steps, collect, evaluation } = JSON.parse(shown.stdout);
          expect(collect.uniformSteps).toBeLessThan(steps / 2);
          expect(evaluation.every).toBeLessThan(steps / 2);
        }
      },
      PATIENCE,
    );
  },
);

describe('the command in a clone that was not compiled', () => {
  it('says what npm install leaves out, and exits 3', () => {
    cpSync(join(root, 'bin'), join(folder, 'bin'), { recursive: true });
    const { status, stderr } = spawnSync(process.execPath, [join(folder, 'bin/virel-native.js')], {
      encoding: 'utf8',
    });
    expect(status).toBe(3);
    expect(stderr).toMatch(
      /^error SETUP_FAILED: .*dist.*\n.*\n {2}fix: npm install --include=dev$/m,
    );
  });
});
