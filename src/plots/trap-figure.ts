/**
 * The counter-example over temperatures: how probable the good way is for maximum-entropy RL at its temperature c, and for
 * VIREL's Boltzmann policy at its temperature ε, both in units of return, hence on one axis.
 */

import * as Plot from '@observablehq/plot';
import type { SweepPoint, TrapSweep } from '../theory/demos.js';
import { above, chart, curve, dot, HELPING, label, pointFrom } from './chart.js';
import { FAINT, OKABE_ITO } from './colours.js';
import { drawFigure } from './figure.js';

/** Draws the sweep. @returns SVG. */
export function drawTrapFigure(sweep: TrapSweep): string {
  return drawFigure({
    description:
      'How probable the good way of merl-counterexample is over the temperature: VIREL always prefers it, maximum-entropy RL ' +
      'only below c*',
    plots: [
      chart({
        width: 760,
        height: 420,
        title: 'merl-counterexample: probability of the good way at the start',
        x: {
          type: 'log',
          ticks: [0.001, 0.01, 0.1, 1, 10],
          tickFormat: String,
          label: 'temperature (return): c of maximum-entropy RL, ε of VIREL',
        },
        y: { domain: [0, 1], ticks: [0, 0.25, 0.5, 0.75, 1], tickFormat: String },
        marks: [
          Plot.ruleY([0.5], HELPING),
          ...criticalRule(sweep.critical),
          curve(series(sweep.points, 'maximumEntropy'), OKABE_ITO.vermillion),
          curve(series(sweep.points, 'virel'), OKABE_ITO.blue),
          ...labels(sweep),
        ],
      }),
    ],
  });
}

/** c* with its formula above the frame. */
const criticalRule = (critical: number): Plot.Markish[] => [
  Plot.ruleX([critical], { stroke: FAINT }),
  above([critical], {
    x: (value: number) => value,
    text: (value: number) => `c* = (1 − ρ)/log k = ${value.toPrecision(3)}`,
  }),
];

const series = (points: readonly SweepPoint[], name: 'maximumEntropy' | 'virel') => ({
  name,
  points: points.map((point) => ({ x: point.temperature, y: point[name] })),
});

/** Names beside the curves, and where complete EM ends: left of what a logarithmic axis can hold. */
function labels({ points, complete }: TrapSweep): Plot.Markish[] {
  const virel = series(points, 'virel').points;
  const soft = series(points, 'maximumEntropy').points;
  const lowest = soft.reduce((low, each) => (each.y < low.y ? each : low));
  const warm = pointFrom({ points: virel }, 0.1);
  const coldest = points[0]?.temperature ?? 0;
  const right = { textAnchor: 'start' } as const;
  const [blue, red] = [{ fill: OKABE_ITO.blue }, { fill: OKABE_ITO.vermillion }];
  const end = `← complete EM, at ε = 0: ${complete}`;
  return [
    label(warm, 'VIREL (hard values)', { ...blue, ...right, dx: 10, dy: -8 }),
    label(lowest, 'maximum-entropy RL (soft values)', { ...red, dy: 16 }),
    label({ x: coldest, y: 0.5 }, 'no preference', { fill: FAINT, ...right, dy: -10 }),
    dot({ x: coldest, y: complete }, OKABE_ITO.blue),
    label({ x: coldest, y: complete }, end, { ...blue, ...right, dy: 20 }),
  ];
}
