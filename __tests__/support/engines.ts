/** The native learners under test, behind the interface that the reference has too. */

import type { Learner } from '../../src/engine.js';
import { Session } from '../../src/native/session.js';
import type { ReferenceConfig } from '../../src/reference/index.js';
import { PAPER_ROWS } from './cases.js';

export const ENGINES = ['kernel', 'tensor'] as const;

/** What a session is asked for; the rest is the `paper` preset's. */
export interface EngineOptions {
  env: string;
  config: ReferenceConfig;
  /** Rows that the engine prepares for; others work too. */
  rows?: number;
}

/** A session of `engine` on one thread of the cpu, with a replay buffer too small to matter. */
export function createEngine(
  engine: (typeof ENGINES)[number],
  { env, config, rows = PAPER_ROWS }: EngineOptions,
): Learner<Float32Array> & { dispose(): void } {
  return Session.create({
    ...config,
    env,
    engine,
    device: 'cpu',
    threads: 1,
    replay: { capacity: 1000, batchSize: rows },
  });
}
