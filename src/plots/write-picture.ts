/** A picture to a file, in the form that its name asks for. */
import { writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { VirelError } from '../errors.js';
import { fileError, makeFolders } from '../training/files.js';

/** Refuses a name that ends in neither `.svg` nor `.png`. @throws VirelError `CLI_USAGE`. */
export function requirePictureName(path: string): void {
  if (/.\.(svg|png)$/i.test(path)) return;
  throw new VirelError('CLI_USAGE', `out: ${path || '""'} names no picture`, {
    where: 'out',
    expected: 'a file that ends in .svg or .png',
    got: path,
    fix: '--out curves.svg',
  });
}

/**
 * Writes an SVG, or renders it as PNG where `path` ends so; its folder is made.
 *
 * @throws VirelError `CLI_USAGE`; `PLATFORM_UNSUPPORTED` where no PNG can be made; `PERMISSION`, `DISK_FULL`, `QUOTA`, `IO`.
 */
export async function writePicture(path: string, svg: string): Promise<void> {
  requirePictureName(path);
  const png = /png$/i.test(path);
  const { renderPng } = await import('./png.js');
  writeInto(path, png ? await renderPng(svg) : svg);
}

/** Writes a file whose folder is made. @throws VirelError `PERMISSION`, `DISK_FULL`, `QUOTA`, `IO`. */
export function writeInto(path: string, content: string | Buffer): void {
  try {
    makeFolders(dirname(resolve(path)));
    writeFileSync(path, content);
  } catch (error) {
    throw fileError(error, path, 'name a file in a folder that can be written to');
  }
}
