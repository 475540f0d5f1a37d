/** `train --watch`: the page of `watch` from a run's first event to its end. */
import type { TrainEvent } from '../logging/events.js';
import { openPageBeside, type PageBeside } from '../watch/beside.js';
import { printJson } from './output.js';

/** How the page is told of. */
export interface WatchedOptions {
  readonly json: boolean | undefined;
  /** The runs that its list has. */
  readonly runsDir: string;
  /** Shows a line for people. */
  say(line: string): void;
}

/** The page of a command that trains. */
export interface WatchedTraining {
  /** Told every event; the first run's start opens the page. */
  hear(event: TrainEvent): void;
  close(): Promise<void>;
}

/** Makes a page as soon as there is a run to show. */
export function watchTraining({ json, runsDir, say }: WatchedOptions): WatchedTraining {
  let page: PageBeside | undefined;
  const open = (runDir: string) => {
    const where = { run: runDir, runsDir, host: '127.0.0.1', port: 0, record: true };
    return openPageBeside(where, {
      opened: ({ url, port }) => {
        if (json) printJson({ event: 'watching', url, port, runDir });
        say(`watching ${url} until training ends`);
      },
      failed: (reason) => say(`warning PAGE_LOST: no page to watch (${reason}); training goes on`),
    });
  };
  return {
    hear: (event) => {
      if (event.event === 'start') page ??= open(event.runDir);
    },
    close: async () => page?.close(),
  };
}
