/**
 * The chart of every small picture: a frame, a title in bold, what is drawn upwards over the left corner, names beside the
 * lines rather than in a legend.
 */

import * as Plot from '@observablehq/plot';
import { FAINT, FRAME, INK, PAPER } from './colours.js';

/** A chart: what Plot draws, with a title. */
export interface Chart extends Plot.PlotOptions {
  /** What the chart shows, in bold at the top; a chart below another one has none. */
  title?: string;
  /** What is drawn upwards, over the left corner of the frame. */
  upwards?: string;
}

/** From the frame to the title and to the text between them, in pixels. */
const ABOVE = { title: 30, text: 7 } as const;

/** The options of a plot in the common look; those that are given have precedence. */
export function chart({ title, upwards, x, y, marks, ...options }: Chart): Plot.PlotOptions {
  return {
    width: 720,
    height: 330,
    marginLeft: 64,
    marginRight: 24,
    marginTop: title === undefined ? 28 : 62,
    marginBottom: 56,
    inset: 8,
    x: { grid: true, labelAnchor: 'center', labelArrow: 'none', labelOffset: 44, ...x },
    y: { grid: true, label: null, ...y },
    marks: [
      Plot.frame({ stroke: FRAME }),
      ...(title === undefined ? [] : [corner(title, { dy: -ABOVE.title, fontWeight: 'bold' })]),
      ...(upwards === undefined ? [] : [corner(upwards, { dy: -ABOVE.text })]),
      ...(marks ?? []),
    ],
    ...options,
  };
}

/** Text over the frame. */
export const above = (data: Plot.Data, options: Plot.TextOptions) =>
  Plot.text(data, {
    frameAnchor: 'top',
    lineAnchor: 'bottom',
    dy: -ABOVE.text,
    ...options,
  });

const corner = (text: string, options: Plot.TextOptions) =>
  above([text], { frameAnchor: 'top-left', ...options });

/** A point of a line. */
export interface Point {
  x: number;
  y: number;
}

/** A line with a name. */
export interface Series {
  name: string;
  points: readonly Point[];
}

/** The first point of a line from `x` on, where a label may stand; its last one if there is none. */
export const pointFrom = ({ points }: Pick<Series, 'points'>, from: number): Point =>
  points.find(({ x }) => x >= from) ?? points.at(-1) ?? { x: from, y: Number.NaN };

/** Draws a line; its name is what a browser shows under the pointer. */
export const curve = ({ name, points }: Series, stroke: string, options: Plot.LineYOptions = {}) =>
  Plot.lineY(points, { x: 'x', y: 'y', stroke, strokeWidth: 2.5, title: () => name, ...options });

/** Text at a point, with a margin in the colour of the paper, so that grid and lines do not run through it. */
export const label = ({ x, y }: Point, text: string, options: Plot.TextOptions = {}) =>
  Plot.text([text], {
    x: () => x,
    y: () => y,
    fill: INK,
    stroke: PAPER,
    strokeWidth: 4,
    ...options,
  });

/** A dot at a point. */
export const dot = (point: Point, fill: string, options: Plot.DotOptions = {}) =>
  Plot.dot([point], { x: 'x', y: 'y', r: 5, fill, ...options });

/** A line that only helps to read: a zero, an optimum, a limit. */
export const HELPING = { stroke: FAINT, strokeDasharray: '5,4' } as const;

const SUPERSCRIPTS: Readonly<Record<string, string>> = {
  '-': '⁻',
  '0': '⁰',
  '1': '¹',
  '2': '²',
  '3': '³',
  '4': '⁴',
  '5': '⁵',
  '6': '⁶',
  '7': '⁷',
  '8': '⁸',
  '9': '⁹',
};

/** `10⁻³` for 0.001. */
export function powerOfTen(value: number): string {
  const exponent = String(Math.round(Math.log10(value)));
  return `10${[...exponent].map((sign) => SUPERSCRIPTS[sign]).join('')}`;
}
