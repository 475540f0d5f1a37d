/** The keys of `env` that change a task: options by Gymnasium's names, and files of the user's. */
import { basename, resolve } from 'node:path';
import * as z from 'zod';
import { checkOptions, type GivenOption } from '../environments/choices.js';
import {
  OPTION_KINDS,
  type OptionKind,
  type OptionsOfTask,
  type TaskOptions,
} from '../environments/task-options.js';

const interval = z.tuple([z.number().nullable(), z.number().nullable()]);
const TYPES: { readonly [kind in OptionKind['kind']]: z.ZodType } = {
  weight: z.number(),
  scale: z.number().min(0),
  count: z.int().min(1).max(10_000),
  flag: z.boolean(),
  interval,
  text: z.string().min(1),
};

type Shape = { [name in keyof TaskOptions]-?: z.ZodOptional<z.ZodType<TaskOptions[name]>> };

/** Every option of every task; which of them a task has is checked by {@link settleOptions}. */
export const envOptionShape = Object.fromEntries(
  Object.entries(OPTION_KINDS).map(([name, { kind, expected }]) => [
    name,
    TYPES[kind].optional().meta({ description: `option of some tasks: ${expected}` }),
  ]),
) as unknown as Shape;

type Values = Map<string, { value: unknown; origin: string }>;

/** Keys of `env` that are no option of a task. */
const OWN_KEYS = new Set(['id', 'maxEpisodeSteps', 'modelDir', 'modelFile', 'taskFile', 'module']);

/**
 * Checks the options among `layers` against the task's `own` and leaves them as a file can hold them.
 *
 * @throws VirelError `CONFIG_UNKNOWN_KEY`, `CONFIG_TYPE`, `CONFIG_RANGE`.
 */
export function settleOptions(id: string, own: OptionsOfTask['defaults'], layers: Values): void {
  const given: GivenOption[] = [];
  for (const [path, { value, origin }] of [...layers]) {
    const name = path.slice('env.'.length);
    if (!path.startsWith('env.') || OWN_KEYS.has(name)) continue;
    // null is as good as left out
    if (value === null) layers.delete(path);
    else given.push({ name, value, where: origin });
  }
  for (const [name, value] of checkOptions(id, own, given)) {
    const entry = layers.get(`env.${name}`);
    if (entry !== undefined) entry.value = value;
  }
}

/** An option's file from wherever the run is looked at. */
export const absolute = (file: string | null): string | null =>
  file === null ? null : resolve(file);

/** The id of a task that its file's name gives it. */
export const idOfFile = (file: string): string => basename(file).replace(/\.json$/i, '');
