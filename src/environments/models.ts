import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { VirelError } from '../errors.js';
import { TASKS } from './tasks.js';

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
 * Refuses a task without a model of its own where no file was chosen.
 *
 * @throws VirelError `MODEL_MISSING`, saying which file it takes and where that is found.
 */
export function requireModel(id: string, modelFile: string | null | undefined): void {
  const needed = TASKS.find((task) => task.id === id)?.modelNeeded ?? '';
  if (needed === '' || typeof modelFile === 'string') return;
  throw new VirelError('MODEL_MISSING', `no model of ${id} is shipped`, {
    where: 'env.modelFile',
    expected: needed,
    fix: '--set env.modelFile=FILE',
  });
}

/**
 * Reads the MJCF of a task, or the user's own in its place.
 *
 * @param env A config's `env`, or its id and files.
 * @throws VirelError `MODEL_MISSING`.
 */
export function readModelFile(
  env: { readonly id: string; readonly modelFile?: string | null | undefined },
  directory: string,
): ModelFile {
  requireModel(env.id, env.modelFile);
  const own = TASKS.find((task) => task.id === env.id)?.modelFile ?? '';
  const path = env.modelFile ?? join(directory, own);
  try {
    return { file: basename(path), text: readFileSync(path) };
  } catch (error) {
    if (typeof env.modelFile !== 'string')
      throw missingModel(path, `no model of ${env.id} can be read`, error);
    throw new VirelError('MODEL_MISSING', `${path} cannot be read`, {
      where: 'env.modelFile',
      expected: 'an MJCF file',
      fix: '--set env.modelFile=FILE',
      cause: error,
    });
  }
}

/** Where the licence of Gymnasium's files lies in its installed package, seen from the folder of models. */
const PACKAGES = '../../../..';

/** The licence of the shipped model files, as it came with them; undefined for a folder of another origin. */
export function readModelLicence(directory: string): string | undefined {
  try {
    const packages = join(directory, PACKAGES);
    const info = readdirSync(packages).find((name) => /^gymnasium-.*\.dist-info$/.test(name));
    if (info === undefined) return undefined;
    return readFileSync(join(packages, info, 'licenses', 'LICENSE'), 'utf8');
  } catch {
    return undefined;
  }
}
