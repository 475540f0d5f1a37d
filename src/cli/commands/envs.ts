import type { Argv, CommandModule } from 'yargs';
import { findTask } from '../../config/choices.js';
import { type ListedTask, listEnvironments } from '../../environments/list.js';
import { OPTION_KINDS } from '../../environments/task-options.js';
import { TASKS, type Task } from '../../environments/tasks.js';
import { ensureNative } from '../../native/addon.js';
import { print, printJson } from '../output.js';

/** Lowest to highest action, short where all dimensions agree. */
function bounds({ actionLow, actionHigh }: Task): string {
  const pairs = actionLow.map((low, index) => `${low}..${actionHigh[index]}`);
  return new Set(pairs).size === 1 ? (pairs[0] ?? '') : pairs.join(' ');
}

/** Cells in columns as wide as their widest. */
function columns(rows: readonly (readonly unknown[])[]): string[] {
  const text = rows.map((row) => row.map(String));
  const widths = (text[0] ?? []).map((_, column) =>
    Math.max(...text.map((row) => row[column]?.length ?? 0)),
  );
  return text.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
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
  return columns([head, ...rows]).join('\n');
}

/** One task in full: its options with defaults, how its versions differ, what random actions earn. */
function portrait(task: ListedTask): string {
  const facts = [
    ['model', task.modelFile || `env.modelFile: ${task.modelNeeded}`],
    ['versions', task.versions],
    ['random actions', task.randomReturn && `return ${task.randomReturn}`],
  ].filter(([, text]) => text !== '');
  const options = Object.entries(task.options).map(([name, value]) => [
    `  env.${name}`,
    JSON.stringify(value),
    OPTION_KINDS[name as keyof typeof OPTION_KINDS].expected,
  ]);
  const head =
    options.length === 0 ? 'no options' : 'options and defaults, changed by --set NAME=VALUE:';
  return [task.summary, '', table([task]), '', ...columns(facts), head, ...columns(options)].join(
    '\n',
  );
}

interface EnvsArguments {
  id: string | undefined;
  json: boolean | undefined;
  check: boolean | undefined;
  noSetup: boolean | undefined;
  offline: boolean | undefined;
}

/** Loads the model of every task and compares it with what is known of it. */
async function check(tasks: readonly Task[], args: EnvsArguments): Promise<void> {
  await ensureNative({
    ...(args.noSetup && { noSetup: true }),
    ...(args.offline && { offline: true }),
  });
  const { checkModel } = await import('../../native/check-model.js');
  const results = tasks.map(checkModel);
  const ok = results.every((result) => result.ok);
  if (args.json) printJson({ ok, models: results });
  else
    print(
      columns(
        results.map((result) => [
          result.ok ? 'ok' : 'FAILED',
          result.id,
          result.file,
          result.sha256?.slice(0, 12) ?? '',
          result.note,
        ]),
      ).join('\n'),
    );
  if (!ok) process.exitCode = 2;
}

/** `virel-native envs`: works without the native part, but for `--check`. */
export const envsCommand: CommandModule<unknown, EnvsArguments> = {
  command: 'envs [id]',
  describe: 'List the tasks, or show one with its options',
  builder: (yargs) =>
    yargs
      .positional('id', { type: 'string', describe: 'Only this task, in full' })
      .option('check', {
        type: 'boolean',
        describe: 'Load the model files and compare them with what is known of them',
      })
      .option('json', { type: 'boolean', describe: 'A JSON list on standard output' })
      .option('no-setup', { type: 'boolean', describe: 'Fail where the native part is missing' })
      .option('offline', { type: 'boolean', describe: 'Never touch the network' })
      .example('$0 envs Ant-v5', 'options of a task, and how its versions differ')
      .example('$0 envs --json', 'for scripts') as unknown as Argv<EnvsArguments>,
  handler: async (args) => {
    const { id } = args;
    const known = id === undefined ? TASKS : [findTask({ value: id, origin: 'envs' }, TASKS)];
    const tasks = listEnvironments().filter((task) => known.some((each) => each.id === task.id));
    if (args.check) await check(tasks, args);
    else if (args.json) printJson(tasks);
    else if (id !== undefined && tasks[0] !== undefined) print(portrait(tasks[0]));
    else print(table(tasks));
  },
};
