/** What of an environment its id does not say: the user's own files, and options by Gymnasium's names. */
import { nearest } from '../config/nearest.js';
import { show } from '../config/show.js';
import { VirelError } from '../errors.js';
import {
  OPTION_KINDS,
  OPTIONS,
  type OptionKind,
  type OptionsOfTask,
  type OptionValue,
  type TaskOptions,
} from './task-options.js';
import type { Task } from './tasks.js';

/** Files and options of an environment. */
export interface Choices extends TaskOptions {
  /** The user's own MJCF, in place of the task's. */
  readonly modelFile?: string | null;
  /** The user's own task in JSON, in place of a built-in one; needs `modelFile`. */
  readonly taskFile?: string | null;
}

/** What a policy must know of an environment. */
export type TaskSizes = Pick<Task, 'observationSize' | 'actionSize' | 'actionLow' | 'actionHigh'>;

/** Keys of a config's `env` that are no choice. */
const OTHER_KEYS = new Set(['id', 'maxEpisodeSteps', 'modelDir', 'module']);

/** The choices among the keys of a config's `env`; what is null or left out is none. */
export function choicesOf(env: object): Choices {
  const entries = Object.entries(env).filter(
    ([key, value]) => !OTHER_KEYS.has(key) && value !== null && value !== undefined,
  );
  return Object.fromEntries(entries);
}

/** The options among some choices. */
export function optionsOf(choices: Choices): Record<string, unknown> {
  const { modelFile: _model, taskFile: _task, ...options } = choices;
  return options;
}

/** Whether a value is of an option's type, and whether it is allowed. */
function judge({ kind }: OptionKind, value: unknown): 'allowed' | 'range' | 'type' {
  const inRange = (allowed: boolean) => (allowed ? 'allowed' : 'range');
  switch (kind) {
    case 'weight':
      return typeof value === 'number' ? inRange(Number.isFinite(value)) : 'type';
    case 'scale':
      return typeof value === 'number' ? inRange(value >= 0 && value <= 1e6) : 'type';
    case 'count':
      return typeof value === 'number'
        ? inRange(Number.isInteger(value) && value >= 1 && value <= 10_000)
        : 'type';
    case 'flag':
      return typeof value === 'boolean' ? 'allowed' : 'type';
    case 'text':
      return typeof value === 'string' ? inRange(value !== '') : 'type';
    case 'interval':
      return Array.isArray(value) ? inRange(isInterval(value)) : 'type';
  }
}

function isInterval(value: readonly unknown[]): boolean {
  const [low, high] = value;
  const isEnd = (end: unknown) => end === null || (typeof end === 'number' && !Number.isNaN(end));
  if (value.length !== 2 || !isEnd(low) || !isEnd(high)) return false;
  return ((low ?? -Infinity) as number) < ((high ?? Infinity) as number);
}

/** A value as messages show it: infinities and NaN by their name, also in a list. */
function shown(value: unknown): string {
  const isPlain = (each: unknown) => each === null || typeof each !== 'object';
  if (Array.isArray(value) && value.length < 10 && value.every(isPlain))
    return `[${value.map(show).join(', ')}]`;
  return show(value);
}

/** What {@link checkOptions} was given, for its messages. */
export interface GivenOption {
  readonly name: string;
  readonly value: unknown;
  /** The file, option or argument it came from. */
  readonly where: string;
}

/**
 * Checks options against a task's own; gives them as JSON can hold them (an infinite end of an interval is null).
 *
 * @param id The task, for messages.
 * @param own Its options with their defaults; a task of the user's has none.
 * @throws VirelError `CONFIG_UNKNOWN_KEY`, naming the task's own; `CONFIG_TYPE`, `CONFIG_RANGE`.
 */
export function checkOptions(
  id: string,
  own: OptionsOfTask['defaults'],
  given: readonly GivenOption[],
): Map<string, OptionValue> {
  const checked = new Map<string, OptionValue>();
  for (const { name, value, where } of given) {
    const kind = Object.hasOwn(own, name)
      ? OPTION_KINDS[name as keyof typeof OPTION_KINDS]
      : undefined;
    if (kind === undefined) throw unknownOption(id, name, where, Object.keys(own));
    const verdict = judge(kind, value);
    if (verdict !== 'allowed') {
      const got = shown(value);
      throw new VirelError(
        verdict === 'type' ? 'CONFIG_TYPE' : 'CONFIG_RANGE',
        `env.${name}: expected ${kind.expected}, got ${got}`,
        {
          where,
          expected: kind.expected,
          got,
          fix: `--set env.${name}=${JSON.stringify(own[name])}`,
        },
      );
    }
    const finite = (end: unknown) => (Number.isFinite(end) ? (end as number) : null);
    checked.set(name, Array.isArray(value) ? value.map(finite) : (value as OptionValue));
  }
  return checked;
}

/** Options of a built-in task with their defaults. */
export const ownOptions = (id: string): OptionsOfTask['defaults'] => OPTIONS[id]?.defaults ?? {};

function unknownOption(
  id: string,
  name: string,
  where: string,
  own: readonly string[],
): VirelError {
  const brief = name.length > 80 ? `${name.slice(0, 77)}...` : name;
  const near = nearest(name, [...own, ...OTHER_KEYS, 'modelFile', 'taskFile']);
  const all = own.length === 0 ? 'npx virel-native envs' : `npx virel-native envs ${id}`;
  return new VirelError('CONFIG_UNKNOWN_KEY', `${id} has no option env.${brief}`, {
    where,
    expected: own.length === 0 ? `${id} has no options` : own.join(', '),
    fix: near === undefined ? all : `did you mean env.${near}?`,
  });
}

/** Sizes of a task with these options, without the native part. */
export function withOptions(task: Task, choices: Choices): Task {
  const { defaults = {}, observation = {} } = OPTIONS[task.id] ?? {};
  const turned = Object.entries(observation).filter(([flag]) => {
    const value = (choices as Record<string, unknown>)[flag];
    return value !== undefined && value !== defaults[flag];
  });
  const gained = turned.reduce((sum, [, change]) => sum + change, 0);
  return {
    ...task,
    observationSize: task.observationSize + gained,
    frameSkip: choices.frameSkip ?? task.frameSkip,
  };
}
