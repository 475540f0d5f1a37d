/** Checkpoints that a caller asks for while a run goes on: the loop answers at its next pause. */
import { VirelError } from '../errors.js';

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

function ended(): VirelError {
  return new VirelError('ABORTED', 'the run has ended: nothing is saved any more', {
    where: 'run.save()',
    expected: 'a run that goes on',
    fix: "read run.finished; the last checkpoint is in the run's folder",
  });
}
