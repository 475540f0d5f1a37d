/**
 * Stratified percentile bootstrap: runs are drawn again, with replacement, within each task; tasks are not.
 *
 * What is drawn from is an argument, as everywhere: the same stream gives the same interval.
 */
import type { Scores } from './aggregates.js';
import { quantile } from './quantile.js';

/** Replicates behind the interval of a number, and behind the band of a profile or a curve (rliable's defaults). */
export const REPLICATES = { number: 50_000, band: 2_000 } as const;

/** Share of the replicates that an interval holds. */
export const CONFIDENCE = 0.95;

/** Lower and upper end. */
export type Interval = readonly [low: number, high: number];

/** Uniform draws on [0, 1). */
export type Uniform = () => number;

/** How an interval is drawn. */
export interface BootstrapOptions {
  /** Replicates, at least 1. */
  replicates: number;
  uniform: Uniform;
  /** Share of the replicates between the ends, {@link CONFIDENCE} by default. */
  confidence?: number;
}

/** Draws [n] values again, with replacement, into `into`. */
function resampleInto(values: readonly number[], uniform: Uniform, into: number[]): void {
  const n = values.length;
  for (let i = 0; i < n; i += 1) into[i] = values[Math.floor(uniform() * n)] as number;
}

/** Ends of the middle `confidence` of some replicates; they are sorted in place. */
function ends(replicates: Float64Array, confidence: number): Interval {
  replicates.sort();
  const tail = (1 - confidence) / 2;
  return [quantile(replicates, tail), quantile(replicates, 1 - tail)];
}

/**
 * Intervals of a statistic with several values; every replicate draws each group anew and independently.
 *
 * @param groups Scores of each group, [groups][tasks][runs]; a statistic of one group gets a list of one.
 * @param statistic To k numbers, the same k every time; it must not keep its argument, which is written over.
 * @returns [k].
 */
export function bootstrapIntervals(
  groups: readonly Scores[],
  statistic: (groups: readonly Scores[]) => ArrayLike<number>,
  { replicates, uniform, confidence = CONFIDENCE }: BootstrapOptions,
): Interval[] {
  const drawn = groups.map((tasks) => tasks.map((runs) => [...runs]));
  const width = statistic(groups).length;
  const values = Array.from({ length: width }, () => new Float64Array(replicates));
  for (let replicate = 0; replicate < replicates; replicate += 1) {
    groups.forEach((tasks, group) => {
      tasks.forEach((runs, task) => {
        resampleInto(runs, uniform, drawn[group]?.[task] as number[]);
      });
    });
    const result = statistic(drawn);
    for (let k = 0; k < width; k += 1) (values[k] as Float64Array)[replicate] = result[k] as number;
  }
  return values.map((each) => ends(each, confidence));
}

/**
 * Bands of curves: whole curves are drawn again, and their centre is taken at every point.
 *
 * @param curves [runs][points].
 * @param centre Of the values of all runs at a point, [runs].
 * @returns [points].
 */
export function bootstrapBand(
  curves: readonly (readonly number[])[],
  centre: (values: ArrayLike<number>) => number,
  options: BootstrapOptions,
): Interval[] {
  const points = curves[0]?.length ?? 0;
  const column = new Float64Array(curves.length);
  const centres = new Float64Array(points);
  const indices = curves.map((_, run) => run);
  const along = ([[drawn = []] = []]: readonly Scores[]) => {
    for (let point = 0; point < points; point += 1) {
      for (let i = 0; i < column.length; i += 1) {
        column[i] = curves[drawn[i] as number]?.[point] as number;
      }
      centres[point] = centre(column);
    }
    return centres;
  };
  return bootstrapIntervals([[indices]], along, options);
}
