/** Errors of training on their way to whoever reads events, in this process or another. */
import { isVirelError, VirelError } from '../errors.js';
import type { ErrorEvent } from '../logging/events.js';

/** An error as the event that reports it. */
export function errorEvent(error: VirelError, seed: number): ErrorEvent {
  const { code, message, exit } = error;
  return { event: 'error', seed, code, message, ...detailsOf(error), exit };
}

/** A stop that came before the run had begun: nothing was written. */
export const stoppedBefore = () => new VirelError('ABORTED', 'stopped before it began');

/** Any error as one of ours; a defect keeps its stack as the cause. */
export function toVirelError(error: unknown): VirelError {
  if (isVirelError(error)) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new VirelError('PANIC', `internal defect: ${message}`, {
    fix: 'report it with the output of: npx virel-native doctor',
    cause: error,
  });
}

type Details = { [Key in 'where' | 'expected' | 'got' | 'fix']: string | undefined };

/** What an error says beside its message, as far as it says it. */
function detailsOf({ where, expected, got, fix }: Details) {
  return {
    ...(where !== undefined && { where }),
    ...(expected !== undefined && { expected }),
    ...(got !== undefined && { got }),
    ...(fix !== undefined && { fix }),
  };
}

/** An error as plain data, which a channel between processes carries. */
export interface PlainError {
  readonly code: string;
  readonly message: string;
  readonly details: ReturnType<typeof detailsOf> & { cause?: Error };
}

/** An error as data; of its causes the first stays. */
export function toPlain(error: VirelError): PlainError {
  const { code, message, cause } = error;
  // a cause of the system's has more on it than a channel carries
  const kept = cause instanceof Error ? copyOf(cause) : undefined;
  return { code, message, details: { ...detailsOf(error), ...(kept && { cause: kept }) } };
}

function copyOf({ message, stack }: Error): Error {
  const copy = new Error(message);
  if (stack !== undefined) copy.stack = stack;
  return copy;
}

/** The error that {@link toPlain} took apart. */
export const fromPlain = ({ code, message, details }: PlainError) =>
  new VirelError(code, message, details);

/** The error that an event reports; its cause stayed where it happened. */
export function fromEvent({ code, message, where, expected, got, fix }: ErrorEvent): VirelError {
  return new VirelError(code, message, detailsOf({ where, expected, got, fix }));
}
