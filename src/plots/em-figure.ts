/**
 * EM on a finite MDP as a picture: a column for every schedule, a row for every quantity, a line for every target.
 *
 * The iterations are on a scale that is even in log(1 + n), shared by all columns: complete EM is over after a few, partial EM
 * after some hundred. Lines lie on one another where targets agree, so the lower ones are wider, and every line ends in a dot.
 * What a logarithmic axis cannot hold has a line of its own: no residual error, and the infinite bound that belongs to it.
 */

import * as Plot from '@observablehq/plot';
import { DEMO_SCHEDULES, type DemoResult } from '../theory/demos.js';
import type { EmRecord } from '../theory/expectation-maximisation.js';
import type { Target } from '../theory/residual.js';
import { above, HELPING, powerOfTen } from './chart.js';
import { FRAME, OKABE_ITO } from './colours.js';
import { drawFigure } from './figure.js';

const WIDTH = 960;
const MARGIN_LEFT = 64;
/** Of a panel, without what is above and below it. */
const PANEL_HEIGHT = 120;
/** Room for a row's label; the first has the names of the columns above it, the last the iterations below it. */
const ROOM = { label: 28, columns: 52, gap: 6, iterations: 46 };
const TICKS = [0, 1, 3, 10, 30, 100, 300];
const COLUMNS = DEMO_SCHEDULES.map(({ name }) => name);

/** How a target is drawn, the lowest first. */
interface Stroke {
  target: Target['kind'];
  stroke: string;
  strokeWidth: number;
  strokeDasharray: string;
}

const STROKES: readonly Stroke[] = [
  { target: 'optimal', stroke: OKABE_ITO.sky, strokeWidth: 8, strokeDasharray: 'none' },
  { target: 'boltzmann', stroke: OKABE_ITO.orange, strokeWidth: 5, strokeDasharray: 'none' },
  { target: 'variational', stroke: OKABE_ITO.blue, strokeWidth: 2, strokeDasharray: 'none' },
  { target: 'annealed', stroke: OKABE_ITO.black, strokeWidth: 1.5, strokeDasharray: '3,3' },
];

/** A residual error below this is rounding: none at all. */
const NO_RESIDUAL = 1e-12;
/** Where an infinite bound is drawn. */
const INFINITE_BOUND = 1e12;

/** A row of panels. */
interface Row {
  label: string;
  /** Where an iteration is drawn. */
  height: (record: EmRecord) => number;
  scale: Plot.ScaleOptions;
  /** Lines across every panel, behind the traces. */
  rules: (demo: DemoResult) => number[];
}

const ROWS: readonly Row[] = [
  {
    label: 'residual error ε, with its floor (return²); on the dashed line: 0',
    height: ({ residualError }) => Math.max(residualError, NO_RESIDUAL),
    scale: {
      type: 'log',
      domain: [NO_RESIDUAL, 10],
      ticks: [NO_RESIDUAL, 1e-9, 1e-6, 1e-3, 1],
      tickFormat: (value: number) => (value <= NO_RESIDUAL ? '0' : powerOfTen(value)),
    },
    rules: () => [NO_RESIDUAL],
  },
  {
    label: 'evidence lower bound L (nats); on the dashed line: infinite',
    height: ({ evidenceLowerBound: bound, residualError }) =>
      bound === null || residualError < NO_RESIDUAL ? INFINITE_BOUND : bound,
    scale: {
      type: 'symlog',
      domain: [0, INFINITE_BOUND],
      ticks: [0, 1e3, 1e6, 1e9, INFINITE_BOUND],
      tickFormat: (value: number) =>
        value === 0 ? '0' : value >= INFINITE_BOUND ? '∞' : powerOfTen(value),
    },
    rules: () => [INFINITE_BOUND],
  },
  {
    label: 'policy entropy (nats)',
    height: ({ policyEntropy }) => policyEntropy,
    scale: { ticks: 4, zero: true },
    rules: () => [],
  },
  {
    label: 'value of the policy (return); dashed: that of an optimal one',
    height: ({ value }) => value,
    scale: { ticks: 4 },
    rules: ({ traces }) => traces.slice(0, 1).map(({ trace }) => trace.optimalValue),
  },
];

