/**
 * Learning curves: a panel for every task, a line with its band for every group, named where it ends. What a reader must know
 * to compare them with others (protocol, seeds, band, smoothing) is part of the picture.
 */

import * as Plot from '@observablehq/plot';
import type { GroupCurve, LearningCurves, TaskCurves } from '../comparison/curves.js';
import { DEFAULT_METRIC } from '../comparison/measure.js';
import { METRICS } from '../logging/metrics.js';
import { caption } from './caption.js';
import { chart, curve } from './chart.js';
import { SERIES } from './colours.js';
import { drawFigure } from './figure.js';
import { placeLabels, textWidth } from './side-labels.js';

/** Of a panel, in pixels. */
const SIZE = { width: 860, height: 360, left: 64, top: 62, bottom: 56, inset: 8 } as const;
/** From the frame to the names behind it. */
const GAP = 12;

const AXES = {
  steps: { label: 'environment steps', divisor: 1 },
  time: { label: 'hours since the start', divisor: 3600 },
  updates: { label: 'gradient steps', divisor: 1 },
} as const;

/** What is drawn upwards. */
export function describeMetric(metric: string): string {
  if (metric === DEFAULT_METRIC) return 'return of the deterministic policy';
  const unit = METRICS.find(({ name }) => name === metric)?.unit;
  return unit === undefined || unit === '1' ? metric : `${metric} (${unit})`;
}

/** Draws learning curves. @param showSeeds Whether every run is drawn too, faintly. @returns SVG. */
export function drawCurves(curves: LearningCurves, showSeeds: boolean): string {
  const colours = coloursOf(curves.tasks.map(({ groups }) => groups));
  const right = Math.max(
    ...curves.tasks.flatMap(({ groups }) => groups.map((group) => textWidth(nameOf(group)))),
  );
  const tasks = curves.tasks.map(({ task }) => task).join(' and ');
  return drawFigure({
    description: `Learning curves on ${tasks}: ${describeMetric(curves.metric)} over ${AXES[curves.x].label}`,
    plots: [
      ...curves.tasks.map((task) => panel(task, curves, { showSeeds, colours, right })),
      caption(describeCurves(curves, showSeeds), { width: SIZE.width, left: SIZE.left }),
    ],
  });
}

/** A colour for every name, the same in all panels. */
export function coloursOf(
  panels: readonly (readonly { readonly name: string }[])[],
): ReadonlyMap<string, string> {
  const names = [...new Set(panels.flatMap((groups) => groups.map(({ name }) => name)))];
  return new Map(names.map((name, index) => [name, SERIES[index % SERIES.length] as string]));
}

/** `beta (5 seeds, 1 failed)` */
function nameOf({ name, runs, failed }: GroupCurve): string {
  const seeds = `${runs.length} seed${runs.length === 1 ? '' : 's'}`;
  return `${name} (${seeds}${failed === 0 ? '' : `, ${failed} failed`})`;
}

/** What lines and bands are, in words. */
export function describeCurves(
  { centre, window, reps, tasks }: LearningCurves,
  showSeeds: boolean,
): string[] {
  const groups = tasks.flatMap((task) => task.groups);
  const middle = centre === 'mean' ? 'mean' : 'interquartile mean';
  const banded = groups.some(({ runs }) => runs.length > 1);
  const band = banded
    ? `; band: 95 % bootstrap interval of it (${reps.toLocaleString('en-US')} replicates)`
    : '';
  const alone = groups.some(({ runs }) => runs.length === 1) ? ', none of a single seed' : '';
  const smoothing =
    window === 1 ? 'no smoothing' : `every run smoothed: mean of its last ${window} points`;
  const faint = showSeeds ? '; faint: every seed' : '';
  const ended = groups.some(({ failed }) => failed > 0)
    ? ['Failed runs go on in the centre with their last value.']
    : [];
  return [
    `Line: ${middle} of the seeds${band}${banded ? alone : ''}`,
    `${smoothing[0]?.toUpperCase()}${smoothing.slice(1)}${faint}`,
    ...ended,
  ];
}

interface Look {
  readonly showSeeds: boolean;
  readonly colours: ReadonlyMap<string, string>;
  /** Room for names, in pixels. */
  readonly right: number;
}

function panel(
  { task, protocol, groups }: TaskCurves,
  { metric, x }: LearningCurves,
  { showSeeds, colours, right }: Look,
): Plot.PlotOptions {
  const { label, divisor } = AXES[x];
  const shown = groups.map((group) => ({
    group,
    colour: colours.get(group.name) as string,
    centre: group.centre.map((point) => ({ ...point, x: point.x / divisor })),
    seeds: group.runs.map(({ seed, points }) => ({
      name: `${group.name}, seed ${seed}`,
      points: points.map((point) => ({ ...point, x: point.x / divisor })),
    })),
  }));
  const heights = shown.flatMap(({ centre, seeds }) => [
    ...centre.flatMap(({ y, low, high }) => [low ?? y, high ?? y]),
    ...(showSeeds ? seeds.flatMap(({ points }) => points.map(({ y }) => y)) : []),
  ]);
  const domain = rangeOf(heights);
  const [top, bottom] = [SIZE.top + SIZE.inset, SIZE.height - SIZE.bottom - SIZE.inset];
  const heightOf = (y: number) =>
    bottom - ((y - domain[0]) / (domain[1] - domain[0])) * (bottom - top);
  const names = placeLabels(
    shown.map(({ group, colour, centre }) => ({
      text: nameOf(group),
      colour,
      at: heightOf(centre.at(-1)?.y ?? domain[0]),
    })),
    SIZE.top,
    SIZE.height - SIZE.bottom,
  );
  const measured = metric.startsWith('eval/') ? `: ${protocol}` : '';
  return chart({
    title: task,
    upwards: `${describeMetric(metric)}${measured}`,
    width: SIZE.width,
    height: SIZE.height,
    marginRight: right + GAP + 8,
    x: { label, ticks: 6, nice: true },
    y: { domain, ticks: 6 },
    marks: [
      ...shown.map(({ centre, colour }) => band(centre, colour)),
      ...(showSeeds
        ? shown.flatMap(({ seeds, colour }) =>
            seeds.map((seed) => curve(seed, colour, { strokeWidth: 1, strokeOpacity: 0.35 })),
          )
        : []),
      ...shown.map(({ group, centre, colour }) =>
        curve({ name: nameOf(group), points: centre }, colour),
      ),
      ...names.map(({ text, colour, y }) => sideLabel(text, colour, y)),
    ],
  });
}

const band = (centre: GroupCurve['centre'], colour: string) =>
  Plot.areaY(
    centre.filter(({ low }) => low !== null),
    { x: 'x', y1: 'low', y2: 'high', fill: colour, fillOpacity: 0.18 },
  );

/** A name behind the frame, at a height in pixels. */
const sideLabel = (text: string, colour: string, y: number) =>
  Plot.text([text], {
    frameAnchor: 'top-right',
    textAnchor: 'start',
    lineAnchor: 'middle',
    dx: GAP,
    dy: y - SIZE.top,
    fill: colour,
    fontWeight: 'bold',
  });

/** Smallest and largest; of equal ones a range around them. */
function rangeOf(values: readonly number[]): [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (low < high) return [low, high];
  const half = Math.abs(low) / 10 || 1;
  return [low - half, high + half];
}
