/** How the runs of a sweep stand, read from their own files: a run's folder is the only truth about it. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { lockOwner } from '../locking/lock.js';
import type { Summary } from '../logging/events.js';
import { listCheckpoints } from '../training/checkpoint.js';
import { isSilent } from '../training/heartbeat.js';

/**
 * `done`: trained to its last step. `running`: a living process has it. `requeued`: saved, and its job waits in the queue of a
 * cluster to go on. `stopped`: saved, or its process died; it can go on. `diverged`: it would again, the bits being the same.
 * `failed`: of another cause. `missing`: not begun.
 */
export const STATES = [
  'done',
  'running',
  'requeued',
  'stopped',
  'diverged',
  'failed',
  'missing',
] as const;
/** How a run stands. */
export type RunState = (typeof STATES)[number];

/** A run of a sweep as its folder shows it. */
export interface RunStanding {
  readonly state: RunState;
  /** Environment steps done, as far as files say. */
  readonly step: number;
  /** Of a run that failed. */
  readonly code?: string;
  /** Of a run that failed. */
  readonly message?: string;
  /** Of a run that ended; null without an evaluation near its end. */
  readonly finalScore?: number | null;
  /** Of a run that is done: what it took. */
  readonly wallSeconds?: number;
}

/** Codes of failures that the same bits lead to again. */
const AGAIN = ['DIVERGED', 'SIM_UNSTABLE'];

function readJson<T>(path: string): Partial<T> | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Partial<T>;
  } catch {
    return undefined;
  }
}

/** Whether a process trains in a folder; one of another machine is dead once it has missed its heartbeats. */
export const isHeld = (runDir: string): boolean =>
  lockOwner(join(runDir, 'run.lock'), () => isSilent(runDir)) !== undefined;

/** How the run in a folder stands. */
export function standing(runDir: string): RunStanding {
  const status = readJson<{ step: number }>(join(runDir, 'status.json'));
  const step = status?.step ?? 0;
  if (status !== undefined && isHeld(runDir)) return { state: 'running', step };
  const summary = readJson<Summary>(join(runDir, 'summary.json'));
  if (summary !== undefined) return ended(summary);
  // killed with its supervisor, or before it had described itself
  return { state: existsSync(join(runDir, 'run.json')) ? 'stopped' : 'missing', step };
}

function ended({ state, steps, code, message, finalScore, wallSeconds }: Partial<Summary>) {
  const step = steps ?? 0;
  const score = { finalScore: finalScore ?? null };
  if (state === 'finished')
    return { state: 'done', step, ...score, wallSeconds: wallSeconds ?? 0 } as const;
  if (state === 'stopped') return { state: 'stopped', step, ...score } as const;
  const reason = { ...(code && { code }), ...(message && { message }) };
  const again = code !== undefined && AGAIN.includes(code);
  return { state: again ? 'diverged' : 'failed', step, ...reason, ...score } as const;
}

/** How many runs are in each state; in the order of {@link STATES}. */
export function countStates(standings: readonly RunStanding[]): Record<RunState, number> {
  const counts = Object.fromEntries(STATES.map((state) => [state, 0])) as Record<RunState, number>;
  for (const { state } of standings) counts[state] += 1;
  return counts;
}

/** `done 61 | running 8 | diverged 1 | missing 28`; only what there is, but always what is done. */
export const countsText = (counts: Record<RunState, number>) =>
  STATES.filter((state) => state === 'done' || counts[state] > 0)
    .map((state) => `${state} ${counts[state]}`)
    .join(' | ');

/** Everything that a run writes into its folder. */
const OF_RUN =
  /^(run\.(json|lock)|config\.(yaml|origin\.json)|model\.(xml|LICENSE)|task\.json|(status|summary)\.json|(metrics|log)\.jsonl|(eval|episodes)\.csv|events\.out\.tfevents\..*|assets|checkpoints|replay|diverged)(\.tmp-\d+|(\.stale)?\.\d+(-[0-9a-f]{8})?)?$/;

/** Whether a folder has nothing in it but what a run left there, so that it may be emptied for a run from the start. */
export function holdsOnlyRun(runDir: string): boolean {
  try {
    return readdirSync(runDir).every((name) => OF_RUN.test(name));
  } catch {
    return false;
  }
}

/** Whether a run can go on from where it was. */
export const hasCheckpoint = (runDir: string) => listCheckpoints(runDir).length > 0;
