/** Scores of different tasks on one scale: 0 for actions at random, 1 for what `sac-twin` reached in the same comparison. */
import { TASKS } from '../environments/tasks.js';
import { VirelError } from '../errors.js';
import { mean } from '../statistics/aggregates.js';
import { DEFAULT_METRIC, type RunScore } from './measure.js';

/** The algorithm whose mean score is 1. */
export const REFERENCE = 'sac-twin';

/** Scores of the groups on one task. */
export interface TaskScores {
  readonly task: string;
  readonly groups: readonly { readonly name: string; readonly runs: readonly RunScore[] }[];
}

/** The two returns that a task's scale is made of. */
export interface TaskScale {
  /** Mean return of actions uniformly at random (`envs`). */
  readonly random: number;
  /** Mean score of the `sac-twin` runs. */
  readonly reference: number;
}

function refuse(message: string, fix: string): VirelError {
  return new VirelError('CONFIG_CONFLICT', `normalise reference: ${message}`, {
    where: 'normalise',
    expected: `runs of ${REFERENCE} on every task, and a random return of it`,
    fix,
  });
}

/** Mean return of random actions on a task, by the first id of its label; undefined if it was never measured. */
function randomReturn(task: string): number | undefined {
  const text = TASKS.find(({ id }) => id === task.split(',')[0])?.randomReturn ?? '';
  const value = Number.parseFloat(text);
  return Number.isNaN(value) ? undefined : value;
}

/**
 * The scale of a task, for (score − random) / (reference − random).
 *
 * @throws VirelError `CONFIG_CONFLICT` if the metric is no return of an evaluation, if the task has no random return, or no
 *   runs of the reference that do better.
 */
export function scaleOf({ task, groups }: TaskScores, metric: string): TaskScale {
  if (metric !== DEFAULT_METRIC) {
    throw refuse(`${metric} is not the return of an evaluation`, `--metric ${DEFAULT_METRIC}`);
  }
  const random = randomReturn(task);
  if (random === undefined) {
    throw refuse(`the return of random actions on ${task} is not known`, '--normalise none');
  }
  const runs = groups.find(({ name }) => name.split(',')[0] === REFERENCE)?.runs;
  if (runs === undefined) {
    throw refuse(
      `no runs of ${REFERENCE} on ${task}`,
      `add runs of ${REFERENCE}, or --normalise none`,
    );
  }
  const reference = mean(runs.map(({ score }) => score));
  if (reference > random) return { random, reference };
  const worse = `${REFERENCE} scores ${reference} on ${task}, random actions ${random}`;
  throw refuse(worse, '--normalise none');
}

/** A score on a task's scale. */
export const normalised = (score: number, { random, reference }: TaskScale): number =>
  (score - random) / (reference - random);
