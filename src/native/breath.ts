/** Time that a loop of JavaScript may hold the event loop, so that signals, timers and pipes are served. */
const MOST_MILLISECONDS = 10;

/** Lets the event loop run now and then. When it does so changes nothing of what is computed. */
export class Breath {
  #last = performance.now();

  /** Returns at once, or after a turn of the event loop. */
  async take(): Promise<void> {
    if (performance.now() - this.#last < MOST_MILLISECONDS) return;
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.#last = performance.now();
  }
}
