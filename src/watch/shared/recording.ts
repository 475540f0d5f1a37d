/**
 * `.qrec`, a recorded episode: one line of JSON, then a record of equal size for every state. Read by Node and by the page.
 *
 * A record is qpos `[nq]`, the action that led there `[nu]` and its reward, float32, then the CRC-32 of these bytes, all
 * little-endian. The first record is the start state: its action and reward are zero. Records stand for themselves, so a
 * file that is cut short or damaged is read up to there.
 */
import { crc32 } from './crc32.js';

/** What the first line says. */
export interface RecordingHeader {
  /** Of the file. */
  readonly format: 1;
  /** Task. */
  readonly env: string;
  /** Its public name. */
  readonly algorithm: string;
  /** Environment steps that the policy was trained for. */
  readonly step: number;
  /** Of the start state. */
  readonly seed: number;
  /** SHA-256 of the MJCF; null where the run does not say. */
  readonly model: string | null;
  /** MuJoCo that computed the states. */
  readonly mujoco: string | null;
  /** Width of a state. */
  readonly nq: number;
  /** Width of an action. */
  readonly nu: number;
  /** Seconds from one state to the next. */
  readonly dt: number;
  /** Steps of the episode: there is one state more. */
  readonly steps: number;
  /** Sum of the rewards, in float64. */
  readonly return: number;
}

/** The states of an episode, as they are drawn. */
export interface Recording {
  readonly header: RecordingHeader;
  /** States that are whole; `header.steps + 1` unless the file was cut short. */
  readonly frames: number;
  /** Row-major, `[frames, nq]`. */
  readonly qpos: Float32Array;
  /** `[frames, nu]`. */
  readonly action: Float32Array;
  /** `[frames]`. */
  readonly reward: Float32Array;
}

/** Longest first line; a file whose first bytes promise more is none of ours. */
const MOST_HEADER = 8192;
/** More than any task's: a header that says more is damaged, and would ask for memory without end. */
const MOST = { width: 100_000, steps: 10_000_000 };
const NEWLINE = 10;

/** Bytes of a record. */
const recordBytes = ({ nq, nu }: RecordingHeader) => 4 * (nq + nu + 2);

/** The bytes of a recording. */
export function encodeRecording({ header, frames, qpos, action, reward }: Recording): Uint8Array {
  const head = new TextEncoder().encode(`${JSON.stringify(header)}\n`);
  const { nq, nu } = header;
  const size = recordBytes(header);
  const bytes = new Uint8Array(head.length + frames * size);
  bytes.set(head);
  const view = new DataView(bytes.buffer);
  for (let frame = 0; frame < frames; frame += 1) {
    const start = head.length + frame * size;
    const values = [
      ...qpos.subarray(frame * nq, (frame + 1) * nq),
      ...action.subarray(frame * nu, (frame + 1) * nu),
      reward[frame] as number,
    ];
    for (const [index, value] of values.entries()) view.setFloat32(start + 4 * index, value, true);
    const checksum = crc32(bytes.subarray(start, start + size - 4));
    view.setUint32(start + size - 4, checksum, true);
  }
  return bytes;
}

const whole = (value: unknown, most: number) =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) <= most;

/** The header, if it is one that this version reads; else what is wrong. */
function checkHeader(value: unknown): RecordingHeader | string {
  if (typeof value !== 'object' || value === null) return 'its first line is no header';
  const header = value as RecordingHeader;
  if (header.format !== 1) return `layout ${String(header.format)}, this version reads layout 1`;
  const sizes = whole(header.nq, MOST.width) && whole(header.nu, MOST.width) && header.nq > 0;
  if (!sizes || !whole(header.steps, MOST.steps)) return 'its sizes are not possible';
  if (!(header.dt > 0 && header.dt < 1e6)) return 'its time step is not possible';
  const texts = [header.env, header.algorithm].every((text) => typeof text === 'string');
  const numbers = [header.step, header.seed].every((number) => whole(number, 2 ** 53));
  return texts && numbers ? header : 'its header lacks keys';
}

/** Where the first line ends, and what it says; else what is wrong. */
export function readHeader(bytes: Uint8Array): { header: RecordingHeader; end: number } | string {
  const end = bytes.subarray(0, MOST_HEADER).indexOf(NEWLINE);
  if (end < 0) return 'its first line is no header';
  try {
    const checked = checkHeader(JSON.parse(new TextDecoder().decode(bytes.subarray(0, end))));
    return typeof checked === 'string' ? checked : { header: checked, end: end + 1 };
  } catch {
    return 'its first line is no header';
  }
}

/** Whole records of a file of this size: what the page will show of it, unless a record is damaged. */
export const framesIn = (header: RecordingHeader, end: number, bytes: number) =>
  Math.min(Math.floor((bytes - end) / recordBytes(header)), header.steps + 1);

/**
 * Reads a recording as far as it is whole.
 *
 * @returns The states up to the first that is cut or damaged; a sentence where not even the first is there.
 */
export function decodeRecording(bytes: Uint8Array): Recording | string {
  const read = readHeader(bytes);
  if (typeof read === 'string') return read;
  const { header, end } = read;
  const { nq, nu } = header;
  const size = recordBytes(header);
  const most = framesIn(header, end, bytes.length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [qpos, action] = [new Float32Array(most * nq), new Float32Array(most * nu)];
  const reward = new Float32Array(most);
  let frames = 0;
  for (; frames < most; frames += 1) {
    const start = end + frames * size;
    const body = bytes.subarray(start, start + size - 4);
    if (crc32(body) !== view.getUint32(start + size - 4, true)) break;
    const value = (index: number) => view.getFloat32(start + 4 * index, true);
    for (let index = 0; index < nq; index += 1) qpos[frames * nq + index] = value(index);
    for (let index = 0; index < nu; index += 1) action[frames * nu + index] = value(nq + index);
    reward[frames] = value(nq + nu);
  }
  if (frames === 0) return 'not one state of it is whole';
  return {
    header,
    frames,
    qpos: qpos.subarray(0, frames * nq),
    action: action.subarray(0, frames * nu),
    reward: reward.subarray(0, frames),
  };
}
