/** A trainer as its supervisor holds it: started, spoken to, listened to, ended. */
import { type ChildProcess, fork } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { VirelError } from '../errors.js';
import type { FromTrainer, ToTrainer } from './messages.js';

/** Milliseconds after a trainer's end in which its last messages and lines are waited for. */
const LAST_WORDS = 2000;

/** Options of Node that are of one process: how its text comes in, a debugger, a profile, a test. */
const OWN = /^(-[ep]$|-pe$|--(eval|print|input-type|inspect|test|watch|cpu-prof|heap-prof|prof)\b)/;

/** Those that a trainer gets, too, each with the word that is its value: a loader, a limit of memory. */
export function inheritedOptions(words: readonly string[]): string[] {
  let isKept = true;
  return words.filter((word) => {
    if (word.startsWith('-')) isKept = !OWN.test(word);
    return isKept;
  });
}

/** Who listens to a trainer. */
export interface Listener {
  message(message: FromTrainer): void;
  /** A line on its standard error: of native libraries, of an environment in TypeScript. */
  line(text: string): void;
}

/** One trainer process. */
export class TrainerProcess {
  readonly #child: ChildProcess;
  #refusal: string | undefined;

  /** Starts it; it prepares itself and waits for an order. */
  constructor() {
    this.#child = fork(new URL('./trainer.js', import.meta.url), {
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
      serialization: 'advanced',
      execArgv: inheritedOptions(process.execArgv),
    });
    // a process that cannot be started has no end; a message that cannot be sent is followed by one
    this.#child.on('error', (error) => {
      this.#refusal ??= error.message;
    });
  }

  /** Undefined where it could not be started. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Whether it has ended, or never began. */
  get isOver(): boolean {
    const { pid, exitCode, signalCode } = this.#child;
    return pid === undefined || exitCode !== null || signalCode !== null;
  }

  /** Whether this process stays alive for it. */
  keep(isKept: boolean): void {
    const { stderr, channel } = this.#child;
    const handles = [this.#child, channel, stderr as (Readable & { unref?(): void }) | null];
    for (const handle of handles as ({ ref?(): void; unref?(): void } | null | undefined)[]) {
      if (isKept) handle?.ref?.();
      else handle?.unref?.();
    }
  }

  /** @throws VirelError `ARGUMENT_TYPE` for what no message holds, such as a function. */
  send(message: ToTrainer): void {
    if (!this.#child.connected) return;
    try {
      this.#child.send(message);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new VirelError('ARGUMENT_TYPE', `a run in a process of its own: ${reason}`, {
        where: 'options of train or resume',
        expected: 'values that can be copied to another process',
        fix: 'leave it out, or inProcess: true',
        cause,
      });
    }
  }

  /** Ends it at once: whatever it does, nothing of it runs on. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }

  /**
   * Listens until it ends.
   *
   * @returns How it ended, after its last message and line: `SIGABRT`, `exit code 1`, or why it could not be started.
   */
  follow(listener: Listener): Promise<string> {
    const child = this.#child;
    child.on('message', (message) => listener.message(message as FromTrainer));
    const { stderr } = child;
    if (stderr !== null)
      createInterface({ input: stderr }).on('line', (text) => listener.line(text));
    return new Promise((resolve) => {
      const end = () => {
        const { exitCode, signalCode } = child;
        resolve(this.#refusal ?? signalCode ?? `exit code ${exitCode}`);
      };
      if (child.pid === undefined) setImmediate(end);
      // after the last message and line, unlike 'exit'
      child.on('close', end);
      // a process that an environment started may hold the pipe open
      child.on('exit', () => setTimeout(end, LAST_WORDS).unref());
    });
  }
}
