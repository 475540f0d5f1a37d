/**
 * SVG to PNG, the same picture on every machine: with the font that comes with the package, never one of the system's, since
 * resvg leaves text out without a word where it finds none.
 */

import { createRequire } from 'node:module';
import { VirelError } from '../errors.js';

/** Pixels of a PNG for one of its SVG: sharp on dense screens. */
export const PNG_SCALE = 2;

/** Arimo has the widths of Arial, with Greek and the signs of mathematics. */
const FONT_FAMILY = 'Arimo';
const FONT_FILES = ['400Regular/Arimo_400Regular.ttf', '700Bold/Arimo_700Bold.ttf'];

/**
 * Renders an SVG of `drawFigure` as PNG, {@link PNG_SCALE} times as wide and as high.
 *
 * @throws VirelError `PLATFORM_UNSUPPORTED` where the renderer has no binary.
 */
export async function renderPng(svg: string): Promise<Buffer> {
  const { resolve } = createRequire(import.meta.url);
  const { Resvg } = await loadRenderer();
  const picture = new Resvg(svg, {
    fitTo: { mode: 'zoom', value: PNG_SCALE },
    font: {
      loadSystemFonts: false,
      fontFiles: FONT_FILES.map((file) => resolve(`@expo-google-fonts/arimo/${file}`)),
      defaultFontFamily: FONT_FAMILY,
      sansSerifFamily: FONT_FAMILY,
    },
  });
  return picture.render().asPng();
}

/** Loaded when a PNG is made: it is native, and may be absent. */
async function loadRenderer(): Promise<typeof import('@resvg/resvg-js')> {
  try {
    return await import('@resvg/resvg-js');
  } catch (cause) {
    const platform = `${process.platform}-${process.arch}`;
    const message = `PNG: @resvg/resvg-js cannot be loaded on ${platform}`;
    const fix = 'use the SVG beside it, or convert that with another program';
    throw new VirelError('PLATFORM_UNSUPPORTED', message, { got: platform, fix, cause });
  }
}
