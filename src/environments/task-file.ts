/** The user's own task in JSON: what of it is needed before the native part reads it. */
import { readFileSync } from 'node:fs';
import { type ParseError, parse } from 'jsonc-parser';
import { VirelError } from '../errors.js';

/** What is known of a task file without its model. */
export interface TaskFile {
  /** Environment steps after which an episode is truncated. */
  maxEpisodeSteps: number;
}

/**
 * Reads the time limit of a task file. Everything else in it is checked by the native part, which names lines as this
 * does: `path:line: reason`, the first line is 1.
 *
 * @throws VirelError `TASK_INVALID`.
 */
export function readTaskFile(path: string): TaskFile {
  const invalid = (line: number, reason: string, cause?: unknown) =>
    new VirelError('TASK_INVALID', `${path}:${line}: ${reason}`, {
      where: 'env.taskFile',
      expected: 'a task in JSON, as docs/environments.md states it',
      ...(cause !== undefined && { cause }),
    });
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw invalid(1, 'cannot be read', error);
  }
  const lineAt = (position: number) => text.slice(0, position).split('\n').length;
  let task: unknown;
  try {
    task = JSON.parse(text);
  } catch (error) {
    throw invalid(lineAt(firstError(text)), `no JSON: ${reasonOf(error as Error)}`, error);
  }
  const steps = (task as { maxEpisodeSteps?: unknown } | null)?.maxEpisodeSteps;
  if (Number.isSafeInteger(steps) && (steps as number) >= 1) {
    return { maxEpisodeSteps: steps as number };
  }
  throw invalid(
    lineAt(Math.max(0, text.indexOf('"maxEpisodeSteps"'))),
    `maxEpisodeSteps: expected a whole number, at least 1, got ${JSON.stringify(steps)}`,
  );
}

/** Offset of the first error in a text that is no JSON; of an end that comes too early, the end of what is written. */
function firstError(text: string): number {
  // JSON.parse says why but, of many errors, not where
  const errors: ParseError[] = [];
  parse(text, errors, { disallowComments: true, allowTrailingComma: false });
  return Math.min(errors[0]?.offset ?? 0, text.trimEnd().length);
}

/** What `JSON.parse` says, on one line: it quotes the text with its line breaks, and counts in characters. */
function reasonOf({ message }: Error): string {
  return message.replace(/( in JSON)? at position .*$/s, '').replace(/\s+/g, ' ');
}
