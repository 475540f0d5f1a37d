/** SVGs that stand alone, and PNGs that are the same on every machine. */

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, expect, it } from '@jest/globals';
import * as Plot from '@observablehq/plot';
import { drawDemo } from '../../src/plots/demo.js';
import { drawFigure } from '../../src/plots/figure.js';
import { PNG_SCALE, renderPng } from '../../src/plots/png.js';
import { TOUR } from '../../src/plots/tour.js';
import { DEMOS } from '../../src/theory/index.js';
import { expectWellFormed, linesOf, textsOf } from './svg.js';

const line = (height: number): Plot.PlotOptions => ({
  width: 300,
  height,
  x: { label: 'steps' },
  y: { label: 'return' },
  marks: [Plot.lineY([1 / 3, 2 / 3, 1 / 7], { title: () => 'thirds' })],
});
const draw = () => drawFigure({ description: 'a "line" & <more>', plots: [line(200), line(100)] });

describe('a figure', () => {
  it('is a well-formed SVG on white, with a name, a font and a size of its own', () => {
    const svg = draw();
    expectWellFormed(svg);
    expect(svg).toMatch(/^<svg [^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
    expect(svg).toMatch(/^<svg [^>]*aria-label="a &quot;line&quot; &amp; &lt;more&gt;"/);
    expect(svg).toMatch(/^<svg [^>]*font-family="[^"]*Arial/);
    expect(svg).toMatch(/^<svg [^>]*viewBox="0 0 300 300"/);
    expect(svg).toMatch(/<rect [^>]*fill="white"/);
    expect(svg).not.toContain('<style');
  });

  it('has its plots below one another, each with its axes', () => {
    const svg = draw();
    expect(svg).toContain('<g transform="translate(0,200)">');
    expect(textsOf(svg).filter((text) => text.includes('return'))).toHaveLength(2);
    expect(linesOf(svg).map(({ title }) => title)).toEqual(['thirds', 'thirds']);
  });

  it('has coordinates to a tenth of a pixel, and the same bytes every time', () => {
    expect(draw()).not.toMatch(/[\d]\.\d{2,}(?!\d*em)/);
    expect(draw()).toBe(draw());
  });
});

describe('a PNG', () => {
  it(`is ${PNG_SCALE} times as wide and high`, async () => {
    const png = await renderPng(draw());
    expect([...png.subarray(0, 8)]).toEqual([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
    expect(png.subarray(12, 16).toString('latin1')).toBe('IHDR');
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([600, 600]);
  });

  it('has its text with no font of the system', async () => {
    const page = (text: string) =>
      renderPng(
        `<svg xmlns="http://www.w3.org/2000/svg" width="80" height="30" font-family="sans-serif">${text}</svg>`,
      );
    const empty = await page('');
    for (const letter of ['a', 'ε']) {
      expect((await page(`<text x="5" y="20">${letter}</text>`)).equals(empty)).toBe(false);
    }
  });

  it('lacks no letter of any picture', async () => {
    const { resolve } = createRequire(import.meta.url);
    const demos = await Promise.all(DEMOS.map(async ({ name }) => (await drawDemo(name)).pictures));
    const svgs = [...demos.flat().map(({ svg }) => svg), ...TOUR.map(({ draw }) => draw())];
    const drawn = new Set(svgs.flatMap((svg) => [...textsOf(svg).join('')]));
    expect(drawn).toContain('ε');
    for (const weight of ['400Regular/Arimo_400Regular', '700Bold/Arimo_700Bold']) {
      const has = lettersOf(readFileSync(resolve(`@expo-google-fonts/arimo/${weight}.ttf`)));
      expect([...drawn].filter((letter) => !has(letter))).toEqual([]);
      // the sign of proportion, which Arimo does not have
      expect(has('∝')).toBe(false);
    }
  });
});

/** Whether a TrueType font has a letter, by the ranges of its table `cmap`, format 4. */
function lettersOf(font: Buffer): (letter: string) => boolean {
  const tables = Array.from({ length: font.readUInt16BE(4) }, (_, index) => 12 + 16 * index);
  const entry = tables.find((at) => font.toString('latin1', at, at + 4) === 'cmap') ?? 0;
  const map = font.readUInt32BE(entry + 8);
  const encodings = Array.from(
    { length: font.readUInt16BE(map + 2) },
    (_, index) => map + font.readUInt32BE(map + 4 + 8 * index + 4),
  );
  const table = encodings.find((at) => font.readUInt16BE(at) === 4) ?? 0;
  const doubled = font.readUInt16BE(table + 6);
  const ranges = Array.from({ length: doubled / 2 }, (_, index) => ({
    last: font.readUInt16BE(table + 14 + 2 * index),
    first: font.readUInt16BE(table + 16 + doubled + 2 * index),
  }));
  return (letter) => {
    const code = letter.codePointAt(0) ?? 0;
    return ranges.some(({ first, last }) => first <= code && code <= last);
  };
}
