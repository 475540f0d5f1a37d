/** What a run that is trained by another process has told of itself. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EvaluationEvent, Summary, TrainEvent } from '../logging/events.js';
import type { LoopState } from './loop-state.js';
import type { Outcome } from './summary.js';

/** What a run has told of itself so far. */
export class Heard {
  /** How it ended, in its own words. */
  summary: Summary | undefined;
  /** Its folder, once that is sure. */
  runDir: string | undefined;
  readonly #outcome = { steps: 0, updates: 0, wallSeconds: 0 };
  readonly #evaluations: EvaluationEvent[] = [];

  /** A run that goes on has steps that it will not tell of. */
  beginAt(step: number): void {
    this.#outcome.steps = step;
  }

  hear(event: TrainEvent): void {
    if (event.event === 'summary') this.summary = event;
    if (event.event === 'evaluation') this.#evaluations.push(event);
    if ('step' in event) this.#outcome.steps = Math.max(this.#outcome.steps, event.step);
    if ('updates' in event) this.#outcome.updates = event.updates;
    if ('wall' in event) this.#outcome.wallSeconds = event.wall;
  }

  /** How far it came. @param state Its newest checkpoint's, which knows what was before this process, too. */
  outcome(state: LoopState | undefined): Outcome {
    const { steps, updates, wallSeconds } = this.#outcome;
    const known = state?.evaluations ?? [];
    const last = known.at(-1)?.step ?? -1;
    return {
      steps: Math.max(steps, state?.step ?? 0),
      updates: Math.max(updates, state?.updates ?? 0),
      wallSeconds: Math.max(wallSeconds, state?.wall ?? 0),
      evaluations: [...known, ...this.#evaluations.filter(({ step }) => step > last)],
    };
  }
}

/** The text of a run's `summary.json`; undefined where there is none. */
export function summaryText(runDir: string | undefined): string | undefined {
  if (runDir === undefined) return undefined;
  try {
    return readFileSync(join(runDir, 'summary.json'), 'utf8');
  } catch {
    return undefined;
  }
}
