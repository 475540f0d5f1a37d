/** Whether a policy on disk is the one that was written: its files against the manifest of their checkpoint. */
import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { isVirelError } from '../errors.js';
import { type Flaw, verifyFiles } from './checkpoint-manifest.js';
import { fileError } from './files.js';

/** The files of a checkpoint that a policy is read from. */
export const MODEL_FILES = ['config.json', 'model.safetensors', 'train_config.json'].map(
  (name) => `pretrained_model/${name}`,
);

/**
 * Checks the files that a policy is read from; what only a resume needs may be damaged.
 *
 * @param folder Of a checkpoint. One of before there were manifests has nothing to be held against.
 * @returns What is wrong; undefined if nothing is.
 * @throws VirelError `PERMISSION`, `IO`.
 */
export async function policyFlaw(folder: string): Promise<Flaw | undefined> {
  try {
    const found = lstatSync(folder, { throwIfNoEntry: false });
    if (!found?.isDirectory()) return { reason: `${folder} is no folder` };
    const unfit = MODEL_FILES.map((name) => join(folder, name)).find((path) => !isPlain(path));
    if (unfit !== undefined) return { reason: `${unfit} is missing or no plain file` };
    return await verifyFiles(folder, MODEL_FILES);
  } catch (error) {
    throw isVirelError(error) ? error : fileError(error, folder, 'read it as a user who may');
  }
}

const isPlain = (path: string) => lstatSync(path, { throwIfNoEntry: false })?.isFile() === true;
