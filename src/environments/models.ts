import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { VirelError } from '../errors.js';

/** The MJCF file of each task, by its name in Gymnasium's folder of assets. */
export const MODEL_FILES: { readonly [id: string]: string } = {
  'HalfCheetah-v4': 'half_cheetah.xml',
  'HalfCheetah-v5': 'half_cheetah.xml',
  'Hopper-v4': 'hopper.xml',
  'Hopper-v5': 'hopper.xml',
  'Walker2d-v4': 'walker2d.xml',
  'Walker2d-v5': 'walker2d_v5.xml',
  'InvertedPendulum-v4': 'inverted_pendulum.xml',
  'InvertedPendulum-v5': 'inverted_pendulum.xml',
};

/** `MODEL_MISSING` at a file or folder. */
export function missingModel(where: string, message: string, cause?: unknown): VirelError {
  return new VirelError('MODEL_MISSING', message, {
    where,
    expected: "Gymnasium 1.4.0's XML files, such as half_cheetah.xml",
    fix: 'npx virel-native setup, or VIREL_MODELS=DIR',
    ...(cause !== undefined && { cause }),
  });
}

/** A task's MJCF: its name and bytes. */
export interface ModelFile {
  file: string;
  text: Buffer;
}

/**
 * Reads the MJCF of a task.
 *
 * @throws VirelError `MODEL_MISSING`.
 */
export function readModelFile(id: string, directory: string): ModelFile {
  const file = MODEL_FILES[id] ?? '';
  const path = join(directory, file);
  try {
    return { file, text: readFileSync(path) };
  } catch (error) {
    throw missingModel(path, `no model of ${id} can be read`, error);
  }
}
