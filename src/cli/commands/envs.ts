import type { CommandModule } from 'yargs';
import { findTask } from '../../config/choices.js';
import { TASKS, type Task } from '../../environments/tasks.js';
import { print, printJson } from '../output.js';

/** Lowest to highest action, short where all dimensions agree. */
function bounds({ actionLow, actionHigh }: Task): string {
  const pairs = actionLow.map((low, index) => `${low}..${actionHigh[index]}`);
  return new Set(pairs).size === 1 ? (pairs[0] ?? '') : pairs.join(' ');
}

function table(tasks: readonly Task[]): string {
  const rows = tasks.map((task) => [
    task.id,
    task.observationSize,
    task.actionSize,
    bounds(task),
    `${task.frameSkip} x ${task.timestep}`,
    task.maxEpisodeSteps,
  ]);
  const head = ['task', 'observation', 'action', 'bounds', 'seconds a step', 'step limit'];
  const text = [head, ...rows].map((row) => row.map(String));
  const widths = head.map((_, column) => Math.max(...text.map((row) => row[column]?.length ?? 0)));
  const pad = (row: string[]) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0));
  return text.map((row) => pad(row).join('  ').trimEnd()).join('\n');
}

interface EnvsArguments {
  id: string | undefined;
  json: boolean | undefined;
}

/** `virel-native envs`: works without the native part. */
export const envsCommand: CommandModule<unknown, EnvsArguments> = {
  command: 'envs [id]',
  describe: 'List the tasks: sizes, bounds, time step, limit',
  builder: (yargs) =>
    yargs
      .positional('id', { type: 'string', describe: 'Only this task' })
      .option('json', { type: 'boolean', describe: 'A JSON list on standard output' })
      .example('$0 envs --json', 'for scripts'),
  handler: ({ id, json }) => {
    const tasks = id === undefined ? TASKS : [findTask({ value: id, origin: 'envs' }, TASKS)];
    if (json) printJson(tasks);
    else print(table(tasks));
  },
};
