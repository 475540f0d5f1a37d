/** The picture of EM shows the traces, each of them, and nothing else. */

import { describe, expect, it } from '@jest/globals';
import { drawEmFigure } from '../../src/plots/em-figure.js';
import { DEMOS, type EmRecord } from '../../src/theory/index.js';
import { expectWellFormed, linesOf, misplacement, PIXELS, textsOf } from './svg.js';

/** What is proportional to a line's height, in the order of the rows. */
const ROWS: readonly ((record: EmRecord) => number)[] = [
  ({ residualError }) => -Math.log(Math.max(residualError, 1e-12)),
  ({ residualError, evidenceLowerBound: bound }) =>
    -Math.log1p(bound === null || residualError < 1e-12 ? 1e12 : bound),
  ({ policyEntropy }) => -policyEntropy,
  ({ value }) => -value,
];

describe.each(DEMOS.map((demo) => [demo.name, demo] as const))('picture of %s', (name, demo) => {
  const result = demo.run();
  const svg = drawEmFigure(result);
  const lines = linesOf(svg);

  it('is a well-formed SVG with its labels', () => {
    expectWellFormed(svg);
    const texts = textsOf(svg).join('\n');
    for (const label of [name, 'residual error', 'evidence lower bound', 'policy entropy'])
      expect(texts).toContain(label);
    for (const label of ['value of the policy', 'iteration', '∞', '10⁻⁹'])
      expect(texts).toContain(label);
    for (const { schedule, options } of result.traces) {
      expect(texts).toContain(schedule);
      expect(texts).toContain(options.target);
    }
  });

  it('is no larger than a page should load', () => {
    expect(svg.length).toBeLessThan(150_000);
  });

  it('has one line for every trace in every row', () => {
    const names = result.traces.map(({ schedule, options }) => `${schedule}: ${options.target}`);
    const drawn = lines.map(({ title }) => title);
    expect(drawn.sort()).toEqual(ROWS.flatMap(() => names).sort());
  });

  it('has every iteration where its numbers are, without smoothing', () => {
    for (const { schedule, options, trace } of result.traces) {
      const own = lines.filter(({ title }) => title === `${schedule}: ${options.target}`);
      ROWS.forEach((heightOf, row) => {
        const { x = [], y = [] } = own[row] ?? {};
        expect(x).toHaveLength(trace.records.length);
        const iterations = trace.records.map(({ iteration }) => Math.log1p(iteration));
        expect(misplacement(x, iterations)).toBeLessThanOrEqual(PIXELS);
        expect(misplacement(y, trace.records.map(heightOf))).toBeLessThanOrEqual(PIXELS);
      });
    }
  });
});
