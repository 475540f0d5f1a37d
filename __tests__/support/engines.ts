/** The native learners under test, behind the interface that the reference has too. */

import type { ConfigOptions } from '../../src/config/resolve.js';
import type { Learner } from '../../src/engine.js';
import { Session } from '../../src/native/session.js';
import type { ReferenceConfig } from '../../src/reference/index.js';

export const ENGINES = ['kernel', 'tensor'] as const;
/** A native learner by name. */
export type Engine = (typeof ENGINES)[number];

/** Parts that an engine may lack, the only ones, and why: construction fails with `RECIPE_UNSUPPORTED`. */
export const RECIPE_UNSUPPORTED: {
  engine: Engine;
  mStep: ReferenceConfig['mStep']['kind'];
  why: string;
}[] = [{ engine: 'kernel', mStep: 'projected', why: 'it needs second derivatives' }];

/** Whether `engine` trains a config. */
export function supports(engine: Engine, { mStep }: ReferenceConfig): boolean {
  return !RECIPE_UNSUPPORTED.some((gap) => gap.engine === engine && gap.mStep === mStep.kind);
}

/** What a session is asked for; the rest is the `paper` preset's. */
export interface EngineOptions {
  env: string;
  config: ReferenceConfig;
  /** Rows that the engine prepares for; others work too. */
  rows?: number;
}

/** The `paper` preset's batch. */
export const PAPER_ROWS = 128;

/** A session of `engine` on one thread of the cpu, with a replay buffer too small to matter. */
export function createEngine(
  engine: Engine,
  { env, config, rows = PAPER_ROWS }: EngineOptions,
): Learner<Float32Array> & { dispose(): void } {
  const capacity = 5000;
  return Session.create({
    ...config,
    env,
    engine,
    device: 'cpu',
    threads: 1,
    residual: { ...config.residual, batch: 100 },
    schedule: { ...config.schedule, kind: 'partial', envSteps: 1, mSteps: 1, eSteps: 1 },
    replay: { capacity, batchSize: Math.min(rows, capacity) },
  } as ConfigOptions);
}
