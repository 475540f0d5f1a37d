/** The files that a run's model names, `assets/*`, with the names that the model calls them by. */
import * as z from 'zod';
import { ASSET_FILE, ASSET_INDEX, ASSETS, MOST_ASSETS } from '../training/model-assets.js';
import { readInside } from './inside.js';
import type { ModelAsset } from './shared/wire.js';

/** Longest list, and most files in it. */
const MOST_INDEX = 1 << 20;
const MOST_FILES = 1000;

const indexSchema = z.object({
  format: z.literal(1),
  assets: z
    .array(z.object({ name: z.string().min(1).max(1000), file: z.string().regex(ASSET_FILE) }))
    .max(MOST_FILES),
});

/** What a run's model needs beside itself; empty where it needs nothing, or nothing of it can be read. */
export async function listAssets(dir: string): Promise<ModelAsset[]> {
  try {
    const bytes = await readInside(dir, `${ASSETS}/${ASSET_INDEX}`, MOST_INDEX);
    return indexSchema.parse(JSON.parse(bytes?.toString('utf8') ?? '')).assets;
  } catch {
    return [];
  }
}

/** A file of the list; undefined where there is none. */
export async function readAsset(dir: string, file: string): Promise<Buffer | undefined> {
  return ASSET_FILE.test(file) ? readInside(dir, `${ASSETS}/${file}`, MOST_ASSETS) : undefined;
}
