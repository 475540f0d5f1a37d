/** Hands every event to every sink. A sink that fails is left out from then on, with one warning. */
import type { TrainEvent } from './events.js';

/** Somewhere that events are written to. */
export interface Sink {
  /** For messages, such as the file's name. */
  readonly name: string;
  write(event: TrainEvent): void;
  close(): void;
}

/** A set of sinks. */
export class Logger {
  #sinks: Sink[];
  readonly #failed: (sink: string, error: unknown) => void;

  /** @param failed Told once of each sink that fails; its own events go to the sinks left. */
  constructor(sinks: readonly Sink[], failed: (sink: string, error: unknown) => void) {
    this.#sinks = [...sinks];
    this.#failed = failed;
  }

  write(event: TrainEvent): void {
    this.#each((sink) => sink.write(event));
  }

  close(): void {
    this.#each((sink) => sink.close());
    this.#sinks = [];
  }

  #each(action: (sink: Sink) => void): void {
    for (const sink of [...this.#sinks]) {
      try {
        action(sink);
      } catch (error) {
        this.#sinks = this.#sinks.filter((each) => each !== sink);
        this.#failed(sink.name, error);
      }
    }
  }
}
