import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { VirelError } from '../errors.js';
import type { Variables } from './places.js';

/** How a child process runs. */
export interface RunOptions {
  env: Variables;
  cwd?: string;
  signal?: AbortSignal;
  /** Called for every line of both streams. */
  onLine?: (line: string) => void;
}

/** How a child process ended. */
export interface RunResult {
  /** Exit status; `null` if a signal ended it. */
  status: number | null;
  killedBy: NodeJS.Signals | null;
  /** Both streams, in the order they came. */
  output: string;
}

/** Time between asking an aborted child to end and ending it. */
const graceMs = 5_000;

/**
 * Runs a program to its end with an argument list, no shell, and nothing on its standard input.
 *
 * @throws VirelError `ABORTED` once the child is gone, if `signal` fired.
 */
export async function runProgram(
  file: string,
  args: readonly string[],
  options: RunOptions,
): Promise<RunResult> {
  options.signal?.throwIfAborted();
  const child = spawn(file, args, {
    cwd: options.cwd,
    env: options.env as NodeJS.ProcessEnv,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      options.onLine?.(line);
    });
  }

  // ask the child to end, then insist
  let insist: NodeJS.Timeout | undefined;
  const stop = () => {
    child.kill('SIGTERM');
    insist = setTimeout(() => child.kill('SIGKILL'), graceMs);
  };
  options.signal?.addEventListener('abort', stop, { once: true });
  try {
    const [status, killedBy] = await new Promise<[number | null, NodeJS.Signals | null]>(
      (resolve, reject) => {
        child.on('error', reject);
        child.on('close', (code, signal) => resolve([code, signal]));
      },
    );
    options.signal?.throwIfAborted();
    return { status, killedBy, output: lines.join('\n') };
  } finally {
    clearTimeout(insist);
    options.signal?.removeEventListener('abort', stop);
  }
}

/** The last lines of an output that say something, for an error message. */
export function lastLines(output: string, count: number): string {
  return output.trimEnd().split('\n').slice(-count).join('\n');
}

/** A step of set-up that failed, with the command that goes on from there. */
export function stepFailed(
  message: string,
  where: string,
  fix = 'npx virel-native setup',
  got?: string,
): VirelError {
  return new VirelError('SETUP_FAILED', message, { where, fix, ...(got && { got }) });
}
