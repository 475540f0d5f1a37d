/** Events between training and whoever reads them: a slow reader never slows training. */
import type { TrainEvent } from '../logging/events.js';

/** Events that may wait before progress and metrics are thinned out. */
const CAPACITY = 1024;

const mayGo = ({ event }: TrainEvent) => event === 'progress' || event === 'metrics';

/**
 * A queue of events; each goes to one reader, and a reader that leaves leaves the rest to the next. Beyond 1,024 unread events the oldest progress or metrics goes; all others
 * are kept.
 */
export class EventQueue implements AsyncIterable<TrainEvent> {
  #events: TrainEvent[] = [];
  #ended = false;
  /** Taken for reading, newest first. */
  #taken: TrainEvent[] = [];
  #waiting: (() => void)[] = [];

  push(event: TrainEvent): void {
    // only the newest progress says where training stands
    if (event.event === 'progress' && this.#events.at(-1)?.event === 'progress') this.#events.pop();
    if (this.#events.length >= CAPACITY) {
      const oldest = this.#events.findIndex(mayGo);
      if (oldest >= 0) this.#events.splice(oldest, 1);
    }
    this.#events.push(event);
    this.#wake();
  }

  /** No further events; readers end after those that wait. */
  end(): void {
    this.#ended = true;
    this.#wake();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<TrainEvent, void, undefined> {
    for (;;) {
      // taken as a block: an array that is shifted one by one costs its length each time
      if (this.#taken.length === 0) {
        this.#taken = this.#events.reverse();
        this.#events = [];
      }
      const event = this.#taken.pop();
      if (event !== undefined) yield event;
      else if (this.#ended) return;
      else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }
}
