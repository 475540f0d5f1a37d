/** What is said of a run when it ends. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import type { ResolvedConfig } from '../config/schema.js';
import type { VirelError } from '../errors.js';
import type { EvaluationEvent, Summary } from '../logging/events.js';
import { scoreOf } from '../statistics/score.js';
import { readRunFile } from './files.js';
import type { RunStatus } from './run-directory.js';

/** How `status.json` says that a run ended. */
export function endState({ state, code }: Summary): RunStatus['state'] {
  if (state === 'finished') return 'finished';
  if (state === 'stopped') return 'saved';
  return code === 'DIVERGED' ? 'diverged' : 'failed';
}

/** How far a run came. */
export interface Outcome {
  steps: number;
  updates: number;
  wallSeconds: number;
  evaluations: readonly EvaluationEvent[];
}

/** The score of a run by its evaluations; null without one in the last tenth of the steps done. */
function finalScore(evaluations: readonly EvaluationEvent[], steps: number): number | null {
  const measured = evaluations.map(({ step, returnMean }) => ({ step, value: returnMean }));
  return scoreOf(measured, steps) ?? null;
}

/** What a summary says of a run's config. */
export type SummarisedConfig = Pick<ResolvedConfig, 'algorithm' | 'seed'> & {
  readonly env: Pick<ResolvedConfig['env'], 'id'>;
};

/** The summary of a run; `failure` where it failed. */
export function summarise(
  config: SummarisedConfig,
  runDir: string,
  state: Summary['state'],
  outcome: Outcome,
  failure?: VirelError,
): Summary {
  const newest = outcome.evaluations.at(-1);
  return {
    event: 'summary',
    state,
    runDir,
    env: config.env.id,
    algorithm: config.algorithm,
    seed: config.seed,
    steps: outcome.steps,
    updates: outcome.updates,
    wallSeconds: outcome.wallSeconds,
    finalScore: finalScore(outcome.evaluations, outcome.steps),
    evaluation: newest === undefined ? null : withoutEvent(newest),
    ...(failure && { code: failure.code, message: failure.message }),
  };
}

function withoutEvent({ event: _event, seed: _seed, ...evaluation }: EvaluationEvent) {
  return evaluation;
}

const summarySchema = z.looseObject({
  event: z.literal('summary'),
  state: z.enum(['finished', 'stopped', 'failed']),
  steps: z.number(),
  finalScore: z.number().nullable(),
  code: z.string().optional(),
});

/**
 * The summary of a run; undefined while it runs, and for ever if its process died.
 *
 * @throws VirelError `RUN_CORRUPT`, `PERMISSION`, `IO`.
 */
export function readSummary(runDir: string): Summary | undefined {
  const path = join(runDir, 'summary.json');
  if (!existsSync(path)) return undefined;
  return readRunFile(path, summarySchema) as unknown as Summary;
}
