/**
 * A comparison: for every task a panel with the score of every run and the interquartile mean of its group with its interval;
 * below them the probability of improvement over the baseline, and the groups over all tasks on one scale.
 */

import * as Plot from '@observablehq/plot';
import type { Comparison, TaskComparison } from '../comparison/comparison.js';
import type { Estimate } from '../comparison/estimate.js';
import { REFERENCE } from '../comparison/normalise.js';
import { caption } from './caption.js';
import { chart, HELPING } from './chart.js';
import { INK, SERIES } from './colours.js';
import { coloursOf, describeMetric } from './curves-figure.js';
import { drawFigure } from './figure.js';
import { profilePanel } from './profile-panel.js';
import { textWidth } from './side-labels.js';

/** In pixels; a group has a row. */
const SIZE = { width: 860, row: 44, top: 62, bottom: 56, right: 40, inset: 8 } as const;
/** From the middle of a row down to the runs, and up to the mean. */
const OFFSET = { runs: 9, mean: -5 } as const;

/** A group's row in a panel. */
interface Row {
  readonly name: string;
  readonly estimate: Estimate;
  /** Scores of its runs; none where a row is no mean of scores. */
  readonly scores: readonly number[];
}

interface Panel {
  readonly title: string;
  readonly upwards: string;
  readonly label: string;
  readonly rows: readonly Row[];
  /** A line that helps to read. */
  readonly rule?: number;
  readonly domain?: readonly [number, number];
}

/** Draws a comparison. @returns SVG. */
export function drawComparisonFigure(comparison: Comparison): string {
  const { tasks, metric } = comparison;
  const colours = coloursOf(tasks.map(({ groups }) => groups));
  const left = Math.max(...[...colours.keys()].map(textWidth)) + 24;
  const names = tasks.map(({ task }) => task).join(' and ');
  const panels = [
    ...tasks.map((task) => scorePanel(task, comparison)),
    ...overallPanels(comparison),
  ];
  return drawFigure({
    description: `${describeMetric(metric)} on ${names}, compared: ${[...colours.keys()].join(', ')}`,
    plots: [
      ...panels.map((panel) => drawPanel(panel, colours, left)),
      ...profiles(comparison, colours, left),
      caption(describe(comparison), { width: SIZE.width, left }),
    ],
  });
}

const describe = ({ reps, seed }: Comparison): string[] => [
  'Large dot: interquartile mean of the seeds; circles: seeds, each the mean of the last tenth of its steps.',
  `Line: 95 % bootstrap interval over seeds (${reps.toLocaleString('en-US')} replicates, seed ${seed}); none of a single seed.`,
];

const seedsOf = (count: number) => `${count} seed${count === 1 ? '' : 's'}`;

function scorePanel({ task, protocol, groups }: TaskComparison, { metric, at }: Comparison): Panel {
  const measured = metric.startsWith('eval/') ? `: ${protocol}` : '';
  return {
    title: `${task} at ${at.toLocaleString('en-US')} steps`,
    upwards: groups.map(({ name, runs }) => `${name} ${seedsOf(runs.length)}`).join(', '),
    label: `${describeMetric(metric)}${measured}`,
    rows: groups.map(({ name, iqm, runs }) => ({
      name,
      estimate: iqm,
      scores: runs.map(({ score }) => score),
    })),
  };
}

const overTasks = ({ tasks }: Comparison) =>
  tasks.length > 1 ? 'over all tasks' : `on ${tasks[0]?.task}`;

/** The profiles, where there is a scale for them. */
function profiles(
  comparison: Comparison,
  colours: ReadonlyMap<string, string>,
  left: number,
): Plot.PlotOptions[] {
  const { profile } = comparison;
  if (profile === null) return [];
  const title = `Performance profiles, ${overTasks(comparison)}`;
  return [profilePanel(profile, colours, { width: SIZE.width, left, title })];
}

/** Who beats the baseline, of one task or over all; and scores on a common scale. */
function overallPanels(comparison: Comparison): Panel[] {
  const { tasks, overall, baseline, normalise } = comparison;
  const over = overTasks(comparison);
  const improvements = (overall ?? tasks[0]?.groups ?? []).flatMap(({ name, improvement }) =>
    improvement === undefined ? [] : [{ name, estimate: improvement, scores: [] }],
  );
  const scaled = (overall ?? []).flatMap(({ name, iqm }) =>
    iqm === undefined ? [] : [{ name, estimate: iqm, scores: [] }],
  );
  return [
    ...(improvements.length === 0
      ? []
      : [
          {
            title: `Probability that a run scores above one of ${baseline}, ${over}`,
            upwards: 'dashed: as often above as below',
            label: 'probability of improvement',
            rows: improvements,
            rule: 0.5,
            domain: [0, 1] as const,
          },
        ]),
    ...(normalise === 'none' || scaled.length === 0
      ? []
      : [
          {
            title: `Normalised score, ${over}`,
            upwards: `0: actions at random; 1, dashed: mean of ${REFERENCE}`,
            label: 'interquartile mean of the normalised scores',
            rows: scaled,
            rule: 1,
          },
        ]),
  ];
}

function drawPanel(
  { title, upwards, label, rows, rule, domain }: Panel,
  colours: ReadonlyMap<string, string>,
  left: number,
): Plot.PlotOptions {
  const colour = ({ name }: { name: string }) => colours.get(name) ?? (SERIES[0] as string);
  const scores = rows.flatMap((row) => row.scores.map((score) => ({ name: row.name, score })));
  const intervals = rows.flatMap(({ name, estimate: { interval } }) =>
    interval === null ? [] : [{ name, low: interval[0], high: interval[1] }],
  );
  const lifted = { dy: OFFSET.mean } as const;
  return chart({
    title,
    upwards,
    width: SIZE.width,
    height: SIZE.top + SIZE.bottom + SIZE.row * rows.length,
    marginLeft: left,
    marginRight: SIZE.right,
    inset: 0,
    insetLeft: SIZE.inset,
    insetRight: SIZE.inset,
    x: { label, ticks: 8, ...(domain ? { domain } : { nice: true }) },
    y: {
      type: 'band',
      domain: rows.map(({ name }) => name),
      grid: false,
      tickSize: 0,
      tickPadding: 10,
      padding: 0,
    },
    marks: [
      ...(rule === undefined ? [] : [Plot.ruleX([rule], HELPING)]),
      Plot.link(intervals, {
        x1: 'low',
        x2: 'high',
        y1: 'name',
        y2: 'name',
        stroke: colour,
        strokeWidth: 5,
        strokeOpacity: 0.45,
        strokeLinecap: 'round',
        ...lifted,
      }),
      Plot.dot(rows, {
        x: ({ estimate }: Row) => estimate.value,
        y: 'name',
        r: 5.5,
        fill: colour,
        title: ({ name, estimate }: Row) => `${name}: ${estimate.value}`,
        ...lifted,
      }),
      Plot.dot(scores, {
        x: 'score',
        y: 'name',
        r: 3,
        stroke: colour,
        strokeOpacity: 0.9,
        dy: OFFSET.runs,
      }),
      Plot.axisY({ tickSize: 0, label: null, fill: INK, fontWeight: 'bold' }),
    ],
  });
}
