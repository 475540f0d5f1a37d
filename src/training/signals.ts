/** Stop signals: the first asks for a stop at the next step boundary, the second ends the process at once. */

/** Signals that stop training, with their numbers. */
export const STOP_SIGNALS = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGUSR1: 10,
  SIGUSR2: 12,
  SIGTERM: 15,
} as const;

/** The names of {@link STOP_SIGNALS}. */
export const STOP_NAMES = Object.keys(STOP_SIGNALS) as (keyof typeof STOP_SIGNALS)[];

/** What a process exits with that a signal stopped: 128 + its number. */
export const exitOf = (name: keyof typeof STOP_SIGNALS) => 128 + STOP_SIGNALS[name];

/** The stop of this process. */
export interface StopSignals {
  /** Given at the first signal. */
  readonly signal: AbortSignal;
  /** Given at the second, just before this process exits. */
  readonly atOnce: AbortSignal;
  /** 128 + the number of the signal that came, else undefined. */
  exitCode(): number | undefined;
  /** Takes note of a signal that came to another process of the same command; one that came here counts more. */
  hear(exitCode: number): void;
  /** Leaves later signals to Node. */
  release(): void;
}

/**
 * Listens for INT, TERM, HUP, USR1 and USR2.
 *
 * @param first Called at the first signal, to say what will happen.
 */
export function stopOnSignals(first: (name: string) => void): StopSignals {
  const [stop, atOnce] = [new AbortController(), new AbortController()];
  let code: number | undefined;
  let heard: number | undefined;
  const listen = (name: NodeJS.Signals) => {
    const exit = exitOf(name as keyof typeof STOP_SIGNALS);
    if (code !== undefined) {
      atOnce.abort();
      process.exit(exit);
    }
    code = exit;
    first(name);
    stop.abort();
  };
  for (const name of STOP_NAMES) process.on(name, listen);
  return {
    signal: stop.signal,
    atOnce: atOnce.signal,
    exitCode: () => code ?? heard,
    hear: (exitCode) => {
      heard ??= exitCode;
    },
    release: () => {
      for (const name of STOP_NAMES) process.off(name, listen);
    },
  };
}
