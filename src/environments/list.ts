import { TASKS, type Task } from './tasks.js';

/** Every task, without the native part; copies, the caller's to change. */
export function listEnvironments(): Task[] {
  return TASKS.map((task) => ({
    ...task,
    actionLow: [...task.actionLow],
    actionHigh: [...task.actionHigh],
  }));
}
