/**
 * One number of the scores of many runs on one or several tasks, as rliable 1.2 defines them (Agarwal et al. 2021).
 *
 * Scores are [tasks][runs]; tasks may have different numbers of runs. Every statistic is NaN where a task has no run.
 */

/** Scores of one algorithm, [tasks][runs], in the unit of the score. */
export type Scores = readonly (readonly number[])[];

/** A statistic of {@link Scores}. */
export type Aggregate = (scores: Scores) => number;

/** Arithmetic mean, [n]; NaN of nothing. */
export const mean = (values: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < values.length; i += 1) sum += values[i] as number;
  return sum / values.length;
};

/** Median, [n]: the mean of the two in the middle where n is even. */
export function median(values: ArrayLike<number>): number {
  const sorted = new Float64Array(values).sort();
  const [low, high] = [(sorted.length - 1) >> 1, sorted.length >> 1];
  return ((sorted[low] as number) + (sorted[high] as number)) / 2;
}

/** Of a sample each side loses this share, rounded down. */
const TRIMMED = 0.25;

/** Mean of the middle half of [n] values: floor(n/4) are left out on each side, none in part. */
export function trimmedMean(values: ArrayLike<number>): number {
  const sorted = new Float64Array(values).sort();
  const cut = Math.floor(TRIMMED * sorted.length);
  return mean(sorted.subarray(cut, sorted.length - cut));
}

/** Interquartile mean: the {@link trimmedMean} of all runs of all tasks together. */
export const interquartileMean: Aggregate = (scores) => trimmedMean(scores.flat());

/** Mean over tasks of the mean over runs. */
export const meanOfTasks: Aggregate = (scores) => mean(scores.map(mean));

/** Median over tasks of the mean over runs. */
export const medianOfTasks: Aggregate = (scores) => median(scores.map(mean));

/** How far scores stay below `target` on average, what exceeds it not counted: target − mean of min(score, target). */
export const optimalityGap = (scores: Scores, target = 1): number =>
  target - mean(scores.flat().map((score) => Math.min(score, target)));

/**
 * Share of all runs whose score is above each threshold: the performance profile.
 *
 * @param thresholds [k], in the unit of the score.
 * @returns [k].
 */
export function performanceProfile(scores: Scores, thresholds: ArrayLike<number>): number[] {
  const all = scores.flat();
  return Array.from(
    thresholds,
    (threshold) => all.filter((score) => score > threshold).length / all.length,
  );
}

/** P(X > Y) on one task: the share of pairs of runs in which x is above y, equal ones half; Mann and Whitney's U / (n m). */
function improvementOnTask(x: readonly number[], y: readonly number[]): number {
  let wins = 0;
  for (const a of x) for (const b of y) wins += a > b ? 1 : a === b ? 0.5 : 0;
  return wins / (x.length * y.length);
}

/**
 * Probability that a run of X scores above a run of Y on the same task, the mean over tasks.
 *
 * @param x [tasks][runs]. @param y [tasks][runs] of the same tasks in the same order.
 */
export const probabilityOfImprovement = (x: Scores, y: Scores): number =>
  mean(x.map((runs, task) => improvementOnTask(runs, y[task] ?? [])));
