/** The process of a page beside training: it gets one order, answers with the address, and ends when it is told or left alone. */
import { getPriority, setPriority } from 'node:os';
import { toPlain, toVirelError } from '../training/failure.js';
import { STOP_NAMES } from '../training/signals.js';
import type { FromPage, ToPage } from './beside.js';
import { type WatchOptions, watch } from './watch.js';

/** Training comes first where processors are few. */
const NICE = 10;
/** Milliseconds in which open pages are told how the run ended: two looks at its files. */
const LAST_LOOK = 1000;

// a terminal signals the whole group; the run is saved first, and the page is there until then
for (const name of STOP_NAMES) process.on(name, () => {});
process.on('disconnect', () => process.exit());
process.on('message', (message: ToPage) => {
  if ('close' in message) setTimeout(() => process.exit(), LAST_LOOK);
  else void serve(message.watch);
});

function tell(message: FromPage): void {
  if (process.connected) process.send?.(message);
}

async function serve(options: WatchOptions): Promise<void> {
  try {
    // one that runs lower already may not rise
    setPriority(Math.max(NICE, getPriority()));
    const { url, port } = await watch(options);
    tell({ url, port });
  } catch (error) {
    tell({ refused: toPlain(toVirelError(error)) });
    process.disconnect();
  }
}
