import { ownOptions } from './choices.js';
import type { OptionValue } from './task-options.js';
import { TASKS, type Task } from './tasks.js';

/** A task with its options. */
export interface ListedTask extends Task {
  /** Options by name, with their defaults; null for no bound. */
  readonly options: { readonly [name: string]: OptionValue };
}

/** Every task, without the native part; copies, the caller's to change. */
export function listEnvironments(): ListedTask[] {
  return TASKS.map((task) => structuredClone({ ...task, options: ownOptions(task.id) }));
}
