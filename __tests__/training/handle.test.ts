/** What the caller of `train` holds: folder, status, a checkpoint on demand, a stop. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { TrainingRun } from '../../src/training/handle.js';
import { train } from '../../src/training/train.js';
import { folder, json } from './counted-runs.js';
import { type Behaviour, MemorySession } from './memory-session.js';

/** A run of 1,000 steps that are counted and not learned from. */
function start(behaviour: Behaviour = {}): TrainingRun {
  return train(
    { env: 'Hopper-v5', runsDir: folder, steps: 1000, collect: { startUpdates: 10 } },
    { createSession: () => new MemorySession(behaviour), nativeFacts: () => undefined },
  );
}

/** A run, told at each step of its session beyond `step`, once. */
function startAndAt(step: number, act: (run: TrainingRun) => void): TrainingRun {
  let done = false;
  const run = start({
    onAdvance: (steps) => {
      if (done || steps < step) return;
      done = true;
      act(run);
    },
  });
  return run;
}

describe('the handle of a run', () => {
  it('has the folder from the start event on, and says how far the run is', async () => {
    const run = start();
    expect([run.dir, run.status()]).toEqual([undefined, { state: 'starting', step: 0 }]);
    for await (const event of run) {
      if (event.event === 'start') expect(run.dir).toBe(event.runDir);
      if (event.event === 'checkpoint') expect(run.status().step).toBe(event.step);
    }
    const { runDir } = await run.finished;
    expect(run.dir).toBe(runDir);
    expect(run.status()).toEqual({ state: 'finished', step: 1000 });
    expect(json(join(runDir, 'status.json'))).toMatchObject(run.status());
  });

  it('saves when it is asked to, and goes on', async () => {
    let saved: Promise<string[]> | undefined;
    const run = startAndAt(200, (at) => {
      saved = Promise.all([at.save(), at.save()]);
    });
    const summary = await run.finished;
    const [path, same] = (await saved) as string[];
    expect(path).toBe(same);
    expect(existsSync(join(path as string, 'MANIFEST.json'))).toBe(true);
    expect(summary).toMatchObject({ state: 'finished', steps: 1000 });
    expect(Number(/(\d+)$/.exec(path as string)?.[1])).toBeLessThan(1000);
  });

  it('saves nothing once it has ended', async () => {
    const run = start();
    await run.finished;
    await expect(run.save()).rejects.toMatchObject({ code: 'ABORTED' });
  });

  it('stops as an aborted signal does', async () => {
    const run = startAndAt(200, (at) => at.stop());
    const summary = await run.finished;
    expect(summary.state).toBe('stopped');
    expect(summary.steps).toBeLessThan(1000);
    expect(run.status().state).toBe('saved');
  });

  it('refuses a checkpoint that was asked for where the run fails', async () => {
    let saved: Promise<unknown> | undefined;
    let done = false;
    const run: TrainingRun = start({
      failsAt: 300,
      onAdvance: () => {
        if (done) return;
        done = true;
        // with the call that fails at once
        saved = run.save().catch((error) => error);
      },
    });
    await expect(run.finished).rejects.toMatchObject({ code: 'ENV_FAILED' });
    const answer = await saved;
    // answered before, or refused at the end: never left waiting
    if (typeof answer !== 'string') expect(answer).toMatchObject({ code: 'ABORTED' });
  });
});
