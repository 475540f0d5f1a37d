/** The last save of a run: a disk that is full then would cost all of it, so it is waited for. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isVirelError, type VirelError } from '../errors.js';

/** Milliseconds between two tries, as for logs, and how many of them: ten minutes. */
const RETRY_MILLISECONDS = 30_000;
const TRIES = 20;

/** What a patient save needs of its surroundings. */
export interface SavePatience {
  /** A stop ends the patience, after a last try. */
  readonly signal: AbortSignal;
  /** Told once that it waits. */
  waits(reason: VirelError): void;
  /** Passes this time, or less once the signal is given. */
  wait(milliseconds: number, signal: AbortSignal): Promise<void>;
}

/** Time as it passes. */
export const passTime: SavePatience['wait'] = (milliseconds, signal) =>
  sleep(milliseconds, undefined, { signal }).catch(() => {});

const isFull = (error: unknown): error is VirelError =>
  isVirelError(error) && (error.code === 'DISK_FULL' || error.code === 'QUOTA');

/** Saves; where the disk is full, again every 30 s for ten minutes. @throws what `save` threw last. */
export async function savePatiently(
  save: () => Promise<void>,
  { signal, waits, wait }: SavePatience,
): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await save();
    } catch (error) {
      if (!isFull(error) || tries === TRIES || signal.aborted) throw error;
      if (tries === 0) waits(error);
      await wait(RETRY_MILLISECONDS, signal);
    }
  }
}
