/** Exported policies act as `loadPolicy` does: ONNX in onnxruntime, TypeScript where there is nothing but a browser's globals. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createContext, SourceTextModule } from 'node:vm';
import { afterAll, describe, expect, it } from '@jest/globals';
import { transformSync } from '@swc/core';
import { InferenceSession, Tensor } from 'onnxruntime-web';
import { ALGORITHMS } from '../../src/algorithms/index.js';
import { TASKS } from '../../src/environments/tasks.js';
import { exportRun } from '../../src/export/export-run.js';
import { loadPolicy } from '../../src/training/load-policy.js';
import { normals, shortRun } from './runs.js';

const folder = mkdtempSync(join(tmpdir(), 'virel-acting-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Rows that a policy of each kind acts on in onnxruntime, and how many of them in JavaScript, which is slower. */
const [ROWS, SOME] = [10_000, 1_000];
/**
 * Largest difference, as a part of the range of an action. Three sums of at most 376 float32 products in another order, each
 * off by some sqrt(376) 6e-8 = 1e-6 of the size of its result at worst; tanh does not enlarge it, and sizes are below 1 here.
 * Measured: at most 2.1e-7.
 */
const TOLERANCE = 1e-6;

/** A module of an exported file. */
interface Exported {
  act(observation: ArrayLike<number>): Float32Array;
  observationSize: number;
  actionSize: number;
  about: Record<string, string>;
}

/** The file as a browser runs it: no import, and no global but those that both have. */
async function runInBrowser(file: string): Promise<Exported> {
  const text = readFileSync(file, 'utf8');
  const { code } = transformSync(text, {
    jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
    module: { type: 'es6' },
  });
  const module = new SourceTextModule(code, { context: createContext({ atob }) });
  await module.link((specifier: string) => {
    throw new Error(`imports ${specifier}`);
  });
  await module.evaluate();
  return module.namespace as unknown as Exported;
}

/** The largest difference of two rows of actions, as a part of each action's range. */
function difference(
  got: ArrayLike<number>,
  expected: ArrayLike<number>,
  ranges: readonly number[],
): number {
  expect(got.length).toBe(expected.length);
  let largest = 0;
  for (let i = 0; i < expected.length; i += 1) {
    const range = ranges[i % ranges.length] as number;
    const part = Math.abs((got[i] as number) - (expected[i] as number)) / range;
    // NaN is no small difference
    if (!(part <= largest)) largest = part;
  }
  return largest;
}

/** Every algorithm with the network that it is trained with, every task with a smaller one. */
const cases = [
  ...ALGORITHMS.map(({ name }) => ({ env: 'Hopper-v5', algorithm: name, options: {} })),
  ...TASKS.filter(({ id }) => id.endsWith('-v5') && id !== 'Hopper-v5').map(({ id }) => ({
    env: id,
    algorithm: 'virel',
    options: { network: { hidden: [64, 32] } },
  })),
];

describe.each(cases)('$algorithm on $env', ({ env, algorithm, options }) => {
  const name = `${env}-${algorithm}`;
  const task = TASKS.find(({ id }) => id === env);
  const ranges = task?.actionLow.map((low, i) => (task.actionHigh[i] as number) - low) ?? [];

  it('acts in onnxruntime and in a browser as loadPolicy does', async () => {
    const runDir = await shortRun(folder, name, {
      ...options,
      env: { id: env, maxEpisodeSteps: 100 },
      algorithm,
    });
    const policy = await loadPolicy(runDir);
    const width = task?.observationSize as number;
    const observations = normals(ROWS * width, 2);
    const expected = policy.actMany(observations, ROWS);
    policy.dispose();
    // a policy that ignored its input would pass anything
    expect(new Set(expected).size).toBeGreaterThan(ROWS / 2);

    const out = join(folder, `${name}-export`);
    await exportRun(runDir, { format: 'onnx', out });
    const session = await InferenceSession.create(readFileSync(join(out, 'policy.onnx')));
    const feed = { observation: new Tensor('float32', observations, [ROWS, width]) };
    const { action } = await session.run(feed);
    expect(action?.dims).toEqual([ROWS, ranges.length]);
    const onnx = difference(action?.data as Float32Array, expected, ranges);
    expect(onnx).toBeLessThan(TOLERANCE);
    // one row: the batch is open
    const one = new Tensor('float32', observations.slice(0, width), [1, width]);
    const alone = (await session.run({ observation: one }))['action'];
    expect(
      difference(alone?.data as Float32Array, expected.slice(0, ranges.length), ranges),
    ).toBeLessThan(TOLERANCE);
    await session.release();

    await exportRun(runDir, { format: 'typescript', out });
    const module = await runInBrowser(join(out, 'policy.ts'));
    const acted = Array.from({ length: SOME }, (_, row) => [
      ...module.act(observations.subarray(row * width, (row + 1) * width)),
    ]).flat();
    const those = expected.subarray(0, SOME * ranges.length);
    expect(difference(acted, those, ranges)).toBeLessThan(TOLERANCE);
  });
});

describe('the files', () => {
  const out = join(folder, 'Pusher-v5-virel-export');

  it('say what they act in, and stay within bounds that float32 does not have', async () => {
    const module = await runInBrowser(join(out, 'policy.ts'));
    expect(module.about).toMatchObject({ env: 'Pusher-v5', algorithm: 'virel', step: '300' });
    expect(module.about['observation']).toMatch(/^qpos\[0:7\], qvel\[0:7\], xpos\[tips_arm\]/);
    const far = normals(100 * module.observationSize, 1e6);
    for (let row = 0; row < 100; row += 1) {
      const start = row * module.observationSize;
      const action = module.act(far.subarray(start, start + module.observationSize));
      for (const value of action) expect(Math.abs(value)).toBeLessThanOrEqual(2);
    }
  });

  it('refuse what no policy can act on', async () => {
    const { act, observationSize } = await runInBrowser(join(out, 'policy.ts'));
    expect(() => act([1, 2])).toThrow('expected 23 finite values');
    expect(() => act(Array(observationSize).fill(Number.NaN))).toThrow('finite');
  });

  it('are TypeScript that a strict compiler takes, with the library of a browser alone', () => {
    const tsc = join(process.cwd(), 'node_modules/typescript/bin/tsc');
    const strict = ['--strict', '--noUncheckedIndexedAccess', '--lib', 'es2022,dom', '--types', ''];
    const words = [tsc, '--noEmit', '--target', 'es2022', ...strict, join(out, 'policy.ts')];
    execFileSync(process.execPath, words, { cwd: out, env: { ...process.env, NODE_OPTIONS: '' } });
    expect(readFileSync(join(out, 'policy.ts'), 'utf8')).not.toMatch(/\b(import|require)\b[ (]/);
  });
});
