/** Environments written in TypeScript: what one must say, and the check of it. */
import { nearest } from '../config/nearest.js';
import { show } from '../config/show.js';
import { VirelError } from '../errors.js';
import type { Random } from './random.js';
import { TASKS } from './tasks.js';

/** What a step of an environment written in TypeScript answers. */
export interface CustomStep {
  /** s', [O]: an array of numbers of any kind, finite as float32. */
  observation: ArrayLike<number>;
  /** r, unscaled; finite as float32. */
  reward: number;
  /** The task's own rule ended the episode: nothing follows, so its value is 0. */
  terminated: boolean;
  /** It was cut for another reason, such as a limit of its own: its value goes on. False by default. */
  truncated?: boolean | undefined;
}

/** How an environment moves. Synchronous: a promise is refused. */
export interface Dynamics {
  /**
   * Starts an episode from a new state, leaving nothing of the last one.
   *
   * @param random Where its randomness comes from.
   * @returns s, [O].
   */
  reset(random: Random): ArrayLike<number>;
  /**
   * Moves on by one step.
   *
   * @param action [A], within the bounds; a copy.
   */
  step(action: Float64Array, random: Random): CustomStep;
}

/** An environment's size and limits. */
export interface EnvironmentFacts {
  /** Name of the runs: letters, digits, `.`, `_`, `-`; `custom` by default. */
  id?: string | undefined;
  /** O, values of an observation. */
  observationSize: number;
  /** A, values of an action. */
  actionSize: number;
  /** Smallest action, of all dimensions or of each; −1 by default. */
  actionLow?: number | readonly number[] | undefined;
  /** Largest action, of all dimensions or of each; 1 by default. */
  actionHigh?: number | readonly number[] | undefined;
  /** Steps after which an episode is truncated, so that each one ends; 1000 by default. */
  maxEpisodeSteps?: number | undefined;
}

/** One state for all uses, or a state for each. */
export type Movement =
  | (Dynamics & { create?: undefined })
  | {
      /** A state of its own, for training or for one evaluation. */
      create(): Dynamics;
      reset?: undefined;
      step?: undefined;
    };

/**
 * What {@link defineEnvironment} takes: sizes, and either `reset` and `step`, or `create`, which makes the two anew for
 * every use, so that training and evaluation each have a state of their own.
 */
export type EnvironmentDefinition = EnvironmentFacts & Movement;

/** A checked environment: every fact present, frozen. It may be spread into another definition. */
export type CustomEnvironment = Readonly<Movement> & {
  /** Name of the runs. */
  readonly id: string;
  /** O, values of an observation. */
  readonly observationSize: number;
  /** A, values of an action. */
  readonly actionSize: number;
  /** [A] */
  readonly actionLow: readonly number[];
  /** [A] */
  readonly actionHigh: readonly number[];
  /** Steps after which an episode is truncated. */
  readonly maxEpisodeSteps: number;
};

/** Sizes beyond this are a mistake: a first layer of that width would not fit any buffer. */
const MOST_VALUES = 65_536;
const MOST_EPISODE_STEPS = 1e9;
/** Bounds beyond this would not survive float32 arithmetic. */
const LARGEST_BOUND = 1e30;
const DEFAULT_EPISODE_STEPS = 1000;
/** A run's folder is named after it. */
const ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
/** Fields that may be left out, so that a wrong name of one would go unseen. */
const OPTIONAL = ['actionLow', 'actionHigh', 'maxEpisodeSteps'];

const FIX = 'docs/custom-environments.md has a whole one';

function invalid(field: string, expected: string, value: unknown): VirelError {
  const got = typeof value === 'function' ? 'a function' : show(value);
  return new VirelError(
    'ENV_INVALID',
    `defineEnvironment: ${field}: expected ${expected}, got ${got}`,
    {
      where: `defineEnvironment: ${field}`,
      expected,
      got,
      fix: FIX,
    },
  );
}

/** Whether `value` is meant as an environment rather than as the keys of `env`. */
export function isEnvironment(value: unknown): value is EnvironmentDefinition {
  if (typeof value !== 'object' || value === null) return typeof value === 'function';
  return ['observationSize', 'actionSize', 'reset', 'step', 'create'].some((key) => key in value);
}

/**
 * Checks a definition at once; nothing of it is run.
 *
 * @throws VirelError `ENV_INVALID`, naming the field, its value and what is allowed.
 */
