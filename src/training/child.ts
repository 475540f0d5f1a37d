/** A process that trains one seed for `trainMany`: the run comes in by a message, its events go out by messages. */
import type { Resolution } from '../config/resolve.js';
import { type RunPlace, startTraining } from './train.js';

/** What the parent sends: a run at first, then maybe a stop. */
export type ToChild =
  | { run: { resolution: Resolution; place: RunPlace; argv: readonly string[] } }
  | { stop: true };

const stop = new AbortController();
// a terminal signals the whole group: the parent decides, and says so by a message or by going away
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const) {
  process.on(name, () => {});
}
process.on('disconnect', () => stop.abort());

async function train({ run }: Extract<ToChild, { run: unknown }>): Promise<void> {
  const { resolution, place, argv } = run;
  const training = startTraining(resolution, place, { signal: stop.signal, argv });
  for await (const event of training) if (process.connected) process.send?.(event);
  if (process.connected) process.disconnect();
}

process.on('message', (message: ToChild) => {
  if ('stop' in message) stop.abort();
  else void train(message);
});
