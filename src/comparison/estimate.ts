/** Statistics of a comparison with their intervals. */
import { uniformStream } from '../random/stream.js';
import {
  interquartileMean,
  meanOfTasks,
  medianOfTasks,
  optimalityGap,
  probabilityOfImprovement,
  type Scores,
} from '../statistics/aggregates.js';
import { bootstrapIntervals, type Interval } from '../statistics/bootstrap.js';

/** A number, and where it would be with other seeds. */
export interface Estimate {
  /** The point estimate. */
  readonly value: number;
  /** 95 % interval; null where a group has one run on a task, of which nothing can be said. */
  readonly interval: Interval | null;
}

/** A group's scores, [tasks][runs]. */
export interface NamedScores {
  readonly name: string;
  readonly scores: Scores;
}

/** Statistics of one group. */
export interface GroupEstimates {
  /** Values of the keys that make the group. */
  readonly name: string;
  /** Mean over the means of the tasks. */
  readonly mean: Estimate;
  /** Median over the means of the tasks. */
  readonly median: Estimate;
  /** Interquartile mean of all runs on all tasks. */
  readonly iqm: Estimate;
  /** Mean of 1 - min(score, 1): how far below the reference. */
  readonly optimalityGap: Estimate;
  /** Probability that a run of this group scores above one of the baseline; undefined for the baseline itself. */
  readonly improvement?: Estimate;
}

/** How intervals are drawn. */
export interface Drawing {
  /** Bootstrap replicates. */
  readonly replicates: number;
  /** Of the random stream. */
  readonly seed: number;
  /** Which of the streams of the seed. */
  readonly instance: number;
}

const OWN = [meanOfTasks, medianOfTasks, interquartileMean, optimalityGap] as const;

/** Whether every task has the two runs that an interval needs. */
const repeated = (scores: Scores) => scores.every((runs) => runs.length > 1);

/**
 * Mean, median, IQM, optimality gap of every group, and how probably it beats the baseline. All of them share the draws of
 * one bootstrap, so that a number does not depend on which others are asked for.
 *
 * @param groups All on the same tasks in the same order.
 */
export function estimate(
  groups: readonly NamedScores[],
  baseline: string | undefined,
  { replicates, seed, instance }: Drawing,
): GroupEstimates[] {
  const base = groups.findIndex(({ name }) => name === baseline);
  const statistics = (drawn: readonly Scores[]) =>
    drawn.flatMap((scores, group) => [
      ...OWN.map((statistic) => statistic(scores)),
      base < 0 || group === base
        ? Number.NaN
        : probabilityOfImprovement(scores, drawn[base] as Scores),
    ]);
  const all = groups.map(({ scores }) => scores);
  const values = statistics(all);
  const uniform = uniformStream(seed, 'bootstrap', instance);
  const intervals = bootstrapIntervals(all, statistics, { replicates, uniform });
  const baseRepeated = base < 0 || repeated(all[base] as Scores);
  return groups.map(({ name, scores }, group) => {
    const at = (index: number, known = repeated(scores)): Estimate => {
      const place = group * (OWN.length + 1) + index;
      const interval = known ? (intervals[place] as Interval) : null;
      return { value: values[place] as number, interval };
    };
    const own = { name, mean: at(0), median: at(1), iqm: at(2), optimalityGap: at(3) };
    if (base < 0 || group === base) return own;
    return { ...own, improvement: at(4, repeated(scores) && baseRepeated) };
  });
}
