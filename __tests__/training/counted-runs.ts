/** Runs of `train` with a session that counts, each file of tests in a folder of its own, and what they leave. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from '@jest/globals';
import type { ConfigOptions } from '../../src/config/resolve.js';
import type { TrainEvent } from '../../src/logging/events.js';
import type { TrainControl } from '../../src/training/handle.js';
import { train } from '../../src/training/train.js';
import { type Behaviour, MemorySession } from './memory-session.js';

/** Root of the runs of a test. */
export let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'virel-train-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Trains with a session that counts; events, summary or error, and the session. */
export async function run(
  options: ConfigOptions,
  behaviour: Behaviour = {},
  control: TrainControl = {},
) {
  const session = new MemorySession(behaviour);
  const short = {
    steps: 1000,
    evaluation: { every: 200, episodes: 2 },
    logging: { every: 100 },
    collect: { startUpdates: behaviour.startUpdates ?? 10 },
  };
  const running = train(
    { runsDir: folder, env: 'Hopper-v5', ...short, ...options },
    { createSession: () => session, nativeFacts: () => undefined, ...control },
  );
  const events: TrainEvent[] = [];
  for await (const event of running) events.push(event);
  const [ended] = await Promise.allSettled([running.finished]);
  return { events, ended, session };
}

export const of = <Name extends TrainEvent['event']>(events: TrainEvent[], name: Name) =>
  events.filter((event): event is Extract<TrainEvent, { event: Name }> => event.event === name);
export const json = (path: string) => JSON.parse(readFileSync(path, 'utf8'));
export const only = (path: string) => join(path, readdirSync(path)[0] as string);
export const runFolder = () => only(join(folder, 'Hopper-v5', 'virel'));
