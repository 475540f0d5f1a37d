/**
 * The demos of EM on named MDPs, drawn and written.
 *
 * The libraries that draw are loaded when a picture is asked for: they take most of a second, which nothing else should wait for.
 */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type DemoResult, runDemo } from '../theory/demos.js';
import { fileError, makeFolders } from '../training/files.js';

/** A picture with a name. */
export interface Picture {
  /** Its file name without an ending: that of the demo, or that and `-sweep`. */
  name: string;
  /** The picture, as text. */
  svg: string;
}

/** A demo that was run and drawn. */
export interface DrawnDemo {
  /** The numbers in the pictures. */
  result: DemoResult;
  /** EM over iterations; of the counter-example also its choice over temperatures. */
  pictures: Picture[];
}

/**
 * Runs and draws a demo: `three-by-two`, `chain`, `gridworld` or `merl-counterexample`.
 *
 * @throws VirelError `DEMO_UNKNOWN`, with the names there are.
 */
export async function drawDemo(name: string): Promise<DrawnDemo> {
  const result = runDemo(name);
  const { drawEmFigure } = await import('./em-figure.js');
  const pictures = [{ name, svg: drawEmFigure(result) }];
  if (result.sweep !== null) {
    const { drawTrapFigure } = await import('./trap-figure.js');
    pictures.push({ name: `${name}-sweep`, svg: drawTrapFigure(result.sweep) });
  }
  return { result, pictures };
}

/**
 * Runs and draws a demo into a folder, which is made: `NAME.json` with the traces, and every picture as SVG and as PNG.
 *
 * @returns The paths of the files, the numbers first.
 * @throws VirelError `DEMO_UNKNOWN`; `PLATFORM_UNSUPPORTED` where no PNG can be made, after the other files were written;
 *   `PERMISSION`, `DISK_FULL`, `QUOTA` or `IO` where the system refuses a file.
 */
export async function writeDemo(name: string, directory: string): Promise<string[]> {
  const { result, pictures } = await drawDemo(name);
  const written: string[] = [];
  const write = (file: string, content: string | Buffer) =>
    written.push(writeInto(directory, file, content));

  write(`${name}.json`, jsonOf(result));
  for (const picture of pictures) write(`${picture.name}.svg`, picture.svg);
  const { renderPng } = await import('./png.js');
  for (const picture of pictures) write(`${picture.name}.png`, await renderPng(picture.svg));
  return written;
}

function writeInto(directory: string, file: string, content: string | Buffer): string {
  const path = join(directory, file);
  try {
    makeFolders(directory);
    writeFileSync(path, content);
  } catch (error) {
    throw fileError(error, path, 'name a folder that can be written to');
  }
  return path;
}

/** JSON in one line, tables as lists. */
function jsonOf(result: DemoResult): string {
  const plain = (_: string, value: unknown) =>
    ArrayBuffer.isView(value) ? Array.from(value as Float64Array) : value;
  return `${JSON.stringify(result, plain)}\n`;
}
