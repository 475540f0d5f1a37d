/** What a run will want of its disk, said before its first step: a disk that fills up after hours costs the hours. */
import type { ResolvedConfig } from '../config/schema.js';
import type { TaskSizes } from '../environments/choices.js';
import { freeMegabytes } from '../setup/disk.js';

/** A new checkpoint stands beside the old one before that goes. */
const CHECKPOINTS = 2;
/** Bytes of a number on disk, float32. */
const FLOAT = 4;
/** A parameter with its two moments in Adam. */
const WITH_MOMENTS = 3;
/** Bytes of a checkpoint's headers, JSON files and simulator state, about. */
const OVERHEAD = 50_000;

/** Parts of the need, in bytes. */
export interface DiskNeed {
  /** One checkpoint without rows of the replay buffer. */
  readonly checkpoint: number;
  /** One row of the replay buffer; s, a, r, s′ and what bootstraps. */
  readonly row: number;
  /** Rows that are still to be written. */
  readonly rows: number;
  /** Two checkpoints and the rows. */
  readonly total: number;
}

/** Bytes of a transition, (s, a, r, s', discount), as `replay/buffer.rs` keeps them. */
export const rowBytes = ({
  observationSize,
  actionSize,
}: Pick<TaskSizes, 'observationSize' | 'actionSize'>) =>
  FLOAT * (2 * observationSize + actionSize + 2);

/** Parameters of a network of these widths, from its input to its outputs. */
const parameters = (widths: readonly number[]) =>
  widths.slice(1).reduce((sum, width, index) => sum + width * ((widths[index] ?? 0) + 1), 0);

/**
 * Bytes that a run will write at most beside its logs, which are small.
 *
 * @param written Rows of the replay buffer that lie on the disk already, of a run that is taken up.
 */
export function diskNeed(config: ResolvedConfig, task: TaskSizes, written = 0): DiskNeed {
  const { observationSize, actionSize } = task;
  const { hidden, policyHidden, actionValues } = config.network;
  const policy = parameters([observationSize, ...policyHidden, 2 * actionSize]);
  const actionValue = parameters([observationSize + actionSize, ...hidden, 1]);
  const stateValue = parameters([observationSize, ...hidden, 1]);
  // every network with its target, more than any algorithm has
  const all = 2 * (policy + actionValues * actionValue + stateValue);
  const checkpoint = FLOAT * WITH_MOMENTS * all + OVERHEAD;
  const row = rowBytes(task);
  const kept = config.checkpoint.replay ? Math.min(config.steps, config.replay.capacity) : 0;
  const rows = Math.max(0, kept - written);
  return { checkpoint, row, rows, total: CHECKPOINTS * checkpoint + rows * row };
}

/** `2.9 GB`, `170 MB`. */
const bytesText = (bytes: number) =>
  bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${Math.ceil(bytes / 1e6)} MB`;

/** Bytes that this user may still write where a folder lies; undefined where the system does not say. */
export function freeBytes(folder: string): number | undefined {
  try {
    return 1e6 * freeMegabytes(folder);
  } catch {
    return undefined;
  }
}

/**
 * What to say of a disk that cannot hold what a run will write; nothing of one that can. A warning, no refusal: there may be
 * room by then, and a full disk does not end a run.
 */
export function diskWarning(need: DiskNeed, folder: string, free = freeBytes(folder)) {
  if (free === undefined || free >= need.total) return undefined;
  const { rows, row, checkpoint } = need;
  const parts = [
    `${CHECKPOINTS} checkpoints of ${bytesText(checkpoint)}`,
    ...(rows > 0
      ? [`${rows.toLocaleString('en-US')} rows of the replay buffer, ${row} bytes each`]
      : []),
  ];
  const fix =
    rows > 0
      ? '--set replay.capacity=N keeps fewer rows, --set checkpoint.replay=false none (resume is inexact then)'
      : 'another --run-dir';
  return `this run will need ${bytesText(need.total)} (${parts.join(', ')}), ${bytesText(free)} free in ${folder}; ${fix}`;
}
