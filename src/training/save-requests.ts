/** Checkpoints that a caller asks for while a run goes on: the loop answers at its next pause. */
import { VirelError } from '../errors.js';
import { fromPlain } from './failure.js';
import type { Saved } from './messages.js';

interface Waiting {
  resolve: (path: string) => void;
  reject: (error: VirelError) => void;
}

/** Those of one run. */
export class SaveRequests {
  readonly #waiting: Waiting[] = [];
  #ended = false;

  /** Resolves with the folder of the checkpoint; rejects with `ABORTED` where the run ends without one. */
  ask(): Promise<string> {
    if (this.#ended) return Promise.reject(ended());
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  /** Whether anyone waits. */
  get arePending(): boolean {
    return this.#waiting.length > 0;
  }

  /** Tells all who wait where the checkpoint is. */
  answer(path: string): void {
    for (const { resolve } of this.#waiting.splice(0)) resolve(path);
  }

  /** Tells all who wait that it could not be written. */
  refuse(error: VirelError): void {
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }

  /** The run has ended: nobody is answered any more. */
  end(): void {
    this.#ended = true;
    this.refuse(ended());
  }
}

/** Those of a run in another process, each by a number: an answer on its way is not that of a later request. */
export class SaveOrders {
  readonly #waiting = new Map<number, Waiting>();
  #send: ((save: number) => void) | undefined;
  #count = 0;
  #ended = false;

  /** The other process is there: sends it what was asked for before, and what will be. */
  begin(send: (save: number) => void): void {
    this.#send = send;
    for (const save of this.#waiting.keys()) send(save);
  }

  /** Resolves with the folder of the checkpoint; rejects with `ABORTED` where the run ends without one. */
  ask(): Promise<string> {
    if (this.#ended) return Promise.reject(ended());
    const save = this.#count;
    this.#count += 1;
    const answer = new Promise<string>((resolve, reject) => {
      this.#waiting.set(save, { resolve, reject });
    });
    this.#send?.(save);
    return answer;
  }

  hear(saved: Saved): void {
    const waiting = this.#waiting.get(saved.save);
    this.#waiting.delete(saved.save);
    if ('path' in saved) waiting?.resolve(saved.path);
    else waiting?.reject(fromPlain(saved.error));
  }

  /** The run has ended: nobody is answered any more. */
  end(): void {
    this.#ended = true;
    for (const { reject } of this.#waiting.values()) reject(ended());
    this.#waiting.clear();
  }
}

function ended(): VirelError {
  return new VirelError('ABORTED', 'the run has ended: nothing is saved any more', {
    where: 'run.save()',
    expected: 'a run that goes on',
    fix: "read run.finished; the last checkpoint is in the run's folder",
  });
}
