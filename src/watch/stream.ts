/** Updates as Server-Sent Events: what is there at once, then what comes, at most twice a second. */
import type { ServerResponse } from 'node:http';
import { FROM_THE_START, type Progress, Updates } from './updates.js';

/** Milliseconds between looks at the files; a message is sent only if they have something new. */
const PACE = 500;
/** Milliseconds after which a silent stream says that it lives. */
const SILENCE = 15_000;
/** Bytes that wait for a reader that does not read: then it is let go, and may come again for the rest. */
const MOST_WAITING = 16 << 20;

/** How far a reader has come, as it is told and tells it on coming back. */
export const eventId = ({ metrics, evaluations }: Progress) =>
  [metrics.file, metrics.offset, evaluations.file, evaluations.offset].join('-');

/** The other way; what is no id of ours is from the start. */
export function progressOf(id: string | undefined): Progress {
  const [, ...parts] = /^(\d{1,19})-(\d{1,15})-(\d{1,19})-(\d{1,15})$/.exec(id ?? '') ?? [];
  const [first, second, third, fourth] = parts.map(Number);
  if (fourth === undefined) return FROM_THE_START;
  return {
    metrics: { file: first as number, offset: second as number },
    evaluations: { file: third as number, offset: fourth },
  };
}

/** The run to follow. */
export interface Followed {
  readonly dir: string;
  readonly name: string;
  /** `Last-Event-ID`, if the reader was here before. */
  readonly last: string | undefined;
  /** Why there is no newer recording, if anything keeps us from making one. */
  note(): string | undefined;
}

/** Writes updates until the reader goes. */
export async function streamUpdates(response: ServerResponse, run: Followed): Promise<void> {
  const updates = new Updates(run.dir, run.name, progressOf(run.last));
  let said = performance.now();
  let noted: string | undefined;
  while (!response.destroyed && response.writableLength < MOST_WAITING) {
    const files = await updates.next();
    const note = run.note();
    const update = note === noted ? files : { ...files, note: note ?? '' };
    noted = note;
    if (update !== undefined) {
      response.write(`id: ${eventId(updates.progress)}\ndata: ${JSON.stringify(update)}\n\n`);
      said = performance.now();
    } else if (performance.now() - said > SILENCE) {
      response.write(':\n\n');
      said = performance.now();
    }
    await pause(response, PACE);
  }
  response.destroy();
}

/** Waits, or until the reader goes. */
function pause(response: ServerResponse, milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      response.off('close', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    response.on('close', done);
  });
}
