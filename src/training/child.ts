/** A process that trains one seed for `trainMany`: the run comes in by a message, its events go out by messages. */
import type { Resolution } from '../config/resolve.js';
import type { TrainEvent } from '../logging/events.js';
import type { RunPlace } from './train.js';

/** What the parent sends: a run at first, then maybe a stop. */
export type ToChild =
  | { run: { resolution: Resolution; place: RunPlace; argv: readonly string[] } }
  | { stop: true };

const stop = new AbortController();
// a terminal signals the whole group: the parent decides, and says so by a message or by going away
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const) {
  process.on(name, () => {});
}
// without a parent nobody reads on: save and stop
process.on('disconnect', () => stop.abort());
process.on('error', () => stop.abort());

/** Resolves when the event is on its way. A channel that breaks is a stop, never an error of training. */
function send(event: TrainEvent): Promise<void> {
  return new Promise((resolve) => {
    if (!process.connected || process.send === undefined) {
      resolve();
      return;
    }
    process.send(event, undefined, undefined, (error) => {
      if (error) stop.abort();
      resolve();
    });
  });
}

async function train({ run }: Extract<ToChild, { run: unknown }>): Promise<void> {
  // not before the listeners: until they stand, USR1 opens the debugger of Node
  const { startTraining } = await import('./train.js');
  const { resolution, place, argv } = run;
  const training = startTraining(resolution, place, { signal: stop.signal, argv });
  let last = Promise.resolve();
  for await (const event of training) last = send(event);
  await last;
  if (process.connected) process.disconnect();
}

process.on('message', (message: ToChild) => {
  if ('stop' in message) stop.abort();
  else void train(message);
});