/** Draws the traces of a demo. @returns SVG. */
export function drawEmFigure(demo: DemoResult): string {
  return drawFigure({
    description:
      `EM on ${demo.name}, ${demo.summary}: residual error, evidence lower bound, policy entropy and value over ` +
      'iterations, for every schedule and target',
    plots: [legend(demo), ...ROWS.map((row) => drawRow(demo, row))],
  });
}

/** What the MDP is, and the targets with their lines. */
function legend({ name, summary }: DemoResult): Plot.PlotOptions {
  const keys = STROKES.map((style, index) => ({ ...style, at: 216 + index * 150 }));
  const left = { x: MARGIN_LEFT, textAnchor: 'start' } as const;
  return {
    width: WIDTH,
    height: 64,
    margin: 0,
    x: { domain: [0, WIDTH], range: [0, WIDTH], axis: null },
    y: { domain: [0, 64], range: [0, 64], axis: null },
    marks: [
      Plot.text([`EM on ${name}: ${summary}`], { ...left, y: 18, fontWeight: 'bold' }),
      Plot.text(['target of the M-step:'], { ...left, y: 48 }),
      ...keys.flatMap(({ at, target, ...style }) => [
        Plot.link([at], { x1: at, x2: at + 40, y1: 48, y2: 48, ...style }),
        Plot.text([target], { x: at + 48, y: 48, textAnchor: 'start' }),
      ]),
    ],
  };
}

/** A panel for every schedule. */
function drawRow(demo: DemoResult, row: Row): Plot.PlotOptions {
  const [first, last] = [row === ROWS[0], row === ROWS.at(-1)];
  const longest = Math.max(...demo.traces.map(({ trace }) => trace.records.length - 1));
  const marginTop = ROOM.label + (first ? ROOM.columns : 0);
  const marginBottom = last ? ROOM.iterations : ROOM.gap;
  return {
    width: WIDTH,
    height: marginTop + PANEL_HEIGHT + marginBottom,
    marginTop,
    marginBottom,
    marginLeft: MARGIN_LEFT,
    marginRight: 12,
    inset: 6,
    fx: { domain: COLUMNS, axis: null },
    x: {
      type: 'symlog',
      constant: 1,
      domain: [0, longest],
      ticks: TICKS.filter((tick) => tick <= longest),
      axis: last ? 'bottom' : null,
      grid: true,
      label: 'iteration n, even in log(1 + n)',
      labelAnchor: 'center',
      labelArrow: 'none',
      labelOffset: 38,
    },
    y: { ...row.scale, label: null, grid: true },
    marks: [
      Plot.frame({ stroke: FRAME }),
      ...(first ? columnNames() : []),
      above([row.label], { fx: () => COLUMNS[0], frameAnchor: 'top-left' }),
      Plot.ruleY(row.rules(demo), HELPING),
      ...STROKES.flatMap((stroke) => drawTarget(demo, row, stroke)),
    ],
  };
}

const columnNames = (): Plot.Markish[] => [
  above(DEMO_SCHEDULES, { fx: 'name', text: 'name', dy: -59, fontWeight: 'bold' }),
  above(DEMO_SCHEDULES, { fx: 'name', text: 'summary', dy: -38 }),
];

/** The line of one target in every column, and a dot where it ends. */
function drawTarget(demo: DemoResult, row: Row, { target, ...style }: Stroke): Plot.Markish[] {
  const points = demo.traces
    .filter((each) => each.options.target === target)
    .flatMap((each) =>
      each.trace.records.map((record) => ({
        column: each.schedule,
        iteration: record.iteration,
        height: row.height(record),
      })),
    );
  const where = { x: 'iteration', y: 'height', fx: 'column', z: 'column' };
  return [
    Plot.lineY(points, { ...where, ...style, title: ({ column }) => `${column}: ${target}` }),
    Plot.dot(
      points,
      Plot.selectLast({ ...where, r: 1.5 + style.strokeWidth / 2, fill: style.stroke }),
    ),
  ];
}
