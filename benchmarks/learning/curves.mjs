/** Learning curves: evaluation return over environment steps, one thin line a seed, one thick line an algorithm's mean. */
import * as Plot from '@observablehq/plot';
import { SERIES } from '../../dist/plots/colours.js';
import { drawFigure } from '../../dist/plots/figure.js';

/** Steps at which every run of an algorithm was evaluated, with the mean over them. */
function means(curves) {
  const algorithms = [...new Set(curves.map(({ algorithm }) => algorithm))];
  return algorithms.flatMap((algorithm) => {
    const own = curves.filter((curve) => curve.algorithm === algorithm);
    const byStep = new Map();
    for (const { evaluations } of own) {
      for (const { step, return_mean: value } of evaluations) {
        byStep.set(step, [...(byStep.get(step) ?? []), value]);
      }
    }
    return [...byStep]
      .filter(([, list]) => list.length === own.length)
      .map(([step, list]) => ({
        algorithm,
        seeds: own.length,
        step,
        value: list.reduce((sum, each) => sum + each, 0) / list.length,
      }));
  });
}

/**
 * The picture of one task as SVG.
 *
 * @param {string} env Task id.
 * @param {{algorithm: string, seed: number, evaluations: {step: number, return_mean: number}[]}[]} curves Raw evaluations.
 */
export function drawCurves(env, curves) {
  const points = curves.flatMap(({ algorithm, seed, evaluations }) =>
    evaluations.map(({ step, return_mean: value }) => ({
      algorithm,
      run: `${algorithm} ${seed}`,
      step,
      value,
    })),
  );
  const averages = means(curves);
  const algorithms = [...new Set(curves.map(({ algorithm }) => algorithm))];
  const plot = {
    width: 720,
    height: 380,
    marginLeft: 60,
    marginTop: 36,
    marginBottom: 48,
    marginRight: 110,
    x: {
      label: 'environment steps',
      labelAnchor: 'center',
      tickFormat: (step) => step.toLocaleString('en'),
      ticks: 6,
    },
    y: { label: `${env}: return of the deterministic policy, every seed and the mean`, grid: true },
    color: { type: 'categorical', domain: algorithms, range: SERIES },
    marks: [
      Plot.ruleY([0], { stroke: '#999' }),
      Plot.lineY(points, {
        x: 'step',
        y: 'value',
        z: 'run',
        stroke: 'algorithm',
        strokeWidth: 0.8,
        strokeOpacity: 0.5,
      }),
      Plot.lineY(averages, { x: 'step', y: 'value', stroke: 'algorithm', strokeWidth: 2.2 }),
      Plot.text(
        averages,
        Plot.selectLast({
          x: 'step',
          y: 'value',
          z: 'algorithm',
          fill: 'algorithm',
          text: ({ algorithm, seeds }) => `${algorithm} (n=${seeds})`,
          textAnchor: 'start',
          dx: 6,
        }),
      ),
    ],
  };
  const description = `${env}: return over environment steps of ${algorithms.join(', ')}`;
  return drawFigure({ description, plots: [plot] });
}
