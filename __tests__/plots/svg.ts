/** What the tests of pictures read in an SVG. */

/** @throws Error unless every element is closed in its turn and every attribute is quoted. */
export function expectWellFormed(svg: string): void {
  const open: string[] = [];
  const rest = svg.replace(
    /<(\/?)([a-z][\w:-]*)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>/gi,
    (_, closing: string, name: string, _attributes: string, empty: string) => {
      if (closing !== '') {
        const last = open.pop();
        if (last !== name) throw new Error(`</${name}> closes <${last}>`);
      } else if (empty === '') open.push(name);
      return '';
    },
  );
  if (open.length > 0) throw new Error(`not closed: ${open.join(', ')}`);
  const stray = /[<>]|&(?!#?\w+;)/.exec(rest);
  if (stray !== null) throw new Error(`stray ${rest.slice(stray.index, stray.index + 40)}`);
}

/** Texts of an SVG, in their order. */
export const textsOf = (svg: string): string[] =>
  [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text ?? '');

/** A drawn line. */
export interface DrawnLine {
  title: string;
  x: number[];
  y: number[];
}

/** The lines with a title, in their order, by the coordinates of their points. */
export function linesOf(svg: string): DrawnLine[] {
  return [...svg.matchAll(/<path([^>]*)><title>([^<]*)<\/title>/g)].map(([, attributes, title]) => {
    const path = /\bd="M([^"]*)"/.exec(attributes ?? '')?.[1] ?? '';
    const points = path.split('L').map((point) => point.split(',').map(Number));
    return {
      title: title ?? '',
      x: points.map(([x]) => x ?? Number.NaN),
      y: points.map(([, y]) => y ?? Number.NaN),
    };
  });
}

/** A drawn dot; its place is that before a shift of all dots of its kind. */
export interface DrawnDot {
  title: string;
  x: number;
  y: number;
}

/** The dots with a title, in their order: circles, and other signs, which are paths at a place. */
export const dotsOf = (svg: string): DrawnDot[] =>
  [...svg.matchAll(/<(circle|path)([^>]*)><title>([^<]*)<\/title>/g)].flatMap(
    ([, kind, attributes = '', title = '']) => {
      const number = (pattern: RegExp) => Number(pattern.exec(attributes)?.[1] ?? Number.NaN);
      const [x, y] =
        kind === 'circle'
          ? [number(/\bcx="([^"]*)"/), number(/\bcy="([^"]*)"/)]
          : [number(/translate\(([^,]*),/), number(/translate\([^,]*,([^)]*)\)/)];
      return Number.isNaN(y) ? [] : [{ title, x, y }];
    },
  );

/** Pixels that rounding to a tenth, in both of two ends of a scale and in the point, can add up to. */
export const PIXELS = 0.15;

/** The greatest distance, in pixels, of coordinates from a straight line over `values`: 0 if they show these and no others. */
export function misplacement(coordinates: readonly number[], values: readonly number[]): number {
  const low = values.indexOf(Math.min(...values));
  const high = values.indexOf(Math.max(...values));
  const [from = Number.NaN, to = Number.NaN] = [coordinates[low], coordinates[high]];
  const range = (values[high] ?? 0) - (values[low] ?? 0);
  return Math.max(
    ...values.map((value, index) => {
      const share = range === 0 ? 0 : (value - (values[low] ?? 0)) / range;
      return Math.abs((coordinates[index] ?? Number.NaN) - (from + share * (to - from)));
    }),
  );
}
