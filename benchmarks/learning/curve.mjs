/**
 * Draws learning curves: evaluation return over environment steps, one line a run, labelled by its seed.
 *
 *     node benchmarks/learning/curve.mjs OUT.svg RUN...
 *
 * Raw evaluations, no smoothing. All runs are of one task and algorithm, which the axis names.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { loadEvaluations } from './evaluations.mjs';

const [out, ...directories] = process.argv.slice(2);
if (directories.length === 0) throw new Error('usage: curve.mjs OUT.svg RUN...');

/** Colours that stay apart for every kind of colour vision (Okabe and Ito). */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#56b4e9', '#e69f00', '#000000'];

const runs = directories.map((directory) => {
  const { env, algorithm, seed } = JSON.parse(
    readFileSync(join(directory, 'summary.json'), 'utf8'),
  );
  const points = loadEvaluations(directory).map(({ step, return_mean }) => ({
    step,
    return_mean,
    seed,
  }));
  return { env, algorithm, seed, points };
});
const points = runs.flatMap((run) => run.points);
const seeds = runs.map(({ seed }) => seed);
const { document } = parseHTML('<!doctype html><html><body></body></html>');

const figure = Plot.plot({
  document,
  width: 720,
  height: 360,
  marginLeft: 60,
  marginTop: 36,
  marginBottom: 48,
  marginRight: 60,
  style: { fontFamily: 'sans-serif', fontSize: '13px', background: 'white', color: '#222' },
  x: {
    label: 'environment steps',
    labelAnchor: 'center',
    tickFormat: (step) => step.toLocaleString('en'),
    ticks: 6,
  },
  y: {
    label: `${runs[0].algorithm} on ${runs[0].env}: return of the deterministic policy`,
    grid: true,
  },
  color: { type: 'categorical', domain: seeds, range: COLOURS },
  marks: [
    Plot.ruleY([0], { stroke: '#999' }),
    Plot.lineY(points, { x: 'step', y: 'return_mean', stroke: 'seed', strokeWidth: 1.6 }),
    Plot.text(
      points,
      Plot.selectLast({
        x: 'step',
        y: 'return_mean',
        z: 'seed',
        fill: 'seed',
        text: ({ seed }) => `seed ${seed}`,
        textAnchor: 'start',
        dx: 6,
      }),
    ),
  ],
});
figure.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
figure.setAttribute('role', 'img');
figure.setAttribute(
  'aria-label',
  `${runs[0].algorithm} on ${runs[0].env}: return over environment steps`,
);
writeFileSync(out, `${figure.outerHTML}\n`);
console.log(`${out}: ${runs.length} runs, ${points.length} evaluations`);
