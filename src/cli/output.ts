/** Standard output and error: results and human text, JSON lines, errors. A closed pipe ends neither training nor us. */
import { isAbsolute, relative } from 'node:path';
import type { ErrorDetails } from '../errors.js';
import type { TrainEvent } from '../logging/events.js';

/** Streams whose reader has gone. */
const closed = new Set<NodeJS.WriteStream>();

/** From now on a reader that goes away (`| head`) is no error. */
export function surviveClosedPipes(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
      closed.add(stream);
    });
  }
}

function writeLine(stream: NodeJS.WriteStream, text: string): void {
  if (!closed.has(stream)) stream.write(`${text}\n`);
}

/** A result: standard output. */
export const print = (text: string) => writeLine(process.stdout, text);
/** Text for a person: standard error. */
export const note = (text: string) => writeLine(process.stderr, text);
/** A JSON object on a line of its own: standard output. */
export const printJson = (value: unknown) => print(JSON.stringify(value));

/** Signs that move a terminal's cursor, colour it, or turn the order of what follows; a line's end is ours. */
const CONTROL = /(?!\n)[\p{Cc}\u202a-\u202e\u2066-\u2069\u2028\u2029]/gu;

/** Text of files and names as it can be shown: control characters as their escapes. */
export const printable = (text: string) =>
  text.replace(CONTROL, (sign) => {
    const code = sign.codePointAt(0) ?? 0;
    return code < 256
      ? `\\x${code.toString(16).padStart(2, '0')}`
      : `\\u${code.toString(16).padStart(4, '0')}`;
  });

/** As {@link printable}, of what stands in one line, such as a path. */
export const visible = (text: string) => printable(text).replaceAll('\n', '\\n');

type Words = { [Part in keyof Omit<ErrorDetails, 'cause'>]?: string | undefined };

/** An error as a person reads it: code and sentence, where, expected, got, and the command that mends it. */
export function describeError(error: { code: string; message: string } & Words): string {
  const parts = ['where', 'expected', 'got', 'fix'] as const;
  // a path with a line's end in it stays on its line; what a compiler said has lines of its own
  const { where = '' } = error;
  const shown = (text: string) =>
    printable(where === '' ? text : text.replaceAll(where, visible(where)));
  const details = parts.flatMap((part) =>
    error[part] === undefined ? [] : [`  ${part}: ${shown(error[part])}`],
  );
  return [`error ${error.code}: ${shown(error.message)}`, ...details].join('\n');
}

/** What a person should know of a run that goes on; undefined of other events. */
export function describeWarning(event: TrainEvent): string | undefined {
  if (event.event === 'warning') return `warning ${event.code}: ${printable(event.message)}`;
  if (event.event !== 'unstable') return undefined;
  const { total, step } = event;
  return `warning SIM_UNSTABLE: ${grouped(total)} unstable simulator states in ${grouped(step)} steps; transitions dropped`;
}

/** `1234567` as `1,234,567`. */
export const grouped = (value: number) =>
  String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',');

/** Seconds as `36:40` or `1:02:03`. */
export function clockTime(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const two = (value: number) => String(value).padStart(2, '0');
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours > 0
    ? `${hours}:${two(minutes)}:${two(whole % 60)}`
    : `${two(minutes)}:${two(whole % 60)}`;
}

/** Four significant digits, without an exponent where that is readable. */
export function brief(value: number): string {
  const size = Math.abs(value);
  if (size >= 1000) return value.toFixed(0);
  return size !== 0 && size < 1e-3 ? value.toExponential(2) : String(Number(value.toPrecision(4)));
}

/** A path as short as it can be typed: relative where it lies below the working folder. */
export function shortPath(path: string): string {
  const below = relative(process.cwd(), path);
  return below === '' || below.startsWith('..') || isAbsolute(below) ? path : below;
}

/** Says what was removed that exports had left which were killed. */
export function noteRemoved(removed: readonly string[] = []): void {
  for (const path of removed)
    note(`removed ${visible(shortPath(path))}, left by an export that was killed`);
}
