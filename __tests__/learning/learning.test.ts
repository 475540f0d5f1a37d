/** Whole runs: that virel learns, and that a run repeats itself to the bit. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import type { TrainingRun } from '../../src/training/handle.js';
import { train } from '../../src/training/train.js';
import { untimedMetrics } from '../support/untimed.js';

const folder = mkdtempSync(join(tmpdir(), 'virel-learning-'));
afterAll(() => rmSync(folder, { recursive: true }));

const MINUTE = 60_000;

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return ((low as number) + (high as number)) / 2;
}

/** Mean returns of the evaluations, by step. */
async function evaluations(run: TrainingRun): Promise<{ step: number; returnMean: number }[]> {
  const all: { step: number; returnMean: number }[] = [];
  for await (const event of run) if (event.event === 'evaluation') all.push(event);
  await run.finished;
  return all;
}

describe('virel on InvertedPendulum-v5', () => {
  it(
    'balances the pole: the median evaluation of the last 10,000 of 40,000 steps is at least 900 of 999',
    async () => {
      const run = train(
        {
          env: 'InvertedPendulum-v5',
          steps: 40_000,
          seed: 0,
          optim: { targetUpdateRate: 0.005 },
          runDir: join(folder, 'pendulum'),
        },
        { inProcess: true },
      );
      const tail = (await evaluations(run)).filter(({ step }) => step > 30_000);
      expect(tail).toHaveLength(10);
      expect(median(tail.map(({ returnMean }) => returnMean))).toBeGreaterThanOrEqual(900);
    },
    20 * MINUTE,
  );
});

/** The records of a run's metrics without what a clock says, and its final parameters. */
function trace(directory: string): { metrics: unknown[]; parameters: string } {
  const metrics = untimedMetrics(join(directory, 'metrics.jsonl'));
  const latest = readFileSync(join(directory, 'checkpoints', 'latest'), 'utf8').trim();
  const model = join(directory, 'checkpoints', latest, 'pretrained_model', 'model.safetensors');
  return { metrics, parameters: readFileSync(model).toString('base64') };
}

describe.each([
  ['kernel', 1],
  ['kernel', 2],
  ['tensor', 1],
  ['tensor', 2],
] as const)('train on %s with %i thread(s)', (engine, threads) => {
  it(
    'gives the same metrics and parameters twice, bit for bit',
    async () => {
      const once = async (name: string) => {
        const runDir = join(folder, `${engine}-${threads}-${name}`);
        const options = { env: 'HalfCheetah-v5', steps: 1200, seed: 3, engine, threads, runDir };
        await train({ ...options, collect: { startUpdates: 900 } }, { inProcess: true }).finished;
        return trace(runDir);
      };
      const [one, two] = [await once('one'), await once('two')];
      expect(one.metrics.length).toBeGreaterThanOrEqual(2);
      expect(two.metrics).toEqual(one.metrics);
      expect(two.parameters === one.parameters).toBe(true);
    },
    10 * MINUTE,
  );
});
