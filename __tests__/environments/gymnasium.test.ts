import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from '@jest/globals';
import { largestError, type Rollouts, TOLERANCE } from './rollout.js';

const script = fileURLToPath(
  new URL('../fixtures/environments/generate_rollouts.py', import.meta.url),
);

/** A Python with the versions that the native part is compared with: `VIREL_PYTHON`, or the one on the path. */
function findPython(): string | undefined {
  const wanted = 'gymnasium 1.4.0, mujoco 3.17.0';
  const program = `import importlib.metadata as m; print(f"gymnasium {m.version('gymnasium')}, mujoco {m.version('mujoco')}")`;
  return [process.env['VIREL_PYTHON'] || 'python3'].find((python) => {
    try {
      return (
        execFileSync(python, ['-c', program], { encoding: 'utf8', stdio: 'pipe' }).trim() === wanted
      );
    } catch {
      return false;
    }
  });
}

const python = findPython();
const folder = mkdtempSync(join(tmpdir(), 'virel-gymnasium-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('rollouts that the installed Gymnasium makes now', () => {
  const title = 'agree with ours on every step up to the time limit, options included';
  const reason = 'no Python with gymnasium 1.4.0 and mujoco 3.17.0; VIREL_PYTHON may name one';
  const test = python === undefined ? it.skip : it;
  test(python === undefined ? `${title} (${reason})` : title, () => {
    const file = join(folder, 'rollouts.json');
    // another one on every day: nothing is fitted to one
    const seed = String(Math.floor(Date.now() / 86_400_000));
    execFileSync(python ?? '', [script, file, '--limit', '--seed', seed], { stdio: 'ignore' });
    const { envs } = JSON.parse(readFileSync(file, 'utf8')) as Rollouts;
    expect(Object.keys(envs).length).toBeGreaterThan(40);
    const off = Object.entries(envs).flatMap(([key, entry]) => {
      for (const { actions } of Object.values(entry.rollouts))
        expect(actions).toHaveLength(entry.max_episode_steps);
      const error = largestError(entry);
      return error <= TOLERANCE ? [] : [`${key}, seed ${seed}: ${error}`];
    });
    expect(off).toEqual([]);
  }, 300_000);
});
