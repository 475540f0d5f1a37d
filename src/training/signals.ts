/** Stop signals: the first asks for a stop at the next step boundary, the second ends the process at once. */

const NUMBERS = { SIGHUP: 1, SIGINT: 2, SIGUSR1: 10, SIGUSR2: 12, SIGTERM: 15 } as const;

/** The stop of this process. */
export interface StopSignals {
  /** Given at the first signal. */
  readonly signal: AbortSignal;
  /** 128 + the number of the signal that came, else undefined. */
  exitCode(): number | undefined;
  /** Leaves later signals to Node. */
  release(): void;
}

/**
 * Listens for INT, TERM, HUP, USR1 and USR2.
 *
 * @param first Called at the first signal, to say what will happen.
 */
export function stopOnSignals(first: (name: string) => void): StopSignals {
  const stop = new AbortController();
  let code: number | undefined;
  const names = Object.keys(NUMBERS) as (keyof typeof NUMBERS)[];
  const listen = (name: NodeJS.Signals) => {
    const exit = 128 + NUMBERS[name as keyof typeof NUMBERS];
    if (code !== undefined) process.exit(exit);
    code = exit;
    first(name);
    stop.abort();
  };
  for (const name of names) process.on(name, listen);
  return {
    signal: stop.signal,
    exitCode: () => code,
    release: () => {
      for (const name of names) process.off(name, listen);
    },
  };
}
