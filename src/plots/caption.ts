/** Lines of text below the panels of a figure. */
import * as Plot from '@observablehq/plot';
import { INK } from './colours.js';
import { LINE_HEIGHT } from './side-labels.js';

/** A plot that holds nothing but text, from its left margin on. */
export function caption(
  lines: readonly string[],
  { width, left }: { readonly width: number; readonly left: number },
): Plot.PlotOptions {
  const height = lines.length * LINE_HEIGHT + 12;
  return {
    width,
    height,
    margin: 0,
    x: { domain: [0, width], range: [0, width], axis: null },
    y: { domain: [0, height], range: [0, height], axis: null },
    marks: [
      Plot.text(lines, {
        x: left,
        y: (_: string, index: number) => (index + 0.5) * LINE_HEIGHT,
        textAnchor: 'start',
        fontSize: 12,
        fill: INK,
      }),
    ],
  };
}
