/**
 * Draws a record of peers: a bar for every contestant, as long as its share of our speed.
 *
 *     npm run build && node benchmarks/peers/chart.mjs RECORD/peers.json OUT.svg [NAME...]
 *
 * With names, of the matchups that begin with one of them alone.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import * as Plot from '@observablehq/plot';
import { chart } from '../../dist/plots/chart.js';
import { FAINT, INK, OKABE_ITO } from '../../dist/plots/colours.js';
import { drawFigure } from '../../dist/plots/figure.js';
import { OURS } from './matchups.mjs';
import { rate, standings } from './report.mjs';

/** Height of a bar with its gap, and of what a panel has above and below its bars, in pixels. */
const BAR = 26;
const ABOVE = 40;
const BELOW = 10;

/** Bars of one matchup; ours has the length 1. */
function panel(matchup, first) {
  const lines = standings(matchup);
  const ours = lines.find(({ name }) => name === OURS);
  const bars = lines.map((line) => ({
    ...line,
    share: line.median / ours.median,
    text:
      line.ratio === undefined
        ? `${rate(line.median)} ${matchup.unit}`
        : `${rate(line.median)}, ours is ${line.ratio.toFixed(2)} times as fast`,
  }));
  const longest = Math.max(...bars.map(({ share }) => share));
  const marginTop = ABOVE + (first ? 24 : 0);
  return {
    ...chart({
      width: 760,
      height: marginTop + bars.length * BAR + BELOW,
      marginTop,
      marginBottom: BELOW,
      marginLeft: 140,
      marginRight: 24,
      inset: 0,
      // room for the text behind the longest bar
      x: { domain: [0, 1.4 * longest], axis: null, grid: false },
      y: { domain: bars.map(({ name }) => name), type: 'band', padding: 0.25, grid: false },
      marks: [],
    }),
    marks: [
      ...(first
        ? [
            Plot.text(['Speed beside what people would use instead, same work, same cores'], {
              frameAnchor: 'top-left',
              lineAnchor: 'bottom',
              dx: -130,
              dy: -32,
              fontWeight: 'bold',
            }),
          ]
        : []),
      Plot.text([matchup.title], {
        frameAnchor: 'top-left',
        lineAnchor: 'bottom',
        dx: -130,
        dy: -6,
      }),
      Plot.ruleX([0], { stroke: FAINT }),
      Plot.barX(bars, {
        x: 'share',
        y: 'name',
        fill: ({ name }) => (name === OURS ? OKABE_ITO.blue : OKABE_ITO.sky),
      }),
      Plot.text(bars, {
        x: 'share',
        y: 'name',
        text: 'text',
        textAnchor: 'start',
        dx: 6,
        fill: INK,
      }),
    ],
  };
}

/** A record as SVG. */
export function drawPeers({ matchups }) {
  const description = matchups
    .map(
      (matchup) =>
        `${matchup.title}: ${standings(matchup)
          .map(({ name, median }) => `${name} ${rate(median)} ${matchup.unit}`)
          .join(', ')}`,
    )
    .join('; ');
  return drawFigure({
    description,
    plots: matchups.map((matchup, index) => panel(matchup, index === 0)),
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [record, out, ...names] = process.argv.slice(2);
  if (out === undefined) throw new Error('usage: chart.mjs RECORD/peers.json OUT.svg [NAME...]');
  const { matchups } = JSON.parse(readFileSync(record, 'utf8'));
  const isAsked = ({ name }) =>
    names.length === 0 || names.some((beginning) => name.startsWith(beginning));
  writeFileSync(out, drawPeers({ matchups: matchups.filter(isAsked) }));
}
