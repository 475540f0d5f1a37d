/** What is said of a run when it ends. */
import type { ResolvedConfig } from '../config/schema.js';
import type { VirelError } from '../errors.js';
import type { EvaluationEvent, Summary } from '../logging/events.js';

/** Last part of a run whose evaluations make its final score. */
const SCORED_PART = 0.1;

/** How far a run came. */
export interface Outcome {
  steps: number;
  updates: number;
  wallSeconds: number;
  evaluations: readonly EvaluationEvent[];
}

/** Mean of the evaluations in the last tenth of the steps done, never the maximum; null without one. */
export function finalScore(evaluations: readonly EvaluationEvent[], steps: number): number | null {
  const scored = evaluations.filter(({ step }) => step > steps * (1 - SCORED_PART));
  if (scored.length === 0) return null;
  return scored.reduce((sum, { returnMean }) => sum + returnMean, 0) / scored.length;
}

/** The summary of a run; `failure` where it failed. */
export function summarise(
  config: ResolvedConfig,
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