export function defineEnvironment(definition: EnvironmentDefinition): CustomEnvironment {
  if (typeof definition !== 'object' || definition === null) {
    throw invalid(
      'definition',
      'an object with observationSize, actionSize, reset, step',
      definition,
    );
  }
  refuseMisspelt(definition);
  const id = checkId(definition.id ?? 'custom');
  const observationSize = wholeNumber('observationSize', definition.observationSize, MOST_VALUES);
  const actionSize = wholeNumber('actionSize', definition.actionSize, MOST_VALUES);
  const actionLow = bounds('actionLow', definition.actionLow ?? -1, actionSize);
  const actionHigh = bounds('actionHigh', definition.actionHigh ?? 1, actionSize);
  for (const [index, low] of actionLow.entries()) {
    const high = actionHigh[index] as number;
    if (low >= high)
      throw invalid(`actionHigh[${index}]`, `more than actionLow[${index}], ${low}`, high);
  }
  const limit = definition.maxEpisodeSteps ?? DEFAULT_EPISODE_STEPS;
  const maxEpisodeSteps = wholeNumber('maxEpisodeSteps', limit, MOST_EPISODE_STEPS);
  const facts = { id, observationSize, actionSize, actionLow, actionHigh, maxEpisodeSteps };
  return Object.freeze({ ...facts, ...checkMovement(definition) });
}

/** A field that may be left out, under another spelling: its default would be used without a word. */
function refuseMisspelt(definition: object): void {
  const known = [...OPTIONAL, 'id', 'observationSize', 'actionSize', 'reset', 'step', 'create'];
  for (const key of Object.keys(definition)) {
    if (known.includes(key)) continue;
    const meant = nearest(key, OPTIONAL);
    if (meant === undefined) continue;
    throw new VirelError('ENV_INVALID', `defineEnvironment: no field ${key}`, {
      where: `defineEnvironment: ${key}`,
      expected: OPTIONAL.join(', '),
      got: key,
      fix: `did you mean ${meant}?`,
    });
  }
}

function checkId(id: unknown): string {
  if (typeof id !== 'string' || !ID.test(id)) {
    throw invalid(
      'id',
      '1 to 64 letters, digits, dots, dashes or underscores, a letter or digit first',
      id,
    );
  }
  if (TASKS.some((task) => task.id === id))
    throw invalid('id', 'a name that no task of ours has', id);
  return id;
}

function wholeNumber(field: string, value: unknown, most: number): number {
  if (Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= most) {
    return value as number;
  }
  throw invalid(field, `a whole number from 1 to ${most}`, value);
}

/** One bound per dimension. */
function bounds(field: string, value: unknown, size: number): readonly number[] {
  const expected = `a finite number of at most ${LARGEST_BOUND} in size`;
  const check = (bound: unknown, at: string): number => {
    if (typeof bound === 'number' && Math.abs(bound) <= LARGEST_BOUND) return bound;
    throw invalid(at, expected, bound);
  };
  if (typeof value === 'number')
    return Object.freeze(Array<number>(size).fill(check(value, field)));
  const list = Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
  if (!list) throw invalid(field, 'a number, or one for each of the actionSize dimensions', value);
  const values = Array.from(value as ArrayLike<unknown>);
  if (values.length !== size) {
    throw invalid(field, `${size} numbers (actionSize), or one for all`, values);
  }
  return Object.freeze(values.map((bound, index) => check(bound, `${field}[${index}]`)));
}

/** Functions that are bound already: those of an environment that was spread into another one share its state. */
const bound = new WeakSet<object>();

function bind<Call extends (...args: never[]) => unknown>(call: unknown, definition: object): Call {
  if (bound.has(call as Call)) return call as Call;
  const method = (call as Call).bind(definition) as Call;
  bound.add(method);
  return method;
}

/** `create`, or `reset` and `step`; called as methods of the definition, which may be an instance of a class. */
function checkMovement(definition: object): Movement {
  const { create, reset, step } = definition as {
    create?: unknown;
    reset?: unknown;
    step?: unknown;
  };
  if (create !== undefined) {
    if (typeof create !== 'function')
      throw invalid('create', 'a function that returns {reset, step}', create);
    for (const [field, value] of [
      ['reset', reset],
      ['step', step],
    ] as const) {
      if (value !== undefined) throw invalid(field, 'nothing beside create, which makes it', value);
    }
    return { create: bind<() => Dynamics>(create, definition) };
  }
  if (typeof reset !== 'function')
    throw invalid('reset', 'a function that returns an observation', reset);
  if (typeof step !== 'function')
    throw invalid('step', 'a function that moves on by one step', step);
  return {
    reset: bind<Dynamics['reset']>(reset, definition),
    step: bind<Dynamics['step']>(step, definition),
  };
}

/** What the learner and a saved policy need to know of an environment that it does not step itself. */
export interface ExternalFacts {
  observationSize: number;
  /** [A] */
  actionLow: number[];
  /** [A] */
  actionHigh: number[];
}

/** The facts of an environment as they cross into native code. */
export function externalOf(
  facts: Pick<CustomEnvironment, 'observationSize' | 'actionLow' | 'actionHigh'>,
): ExternalFacts {
  const { observationSize, actionLow, actionHigh } = facts;
  return { observationSize, actionLow: [...actionLow], actionHigh: [...actionHigh] };
}
