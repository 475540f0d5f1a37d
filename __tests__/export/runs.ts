/** Small runs to export. */
import { join } from 'node:path';
import type { ConfigOptions } from '../../src/config/resolve.js';
import { train } from '../../src/training/train.js';

/** Enough gradient steps to move every parameter off where it was drawn. */
const SHORT = {
  steps: 300,
  collect: { startUpdates: 100, resetEvery: 0 },
  replay: { batchSize: 16 },
  evaluation: { every: 300, episodes: 1 },
  runtime: { threads: 1 },
};

/** Trains a short run in `<folder>/<name>`. @returns Its folder. */
export async function shortRun(
  folder: string,
  name: string,
  options: ConfigOptions,
): Promise<string> {
  const runDir = join(folder, name);
  await train({ ...SHORT, ...options, runDir } as ConfigOptions, { inProcess: true }).finished;
  return runDir;
}

/** Normal numbers from a seed, by sums of twelve uniform ones: wide enough for any observation. */
export function normals(count: number, deviation: number): Float32Array {
  let state = 12345;
  const uniform = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const normal = () => {
    let sum = -6;
    for (let i = 0; i < 12; i += 1) sum += uniform();
    return sum * deviation;
  };
  return Float32Array.from({ length: count }, normal);
}
