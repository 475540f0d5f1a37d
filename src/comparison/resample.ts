/** Curves of runs on points that they share. */
import { mean } from '../statistics/aggregates.js';

/** A point of a curve. */
export interface CurvePoint {
  /** On the horizontal axis. */
  readonly x: number;
  /** In the unit of the metric. */
  readonly y: number;
}

type Curve = readonly CurvePoint[];

const endOf = (curve: Curve) => curve.at(-1)?.x ?? Number.NEGATIVE_INFINITY;

/** Every point replaced by the mean of itself and the `window − 1` points before it, of fewer where there are fewer. */
export const trailingMean = (curve: Curve, window: number): CurvePoint[] =>
  curve.map(({ x }, index) => {
    const values = curve.slice(Math.max(0, index + 1 - window), index + 1).map(({ y }) => y);
    return { x, y: mean(values) };
  });

/**
 * Curves of which those that ended before their time go on at their last value, to where the longest one ends.
 *
 * @param lasting Which of them did not end before their time.
 */
export function extended(curves: readonly Curve[], lasting: readonly boolean[]): Curve[] {
  const longest = Math.max(...curves.map(endOf));
  return curves.map((curve, index) => {
    const last = curve.at(-1);
    if (lasting[index] || last === undefined || last.x >= longest) return curve;
    return [...curve, { x: longest, y: last.y }];
  });
}

/**
 * Where all curves have values: between the last beginning and the first end the places of one of them, the one that has the
 * fewest there. Of curves that were measured at the same steps these are the steps.
 *
 * @param curves All of them.
 * @param measured Those whose places may be taken: not one that was extended.
 */
export function commonGrid(curves: readonly Curve[], measured: readonly Curve[]): number[] {
  const from = Math.max(...curves.map(([first]) => first?.x ?? Number.POSITIVE_INFINITY));
  const to = Math.min(...curves.map(endOf));
  const within = measured.map((curve) =>
    curve.map(({ x }) => x).filter((x) => x >= from && x <= to),
  );
  return within.reduce((fewest, each) => (each.length < fewest.length ? each : fewest));
}

/** The value of a curve at a place between its ends: measured, or on the line between two measured ones. */
export function valueAt(curve: Curve, x: number): number {
  const above = curve.findIndex((point) => point.x >= x);
  const right = curve[above];
  const left = curve[above - 1];
  if (right === undefined) return Number.NaN;
  if (left === undefined || right.x === x) return right.y;
  return left.y + ((x - left.x) / (right.x - left.x)) * (right.y - left.y);
}
