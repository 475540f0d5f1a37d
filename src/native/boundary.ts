/** The crossing into the addon: what goes in is checked for its type, what is thrown becomes a `VirelError`. */
import { isVirelError, VirelError } from '../errors.js';

/** What to do about an error whose cause lies outside the call, by its code. */
const FIXES: Record<string, string> = {
  ENV_UNKNOWN: 'npx virel-native envs',
  MODEL_MISSING: 'npx virel-native setup, or VIREL_MODELS=DIR (Gymnasium 1.4.0 XML files)',
  MODEL_FINGERPRINT: 'unset VIREL_MODELS, or point it to the XML files of Gymnasium 1.4.0',
  TASK_INVALID: 'docs/environments.md states every word of a task',
  REWARD_NOT_FINITE: 'change the weights or limits of the reward, or --set rewardScale=1',
  DIVERGED:
    'train again with a smaller optim.*LearningRate or rewardScale, a larger temperature, or another seed',
  HANDLE_BUSY: 'await the running call first, or stop it through its signal',
  HANDLE_CLOSED: 'create a new one',
  RESET_NEEDED: 'reset those whose episode has ended: environment.reset(undefined, mask)',
  POLICY_DETERMINISTIC: 'leave stochastic out',
  PANIC: 'report it with the output of: npx virel-native doctor',
};

/** Our own codes stay; napi has codes of its own for wrong argument types and for panics. */
function codeOf(code: unknown): string {
  if (typeof code === 'string' && /^[A-Z_]+$/.test(code)) return code;
  return code === 'GenericFailure' ? 'PANIC' : 'ARGUMENT_TYPE';
}

/** The addon's error as ours, with the caller's stack. Values of the addon are of another realm under jest. */
export function fromNative(error: unknown): VirelError {
  // an argument was refused on this side
  if (isVirelError(error)) return error;
  const { code, message } = error as { code?: unknown; message?: unknown };
  const ours = codeOf(code);
  const fix = FIXES[ours];
  return new VirelError(ours, String(message ?? error), { cause: error, ...(fix && { fix }) });
}

/** Calls into the addon. */
export function crossing<Result>(call: () => Result): Result {
  try {
    return call();
  } catch (error) {
    throw fromNative(error);
  }
}

/** Calls into the addon and waits. */
export async function crossingAsync<Result>(call: () => Promise<Result>): Promise<Result> {
  try {
    return await call();
  } catch (error) {
    throw fromNative(error);
  }
}

/**
 * Calls into the addon and waits; an abort makes the native side return at its next step.
 *
 * @throws VirelError `ABORTED` if the signal was aborted before the call, `ARGUMENT_TYPE` if it is none.
 */
export async function stoppable<Result>(
  signal: AbortSignal | undefined,
  stop: () => void,
  call: () => Promise<Result>,
): Promise<Result> {
  checkSignal(signal);
  if (signal?.aborted) throw new VirelError('ABORTED', 'aborted before it began');
  signal?.addEventListener('abort', stop, { once: true });
  try {
    return await crossingAsync(call);
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

/** @throws VirelError `ARGUMENT_TYPE` for what is given as a signal and is none. */
export function checkSignal(signal: unknown): void {
  if (signal === undefined) return;
  const { addEventListener } = (signal ?? {}) as { addEventListener?: unknown };
  if (typeof addEventListener !== 'function')
    throw argumentType('signal', 'an AbortSignal', signal);
}

/**
 * A `Float32Array` of `name`, as the addon takes it.
 *
 * @throws VirelError `ARGUMENT_TYPE`.
 */
export function float32(name: string, value: unknown): Float32Array {
  if (
    ArrayBuffer.isView(value) &&
    Object.prototype.toString.call(value) === '[object Float32Array]'
  )
    return value as Float32Array;
  throw argumentType(name, 'a Float32Array', value);
}

/**
 * Any array of numbers as a `Float64Array`.
 *
 * @throws VirelError `ARGUMENT_TYPE`.
 */
export function float64(name: string, value: unknown): Float64Array {
  const numbers = ArrayBuffer.isView(value) && !(value instanceof DataView) ? value : undefined;
  const list = Array.isArray(value)
    ? value
    : (numbers as unknown as ArrayLike<unknown> | undefined);
  if (list === undefined) throw argumentType(name, 'an array of numbers', value);
  for (let index = 0; index < list.length; index += 1)
    if (typeof list[index] !== 'number')
      throw argumentType(`${name}[${index}]`, 'a number', list[index]);
  return Float64Array.from(list as ArrayLike<number>);
}

/**
 * A whole number, or nothing.
 *
 * @throws VirelError `ARGUMENT_TYPE`.
 */
export function wholeOrNothing(name: string, value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  throw argumentType(name, 'a whole number from 0 to 2^53 - 1', value);
}

/**
 * A whole number.
 *
 * @throws VirelError `ARGUMENT_TYPE`.
 */
export function whole(name: string, value: unknown): number {
  const number = wholeOrNothing(name, value);
  if (number === undefined) throw argumentType(name, 'a whole number from 0 to 2^53 - 1', value);
  return number;
}

/**
 * A count: a whole number, at least 1. It is refused in the addon's words, where the addon does not see it.
 *
 * @throws VirelError `ARGUMENT_TYPE`, `CONFIG_RANGE`.
 */
export function count(name: string, value: unknown): number {
  const number = whole(name, value);
  if (number >= 1) return number;
  throw outOfRange(name, 'a whole number, at least 1', String(number));
}

/** `CONFIG_RANGE`, as the addon words it. */
export function outOfRange(name: string, expected: string, got: string): VirelError {
  const message = `${name}: expected ${expected}, got ${got}`;
  return new VirelError('CONFIG_RANGE', message, { where: name, expected, got });
}

/**
 * A number of any kind: which ones, the addon says.
 *
 * @throws VirelError `ARGUMENT_TYPE`.
 */
export function number(name: string, value: unknown): number {
  if (typeof value === 'number') return value;
  throw argumentType(name, 'a number', value);
}

/**
 * Text, or nothing.
 *
 * @throws VirelError `ARGUMENT_TYPE`.
 */
export function textOrNothing(name: string, value: unknown): string | undefined {
  if (value === undefined || typeof value === 'string') return value;
  throw argumentType(name, 'a string', value);
}

/**
 * Yes or no; no by default.
 *
 * @throws VirelError `ARGUMENT_TYPE`.
 */
export function yesOrNo(name: string, value: unknown): boolean {
  if (value === undefined || typeof value === 'boolean') return value === true;
  throw argumentType(name, 'true or false', value);
}

/**
 * An object with fields: not null, not an array.
 *
 * @throws VirelError `ARGUMENT_TYPE`.
 */
export function fields<T extends object>(name: string, value: T): T {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw argumentType(name, 'an object', value);
}

/**
 * An array.
 *
 * @throws VirelError `ARGUMENT_TYPE`.
 */
export function list<T>(name: string, value: readonly T[]): readonly T[] {
  if (Array.isArray(value)) return value;
  throw argumentType(name, 'an array', value);
}

export function argumentType(name: string, expected: string, value: unknown): VirelError {
  const got = typeof value === 'number' ? String(value) : describe(value);
  return new VirelError('ARGUMENT_TYPE', `${name}: expected ${expected}, got ${got}`, {
    where: name,
    expected,
    got,
  });
}

function describe(value: unknown): string {
  if (value === null) return 'null';
  return typeof value === 'object' ? (value.constructor?.name ?? 'an object') : typeof value;
}
