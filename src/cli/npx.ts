/** What a job script that starts us by npx has to know. */
import { shellWord } from '../shell.js';

/** How this process was started. */
export interface Started {
  /** Environment variables. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether a person watches. */
  readonly isTerminal: boolean;
  /** Real path of the program that Node runs. */
  readonly program: string;
  /** The words behind it. */
  readonly words: readonly string[];
}

/**
 * `NPX_SIGNALS`: npx does not pass TERM on (npm/cli#6684), so that a scheduler would end npx alone, and training without a
 * checkpoint later. Undefined where npx has no part in it, or a person can press Ctrl-C.
 */
export function npxWarning({ env, isTerminal, program, words }: Started): string | undefined {
  if (isTerminal || env['npm_command'] !== 'exec') return undefined;
  const command = ['node', program, ...words].map(shellWord).join(' ');
  return `warning NPX_SIGNALS: npx does not forward SIGTERM (npm/cli#6684); in job scripts run: ${command}`;
}
