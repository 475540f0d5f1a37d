/** Checks of what `compareRuns` and `learningCurves` are given. */
import { VirelError } from '../errors.js';
import { loadRun, type Run } from '../training/load-run.js';

/** Replicates: fewer have no ends of an interval, more would take hours. */
const REPS = { least: 100, most: 10_000_000 };

/** Runs of folders. @throws VirelError `RUN_NOT_FOUND` if there is none, and as `loadRun`. */
export function loadAll(runs: readonly (string | Run)[]): Run[] {
  if (runs.length === 0) {
    const fix = 'give folders of runs';
    throw new VirelError('RUN_NOT_FOUND', 'no runs', { where: 'runs', fix });
  }
  return runs.map((run) => (typeof run === 'string' ? loadRun(run) : run));
}

function outOfRange(name: string, expected: string, got: unknown, example: unknown): VirelError {
  return new VirelError('CONFIG_RANGE', `${name}: expected ${expected}, got ${String(got)}`, {
    where: name,
    expected,
    got: String(got),
    fix: `--${name} ${example}`,
  });
}

/** Refuses what is no whole number in a range. @throws VirelError `CONFIG_RANGE`. */
export function requireWhole(
  name: string,
  value: number,
  least: number,
  most: number = Number.MAX_SAFE_INTEGER,
): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return;
  throw outOfRange(name, `a whole number from ${least} to ${most}`, value, least);
}

/** Refuses a name that is not in a list. @throws VirelError `CONFIG_RANGE`. */
export function requireOneOf(name: string, value: string, allowed: readonly string[]): void {
  if (allowed.includes(value)) return;
  throw outOfRange(name, `one of ${allowed.join('; ')}`, value || '""', allowed[0]);
}

/** Refuses a bootstrap that cannot be drawn. @throws VirelError `CONFIG_RANGE`. */
export function requireReplicates({ reps, seed }: { reps: number; seed: number }): void {
  requireWhole('reps', reps, REPS.least, REPS.most);
  requireWhole('seed', seed, 0);
}
