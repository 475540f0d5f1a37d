/** The picture of the counter-example over temperatures. */

import { describe, expect, it } from '@jest/globals';
import { drawTrapFigure } from '../../src/plots/trap-figure.js';
import { sweepTrap } from '../../src/theory/index.js';
import { expectWellFormed, linesOf, misplacement, PIXELS, textsOf } from './svg.js';

const sweep = sweepTrap();
const svg = drawTrapFigure(sweep);

describe('picture of the counter-example', () => {
  it('is a well-formed SVG with its labels', () => {
    expectWellFormed(svg);
    const texts = textsOf(svg).join('\n');
    for (const label of ['temperature', 'probability of the good way', 'VIREL', 'maximum-entropy'])
      expect(texts).toContain(label);
    expect(texts).toContain('c* = (1 − ρ)/log k = 0.0334');
    expect(texts).toContain('complete EM, at ε = 0: 1');
  });

  it.each(['maximumEntropy', 'virel'] as const)('has %s where its numbers are', (key) => {
    const lines = linesOf(svg).filter(({ title }) => title === key);
    expect(lines).toHaveLength(1);
    const { x = [], y = [] } = lines[0] ?? {};
    const temperatures = sweep.points.map(({ temperature }) => Math.log(temperature));
    expect(misplacement(x, temperatures)).toBeLessThanOrEqual(PIXELS);
    const chances = sweep.points.map((point) => -point[key]);
    expect(misplacement(y, chances)).toBeLessThanOrEqual(PIXELS);
  });

  it('has its rule where maximum-entropy RL has no preference', () => {
    const { x = [] } = linesOf(svg).find(({ title }) => title === 'maximumEntropy') ?? {};
    const critical = sweep.points.findIndex(({ temperature }) => temperature === sweep.critical);
    const rules = [...svg.matchAll(/<line [^>]*\bx1="([\d.]+)"/g)].map(([, at]) => Number(at));
    expect(rules).toContain(x[critical]);
  });
});
