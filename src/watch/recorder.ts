/** Keeps a recording of the newest checkpoint of the run that is watched, while its page is open. */
import { isVirelError } from '../errors.js';
import { ensureNative } from '../native/addon.js';
import { listCheckpoints } from '../training/checkpoint.js';
import { passTime } from '../training/patient-save.js';
import { hasRecording } from './recordings.js';

/** Milliseconds between looks for a new checkpoint. */
const PACE = 5000;
/** Milliseconds from one recording to the next: each better evaluation leaves a checkpoint, early ones come by seconds. */
const GAP = 30_000;
/** Of the start state, the same for all checkpoints, so that what differs is the policy. */
const SEED = 0;

/** A recorder at work. */
export interface Recorder {
  /** Why there is no newer recording, in a sentence. */
  note(): string | undefined;
  close(): Promise<void>;
}

/** The step of the newest checkpoint, if it has no recording yet. */
async function unrecorded(dir: string): Promise<number | undefined> {
  const newest = listCheckpoints(dir).at(-1);
  if (newest === undefined) return undefined;
  const step = Number(newest);
  return (await hasRecording(dir, step)) ? undefined : step;
}

/** What keeps us from recording, as the page says it. */
function sentence(error: unknown): string {
  const { code, message } = error as { code?: string; message: string };
  const ours = isVirelError(error) ? `${code}: ` : '';
  return `No new recording (${ours}${message}).`;
}

async function recordStep(dir: string, step: number, signal?: AbortSignal): Promise<void> {
  await ensureNative({ noSetup: true });
  const { recordEpisode } = await import('./record.js');
  await recordEpisode(dir, { step, seed: SEED, signal });
}

/** Records an episode of the newest checkpoint, unless there is one. @returns What kept us from it, in a sentence. */
export async function recordNewest(dir: string): Promise<string | undefined> {
  try {
    const step = await unrecorded(dir);
    if (step !== undefined) await recordStep(dir, step);
    return undefined;
  } catch (error) {
    return sentence(error);
  }
}

/**
 * Records an episode of each newest checkpoint as it comes.
 *
 * The native part is used if it is there, never set up for it. A checkpoint is tried once.
 */
export function keepRecording(dir: string): Recorder {
  const stop = new AbortController();
  let note: string | undefined;
  const tried = new Set<number>();
  let next = 0;
  const record = async () => {
    if (performance.now() < next) return;
    const step = await unrecorded(dir);
    if (step === undefined || tried.has(step)) return;
    // one that the page does not take, such as one that is too long, is not made again and again either
    tried.add(step);
    try {
      await recordStep(dir, step, stop.signal);
      next = performance.now() + GAP;
      note = undefined;
    } catch (error) {
      if (stop.signal.aborted) return;
      // a checkpoint may have been removed meanwhile: the next one comes
      if ((error as { code?: string }).code !== 'CHECKPOINT_NONE') note = sentence(error);
    }
  };
  const loop = (async () => {
    while (!stop.signal.aborted) {
      await record().catch(() => {});
      await passTime(PACE, stop.signal);
    }
  })();
  return {
    note: () => note,
    close: async () => {
      stop.abort();
      await loop;
    },
  };
}
