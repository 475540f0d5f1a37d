/**
 * The counter-example over temperatures: how probable the good way is for maximum-entropy RL at its temperature c, and for
 * VIREL's Boltzmann policy at its temperature ε, both in units of return, hence on one axis.
 */

import * as Plot from '@observablehq/plot';
import type { SweepPoint, TrapSweep } from '../theory/demos.js';
import { FAINT, FRAME, OKABE_ITO } from './colours.js';
import { drawFigure } from './figure.js';

/** Draws the sweep. @returns SVG. */
export function drawTrapFigure(sweep: TrapSweep): string {
  return drawFigure({
    description:
      'How probable the good way of merl-counterexample is over the temperature: VIREL always prefers it, maximum-entropy RL ' +
      'only below c*',
    plots: [
      {
        width: 760,
        height: 420,
        marginLeft: 64,
        marginRight: 24,
        marginTop: 62,
        marginBottom: 56,
        inset: 8,
        x: {
          type: 'log',
          grid: true,
          ticks: [0.001, 0.01, 0.1, 1, 10],
          tickFormat: String,
          label: 'temperature (return): c of maximum-entropy RL, ε of VIREL',
          labelAnchor: 'center',
          labelArrow: 'none',
          labelOffset: 44,
        },
        y: {
          domain: [0, 1],
          ticks: [0, 0.25, 0.5, 0.75, 1],
          tickFormat: String,
          grid: true,
          label: null,
        },
        marks: [
          Plot.frame({ stroke: FRAME }),
          title('merl-counterexample: probability of the good way at the start'),
          Plot.ruleY([0.5], { stroke: FAINT, strokeDasharray: '5,4' }),
          ...criticalRule(sweep.critical),
          ...curve(sweep.points, 'maximumEntropy', OKABE_ITO.vermillion),
          ...curve(sweep.points, 'virel', OKABE_ITO.blue),
          ...labels(sweep),
        ],
      },
    ],
  });
}

const title = (text: string) =>
  Plot.text([text], {
    frameAnchor: 'top-left',
    lineAnchor: 'bottom',
    dy: -30,
    fontWeight: 'bold',
  });

/** c* with its formula above the frame. */
const criticalRule = (critical: number): Plot.Markish[] => [
  Plot.ruleX([critical], { stroke: FAINT }),
  Plot.text([critical], {
    x: (value: number) => value,
    text: (value: number) => `c* = (1 − ρ)/log k = ${value.toPrecision(3)}`,
    frameAnchor: 'top',
    lineAnchor: 'bottom',
    dy: -7,
  }),
];

const curve = (
  points: readonly SweepPoint[],
  key: 'maximumEntropy' | 'virel',
  stroke: string,
): Plot.Markish[] => [
  Plot.lineY(points, { x: 'temperature', y: key, stroke, strokeWidth: 2.5, title: () => key }),
];

/** Names beside the curves, and where complete EM ends: left of what a logarithmic axis can hold. */
function labels({ points, complete }: TrapSweep): Plot.Markish[] {
  const lowest = points.reduce((low, each) =>
    each.maximumEntropy < low.maximumEntropy ? each : low,
  );
  const warm = points.filter(({ temperature }) => temperature >= 0.1).slice(0, 1);
  const coldest = points.slice(0, 1);
  const end = { x: 'temperature', y: () => complete, fill: OKABE_ITO.blue };
  return [
    Plot.text(warm, {
      x: 'temperature',
      y: 'virel',
      text: () => 'VIREL (hard values)',
      fill: OKABE_ITO.blue,
      textAnchor: 'start',
      dx: 10,
      dy: -8,
    }),
    Plot.text([lowest], {
      x: 'temperature',
      y: 'maximumEntropy',
      text: () => 'maximum-entropy RL (soft values)',
      fill: OKABE_ITO.vermillion,
      dy: 16,
    }),
    Plot.text(coldest, {
      x: 'temperature',
      y: () => 0.5,
      text: () => 'no preference',
      fill: FAINT,
      textAnchor: 'start',
      dy: -10,
    }),
    Plot.dot(coldest, { ...end, r: 5 }),
    Plot.text(coldest, {
      ...end,
      text: () => `← complete EM, at ε = 0: ${complete}`,
      textAnchor: 'start',
      dy: 20,
    }),
  ];
}
