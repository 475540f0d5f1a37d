/**
 * The page of `watch` beside a run that trains, in a process of its own: nothing that happens to it, and no reader of it, can
 * hold training up or end it.
 */
import { type ChildProcess, fork } from 'node:child_process';
import type { PlainError } from '../training/failure.js';
import type { WatchOptions } from './watch.js';

/** To the process of the page: what to show, then the end. */
export type ToPage = { readonly watch: WatchOptions } | { readonly close: true };

/** From it: where the page is, or why there is none. */
export type FromPage =
  | { readonly url: string; readonly port: number }
  | { readonly refused: PlainError };

/** Milliseconds that an end may take before it is made one. */
const PATIENCE = 3000;

/** Who is told of the page. */
export interface PageListener {
  opened(page: { readonly url: string; readonly port: number }): void;
  /** Why there is no page, or no longer, in a sentence; training goes on. */
  failed(reason: string): void;
}

/** A page beside training. */
export interface PageBeside {
  /** Ends it, after its readers were told how the run ended. */
  close(): Promise<void>;
}

/** Opens a page beside training. Never throws: a page is no reason to lose a run. */
export function openPageBeside(options: WatchOptions, listener: PageListener): PageBeside {
  const child = fork(new URL('./page-process.js', import.meta.url), {
    // what a native library prints there is no line of training's
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  let isOver = false;
  const fail = (reason: string) => {
    if (!isOver) listener.failed(reason);
    isOver = true;
  };
  const ended = new Promise<void>((resolve) => {
    child.on('error', ({ message }) => {
      fail(message);
      if (child.pid === undefined) resolve();
    });
    child.on('exit', (code, signal) => {
      fail(`it ended with ${signal ?? `exit code ${code}`}`);
      resolve();
    });
  });
  child.on('message', (message: FromPage) => {
    if (isOver) return;
    if ('refused' in message) fail(`${message.refused.code}: ${message.refused.message}`);
    else listener.opened(message);
  });
  say(child, { watch: options });
  return {
    close: async () => {
      isOver = true;
      say(child, { close: true });
      const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE);
      await ended;
      clearTimeout(timer);
    },
  };
}

function say(child: ChildProcess, message: ToPage): void {
  // one that is gone is told of by its end
  if (child.connected) child.send(message, () => {});
}
