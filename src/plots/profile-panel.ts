/** The panel of performance profiles: a falling line for every group, higher is better. */
import * as Plot from '@observablehq/plot';
import type { GroupProfile, Profile } from '../comparison/profile.js';
import { chart, curve, HELPING } from './chart.js';
import { placeLabels, textWidth } from './side-labels.js';

/** In pixels. */
const SIZE = { height: 330, top: 62, bottom: 56, inset: 8, gap: 12 } as const;

/** Draws profiles over the normalised score. */
export function profilePanel(
  { thresholds, groups }: Profile,
  colours: ReadonlyMap<string, string>,
  { width, left, title }: { readonly width: number; readonly left: number; readonly title: string },
): Plot.PlotOptions {
  const colourOf = ({ name }: GroupProfile) => colours.get(name) as string;
  const points = (group: GroupProfile) =>
    thresholds.map((x, index) => {
      const [low, high] = group.band?.[index] ?? [null, null];
      return { x, y: group.shares[index] as number, low, high };
    });
  const bands = groups.filter(({ band }) => band !== null);
  const keys = keysOf(groups, colourOf);
  const right = Math.max(...groups.map(({ name }) => textWidth(name)));
  return chart({
    title,
    upwards: 'share of all runs that score above; higher is better',
    width,
    height: SIZE.height,
    marginLeft: left,
    marginRight: right + SIZE.gap + 8,
    x: { label: 'normalised score', ticks: 8 },
    y: { domain: [0, 1], ticks: 5, tickFormat: '.0%' },
    marks: [
      Plot.ruleX([1], HELPING),
      ...bands.map((group) =>
        Plot.areaY(points(group), {
          x: 'x',
          y1: 'low',
          y2: 'high',
          fill: colourOf(group),
          fillOpacity: 0.15,
          curve: 'step-after',
        }),
      ),
      ...groups.map((group) =>
        curve({ name: group.name, points: points(group) }, colourOf(group), {
          curve: 'step-after',
        }),
      ),
      ...keys,
    ],
  });
}

/** Names behind the frame, at the height of the middle of their lines: at their ends all of them are at the bottom. */
function keysOf(
  groups: readonly GroupProfile[],
  colourOf: (group: GroupProfile) => string,
): Plot.Markish[] {
  const [top, bottom] = [SIZE.top + SIZE.inset, SIZE.height - SIZE.bottom - SIZE.inset];
  const labels = groups.map((group) => {
    const mean = group.shares.reduce((sum, share) => sum + share, 0) / group.shares.length;
    return { text: group.name, colour: colourOf(group), at: bottom - mean * (bottom - top) };
  });
  return placeLabels(labels, SIZE.top, SIZE.height - SIZE.bottom).map(({ text, colour, y }) =>
    Plot.text([text], {
      frameAnchor: 'top-right',
      textAnchor: 'start',
      lineAnchor: 'middle',
      dx: SIZE.gap,
      dy: y - SIZE.top,
      fill: colour,
      fontWeight: 'bold',
    }),
  );
}
