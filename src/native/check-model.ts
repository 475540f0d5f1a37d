/** Whether the model file of a task is what is known of it. */
import { readModelFile } from '../environments/models.js';
import type { Task } from '../environments/tasks.js';
import { isVirelError } from '../errors.js';
import { sha256 } from '../setup/hash.js';
import { modelDirectory } from './addon.js';
import { Environment } from './environment.js';

/** What was found of one model file. */
export interface ModelCheck {
  /** The task. */
  id: string;
  /** The file; empty where none is shipped. */
  file: string;
  /** Its SHA-256; null where there is none. */
  sha256: string | null;
  /** Whether it loads and has the bodies, masses and motors of the task. */
  ok: boolean;
  /** What is remarkable about it; empty if nothing is. */
  note: string;
}

/** Loads the task's model; a file with another hash is remarked on, and judged by its content. */
export function checkModel(task: Task): ModelCheck {
  const { id, modelFile: file } = task;
  if (task.modelNeeded !== '') {
    return {
      id,
      file,
      sha256: null,
      ok: true,
      note: `not shipped: env.modelFile names ${task.modelNeeded}`,
    };
  }
  let hash: string | null = null;
  try {
    hash = sha256(readModelFile({ id }, modelDirectory()).text);
    Environment.create(id).dispose();
    const note = hash.startsWith(task.modelSha256)
      ? ''
      : `not the file of Gymnasium 1.4.0, which is ${task.modelSha256}`;
    return { id, file, sha256: hash, ok: true, note };
  } catch (error) {
    if (!isVirelError(error)) throw error;
    return { id, file, sha256: hash, ok: false, note: `${error.code}: ${error.message}` };
  }
}
