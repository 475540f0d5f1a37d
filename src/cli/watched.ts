/** `--watch` of the verbs that train: the page of `watch` from a run's first event to its end. */
import type { TrainEvent } from '../logging/events.js';
import type { Supervision } from '../training/supervise.js';
import { openPageBeside, type PageBeside } from '../watch/beside.js';
import { printJson } from './output.js';

/** The flag. */
export const WATCH = { type: 'boolean', describe: 'The page of watch, until it ends' } as const;

/** How the page is told of. */
export interface WatchedOptions {
  readonly json: boolean | undefined;
  /** The runs that its list has. */
  readonly runsDir: string;
  /** Shows a line for people. */
  say(line: string): void;
}

/**
 * Trains with a page, which is there as soon as there is a run to show.
 *
 * @param train Trains, and tells every event to what it is given.
 */
export async function watchTraining<T>(
  { json, runsDir, say }: WatchedOptions,
  control: Supervision,
  train: (control: Supervision) => Promise<T>,
): Promise<T> {
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
  const emit = (event: TrainEvent) => {
    control.emit(event);
    if (event.event === 'start') page ??= open(event.runDir);
  };
  try {
    return await train({ ...control, emit });
  } finally {
    await page?.close();
  }
}
