import { VirelError } from '../errors.js';
import type { Reporter } from './progress.js';

/** Runs `work` under an AbortSignal that INT, TERM, HUP, USR1 and USR2 fire; afterwards the process ends by that signal. */
export async function untilSignal<Result>(
  reporter: Reporter,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const controller = new AbortController();
  let caught: NodeJS.Signals | undefined;
  const onSignal = (signal: NodeJS.Signals) => {
    caught = signal;
    controller.abort(
      new VirelError('ABORTED', 'set-up was interrupted', { fix: 'npx virel-native setup' }),
    );
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const;
  for (const signal of signals) process.on(signal, onSignal);
  try {
    return await work(controller.signal);
  } finally {
    for (const signal of signals) process.off(signal, onSignal);
    if (caught) {
      reporter.line('set-up interrupted; run the same command again to go on');
      process.kill(process.pid, caught);
    }
  }
}
