/** How a run stands, by the small files of its folder. */
import { createHash } from 'node:crypto';
import { readInside } from './inside.js';
import type { RunEntry, RunState } from './shared/wire.js';

/** Description files are some kilobytes; a larger one is none. */
const MOST_BYTES = 1 << 20;
/** A trainer writes its heartbeat every 10 s. */
const LOST_AFTER = 120_000;

const STATES: readonly RunState[] = [
  'starting',
  'running',
  'stopping',
  'saved',
  'stopped',
  'finished',
  'diverged',
  'failed',
];
const ALIVE: readonly RunState[] = ['starting', 'running', 'stopping'];

/** A JSON object of a run's folder; empty where there is none. */
export async function readObject(folder: string, name: string): Promise<Record<string, unknown>> {
  try {
    const bytes = await readInside(folder, name, MOST_BYTES);
    const value: unknown = JSON.parse(bytes?.toString('utf8') ?? '{}');
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** A name for the page: nobody can make a path of it. */
export const runId = (dir: string) => createHash('sha256').update(dir).digest('hex').slice(0, 16);

const text = (value: unknown, most = 200) =>
  typeof value === 'string' ? value.slice(0, most) : '';
const number = (value: unknown) =>
  typeof value === 'number' && Number.isFinite(value) ? value : null;

function stateOf(
  summary: Record<string, unknown>,
  status: Record<string, unknown>,
  now: number,
): RunState {
  const named = STATES.find((state) => state === (summary['state'] ?? status['state']));
  if (named === undefined) return 'unknown';
  const silent = now - Date.parse(text(status['heartbeat'])) > LOST_AFTER;
  return ALIVE.includes(named) && silent ? 'lost' : named;
}

/** Reads how a run stands. @param name What it is called in the list. */
export async function readEntry(dir: string, name: string): Promise<RunEntry> {
  const files = ['run.json', 'status.json', 'summary.json'];
  const [run, status, summary] = (await Promise.all(
    files.map((file) => readObject(dir, file)),
  )) as [Record<string, unknown>, Record<string, unknown>, Record<string, unknown>];
  return {
    id: runId(dir),
    name,
    env: text(run['env']),
    algorithm: text(run['algorithm']),
    seed: number(run['seed']),
    created: text(run['created']),
    state: stateOf(summary, status, Date.now()),
    step: number(summary['steps'] ?? status['step']),
    score: number(summary['finalScore']),
  };
}
