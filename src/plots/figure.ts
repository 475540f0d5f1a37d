/**
 * The one place where a picture is made: Observable Plot on a document without a browser, to an SVG that stands alone.
 *
 * Every picture has a white ground, {@link FONT_FAMILY} and coordinates to a tenth of a pixel, so that the same data give the
 * same bytes and a committed picture has a small diff.
 */

import * as Plot from '@observablehq/plot';
import { DOMParser } from 'linkedom';
import { INK, PAPER } from './colours.js';

/**
 * Fonts of one width: Arial of Windows and macOS, Liberation Sans of Linux, and Arimo, which PNGs are made with; letters
 * take the same room everywhere, so that nothing overlaps on another machine.
 */
export const FONT_FAMILY = "Arial, Arimo, 'Liberation Sans', Helvetica, sans-serif";
/** Size of text in pixels, unless a mark has its own. */
export const FONT_SIZE = 13;

/** A picture: plots below one another. */
export interface Figure {
  /** What it shows, for those who cannot see it. */
  description: string;
  /** From top to bottom; each with its own width, height and scales. */
  plots: readonly Plot.PlotOptions[];
}

/** The part of an SVG element that is read or changed here. */
interface Drawn {
  readonly tagName: string;
  readonly children: Iterable<Drawn>;
  readonly outerHTML: string;
  getAttribute(name: string): string | null;
  setAttribute(name: string, value: string): void;
  append(...children: Drawn[]): void;
  querySelectorAll(selector: string): Iterable<Drawn>;
}

/** The part of a document that Plot and this file draw with. */
interface Paper {
  createElementNS(namespace: string, name: string): Drawn;
}

const SVG = 'http://www.w3.org/2000/svg';

/**
 * Draws a figure.
 *
 * @returns An SVG document, as wide as its widest plot and as high as all of them.
 */
export function drawFigure({ description, plots }: Figure): string {
  const document = emptyDocument();
  const drawn = plots.map((options): Drawn => Plot.plot({ ...options, document }));
  const sizes = drawn.map(sizeOf);
  const width = Math.max(...sizes.map((size) => size.width));
  const height = sizes.reduce((sum, size) => sum + size.height, 0);

  const figure = element(document, 'svg', {
    xmlns: SVG,
    width,
    height,
    viewBox: `0 0 ${width} ${height}`,
    role: 'img',
    'aria-label': description,
    'font-family': FONT_FAMILY,
    'font-size': FONT_SIZE,
    'text-anchor': 'middle',
    fill: 'currentColor',
    color: INK,
  });
  figure.append(element(document, 'rect', { width, height, fill: PAPER }));
  let top = 0;
  drawn.forEach((plot, index) => {
    figure.append(placed(document, plot, top));
    top += sizes[index]?.height ?? 0;
  });
  roundCoordinates(figure);
  return `${figure.outerHTML}\n`;
}

/** XML, not HTML, so that attributes are escaped as an SVG file needs it. */
function emptyDocument(): Paper {
  const document = new DOMParser().parseFromString(`<svg xmlns="${SVG}"/>`, 'image/svg+xml');
  // its types demand an optional argument of createElementNS
  return document as unknown as Paper;
}

/** A plot as a group at a height: an inner `svg` would have to carry Plot's style sheet, which few renderers read. */
function placed(document: Paper, plot: Drawn, top: number): Drawn {
  const group = element(document, 'g', { transform: `translate(0,${top})` });
  group.append(...[...plot.children].filter(({ tagName }) => tagName !== 'style'));
  return group;
}

function element(
  document: Paper,
  name: string,
  attributes: Readonly<Record<string, string | number>>,
): Drawn {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  return made;
}

const sizeOf = (plot: Drawn) => ({
  width: Number(plot.getAttribute('width')),
  height: Number(plot.getAttribute('height')),
});

/** Attributes that hold pixels; dx and dy hold parts of a letter's height. */
const COORDINATES = [
  'd',
  'transform',
  'x',
  'y',
  'x1',
  'x2',
  'y1',
  'y2',
  'cx',
  'cy',
  'width',
  'height',
];

/** Coordinates to a tenth of a pixel, which no eye and no screen can tell from more. */
function roundCoordinates(figure: Drawn): void {
  for (const part of figure.querySelectorAll('*')) {
    for (const name of COORDINATES) {
      const value = part.getAttribute(name);
      if (value === null || value.endsWith('em')) continue;
      part.setAttribute(
        name,
        value.replace(/-?\d+\.\d+/g, (digits) => `${+(+digits).toFixed(1)}`),
      );
    }
  }
}
