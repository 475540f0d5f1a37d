/** What a run takes of a machine, and how many runs that allows at a time; asked before anything is started. */
import { availableParallelism } from 'node:os';
import { passesOf } from '../bench/arithmetic.js';
import type { ResolvedConfig } from '../config/schema.js';
import { TASKS } from '../environments/tasks.js';
import { VirelError } from '../errors.js';
import { rowBytes } from '../training/disk-need.js';

/** What a machine has. */
export interface Resources {
  /** Processors that this process may use. */
  readonly cores: number;
  /** Bytes that programs may still take, within the limits of this process's group. */
  readonly memory: number;
}

/** What a run takes. */
export interface Needs {
  /** Threads of its learner. */
  readonly cores: number;
  /** Bytes at its end, when the replay buffer is full. */
  readonly memory: number;
}

/** This machine, now. */
export const machineResources = (): Resources => ({
  cores: availableParallelism(),
  memory: process.availableMemory(),
});

/** A trainer with Node, libtorch, MuJoCo and a small run: 216 MB measured (AMD EPYC, 2026-11-26), rounded up. */
const BASE_BYTES = 256e6;
/** Parameters of a network, their target, gradients, two moments, and a copy of the last finite ones. */
const COPIES = 6;
/** Sizes of the largest task, for an environment whose sizes are not known before it is loaded. */
const LARGEST = { observationSize: 376, actionSize: 17 };
/** Shares of the memory that may be planned for: what is left is for the system and for estimates that are wrong. */
const SHARE = 0.9;

/** What a run of this config takes. */
export function needsOf({ env, replay, steps, network, runtime }: ResolvedConfig): Needs {
  const task = TASKS.find(({ id }) => id === env.id) ?? LARGEST;
  const { observationSize, actionSize } = task;
  const widths = [observationSize + actionSize, ...network.hidden, 1];
  const networks = 2 + network.actionValues;
  const parameters = COPIES * networks * 4 * passesOf(widths).forward;
  const memory = BASE_BYTES + Math.min(steps, replay.capacity) * rowBytes(task) + parameters;
  return { cores: runtime.threads, memory };
}

/** The process that supervises a run: Node with the command line, 88 MB measured (AMD EPYC, 2026-11-26), rounded up. */
const SUPERVISOR_BYTES = 128e6;

/** Bytes to ask a scheduler for, so that a run which is alone there is not refused by {@link jobsFor}. */
export const memoryToAskFor = ({ memory }: Needs) => memory / SHARE + SUPERVISOR_BYTES;

const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`;

/**
 * How many runs train at a time.
 *
 * @param runs How many there are.
 * @param needs Of every kind of run among them.
 * @param asked Of `--jobs`; as many as cores and memory allow without it.
 * @throws VirelError `OUT_OF_MEMORY` where the memory cannot hold so many of the largest runs, or not even one.
 */
export function jobsFor(
  runs: number,
  needs: readonly Needs[],
  { cores, memory }: Resources,
  asked?: number,
): number {
  const largest = Math.max(...needs.map((each) => each.memory));
  const threads = Math.max(...needs.map((each) => each.cores));
  const fit = Math.floor((SHARE * memory) / largest);
  const wanted = Math.min(asked ?? Math.max(1, Math.floor(cores / threads)), runs);
  if (fit < 1 || (asked !== undefined && fit < wanted))
    throw tooLarge(largest, wanted, fit, memory);
  return Math.min(wanted, fit);
}

function tooLarge(each: number, jobs: number, fit: number, memory: number): VirelError {
  const runs = `${jobs} run${jobs === 1 ? '' : 's at a time'}`;
  const message = `${runs} would take ${gigabytes(jobs * each)} of memory, ${gigabytes(memory)} are free`;
  return new VirelError('OUT_OF_MEMORY', message, {
    where: 'memory',
    expected: `${gigabytes((jobs * each) / SHARE)} free`,
    got: gigabytes(memory),
    fix: fit > 0 ? `--jobs ${fit}` : 'a smaller replay.capacity, or a machine with more memory',
  });
}

/** What to say where more threads are asked for than there are cores; undefined where there are enough. */
export function oversubscribed(
  jobs: number,
  needs: readonly Needs[],
  { cores }: Resources,
): string | undefined {
  const threads = jobs * Math.max(...needs.map((each) => each.cores));
  if (threads <= cores) return undefined;
  return `${jobs} runs at a time with ${threads} threads on ${cores} core${cores === 1 ? '' : 's'}: each will be slower`;
}
