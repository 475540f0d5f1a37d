/** What was chosen of an environment, as the addon takes it. */
import type { NativeSpec } from '../../index.d.ts';
import {
  type Choices,
  checkOptions,
  choicesOf,
  optionsOf,
  ownOptions,
} from '../environments/choices.js';
import { requireModel } from '../environments/models.js';
import { TASKS } from '../environments/tasks.js';
import { VirelError } from '../errors.js';
import { loadAddon } from './addon.js';
import { crossing } from './boundary.js';

/**
 * Files and options as JSON. Options of built-in tasks are checked on this side, where infinities can still be told
 * from what is left out; the rest is checked by the addon.
 *
 * @throws VirelError `CONFIG_UNKNOWN_KEY`, `CONFIG_TYPE`, `CONFIG_RANGE`, `CONFIG_CONFLICT`, `MODEL_MISSING`.
 */
export function choicesJson(id: string, env: object): string {
  const choices: Choices = choicesOf(env);
  const { modelFile, taskFile } = choices;
  if (taskFile !== undefined && modelFile === undefined) {
    throw new VirelError('CONFIG_CONFLICT', 'taskFile without modelFile: the task has no model', {
      where: 'modelFile',
      fix: 'modelFile: FILE',
    });
  }
  if (taskFile === undefined) {
    // the addon says which task was meant
    if (TASKS.every((task) => task.id !== id)) return JSON.stringify(choices);
    requireModel(id, modelFile);
  }
  const given = Object.entries(optionsOf(choices)).map(([name, value]) => ({
    name,
    value,
    where: 'options',
  }));
  const options = Object.fromEntries(
    checkOptions(id, taskFile === undefined ? ownOptions(id) : {}, given),
  );
  return JSON.stringify({ modelFile, taskFile, ...options });
}

/**
 * Sizes and bounds of an environment with its files and options.
 *
 * @throws VirelError as {@link choicesJson}; `ENV_UNKNOWN`, `TASK_INVALID`, `MODEL_*`, `NATIVE_MISSING`.
 */
export function describeEnvironment(id: string, env: object): NativeSpec {
  const json = choicesJson(id, env);
  return crossing(() => loadAddon().describeEnvironment(id, json));
}
