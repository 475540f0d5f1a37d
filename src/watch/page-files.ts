/** The files of the page, built from `page/` by scripts/build-page.mjs. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { VirelError } from '../errors.js';
import { packageRoot } from '../setup/places.js';

/** A file of the page as it is served. */
export interface PageFile {
  readonly type: string;
  readonly bytes: Buffer;
}

const FOLDER = join(packageRoot, 'dist', 'watch-page');

/** Every file, with its type. */
export const PAGE_FILES = {
  'index.html': 'text/html; charset=utf-8',
  'page.js': 'text/javascript; charset=utf-8',
  'page.css': 'text/css; charset=utf-8',
  'icon.svg': 'image/svg+xml',
  'mujoco.wasm': 'application/wasm',
  'licences.txt': 'text/plain; charset=utf-8',
} as const;

/** Name of one of them. */
export type PageFileName = keyof typeof PAGE_FILES;

/** Reads a file of the page. @throws VirelError `PAGE_MISSING` where it was not built. */
export function readPageFile(name: PageFileName, folder = FOLDER): PageFile {
  try {
    return { type: PAGE_FILES[name], bytes: readFileSync(join(folder, name)) };
  } catch (cause) {
    throw new VirelError('PAGE_MISSING', 'the page of watch is not built', {
      where: join(folder, name),
      expected: 'what `npm install` builds in a clone, and an installed package holds',
      fix: 'npm install --include=dev && npm run build',
      cause,
    });
  }
}
