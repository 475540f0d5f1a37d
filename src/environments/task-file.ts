/** The user's own task in JSON: what of it is needed before the native part reads it. */
import { readFileSync } from 'node:fs';
import { VirelError } from '../errors.js';

/** What is known of a task file without its model. */
export interface TaskFile {
  /** Environment steps after which an episode is truncated. */
  maxEpisodeSteps: number;
}

/**
 * Reads the time limit of a task file. Everything else in it is checked by the native part, which names lines.
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
    const { message } = error as Error;
    const position = /position (\d+)/.exec(message)?.[1];
    throw invalid(lineAt(Number(position ?? text.length)), `no JSON: ${message}`, error);
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
