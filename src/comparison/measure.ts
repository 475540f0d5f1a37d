/** What a run measured over its steps, and its score: a number that enters a comparison. */
import { nearest } from '../config/nearest.js';
import { VirelError } from '../errors.js';
import { METRICS } from '../logging/metrics.js';
import type { MetricsRecord } from '../logging/metrics-line.js';
import { type Measured, scoreOf } from '../statistics/score.js';
import type { Run } from '../training/load-run.js';

/** What is compared unless asked otherwise: the return of the deterministic policy. */
export const DEFAULT_METRIC = 'eval/mean_reward';

/** Refuses a metric that no run can have. @throws VirelError `METRIC_UNKNOWN`. */
export function requireMetric(metric: string): void {
  const names = METRICS.map(({ name }) => name);
  if (names.includes(metric)) return;
  const near = nearest(metric, names);
  throw new VirelError('METRIC_UNKNOWN', `no metric ${metric || '""'}`, {
    where: 'metric',
    expected: 'a name of docs/metrics.md',
    got: metric,
    fix: near === undefined ? `--metric ${DEFAULT_METRIC}` : `did you mean ${near}?`,
  });
}

/** The records of a run that have a metric, in the order of their steps. */
export const recordsOf = (run: Run, metric: string): MetricsRecord[] =>
  run.metrics().filter(({ m }) => Object.hasOwn(m, metric));

/** A run's place in a comparison. */
export interface RunScore {
  /** The run's folder. */
  readonly runDir: string;
  /** The run's seed. */
  readonly seed: number;
  /** In the unit of the metric. */
  readonly score: number;
  /** How the run came to its score: it did all steps asked for, or it failed before and enters with its last evaluation. */
  readonly ended: 'reached' | 'diverged' | 'failed';
}

/** Environment steps that a run is known to have done. */
const stepsDone = (run: Run, measured: readonly Measured[]) =>
  Math.max(run.summary?.steps ?? 0, measured.at(-1)?.step ?? 0);

function incomplete(run: Run, message: string, fix: string): VirelError {
  return new VirelError('RUN_INCOMPLETE', `${run.dir} ${message}`, { where: run.dir, fix });
}

/**
 * The score of a run at a step: the mean over the last tenth of the steps until there. A run that failed before enters with
 * the last finite value that it measured.
 *
 * @param at Environment steps.
 * @throws VirelError `RUN_INCOMPLETE` if the run has not come so far, or measured nothing there; `RUN_CORRUPT`.
 */
export function scoreRun(run: Run, metric: string, at: number): RunScore {
  const measured = recordsOf(run, metric).map(({ step, m }) => ({
    step,
    value: m[metric] as number,
  }));
  const known = { runDir: run.dir, seed: run.config.seed };
  const done = stepsDone(run, measured);
  if (done >= at)
    return { ...known, score: reachedScore(run, metric, at, measured), ended: 'reached' };
  if (run.summary?.state !== 'failed') {
    const fix = done > 0 ? `--at ${done}, or wait for the run` : 'leave it out until it has begun';
    throw incomplete(run, `has done ${done} of ${at} steps and has not failed`, fix);
  }
  const last = measured.findLast(({ value }) => Number.isFinite(value));
  if (last === undefined) {
    throw incomplete(
      run,
      `failed at step ${done}, before it measured ${metric}`,
      'leave it out, and say so',
    );
  }
  const ended = run.summary.code === 'DIVERGED' ? 'diverged' : 'failed';
  return { ...known, score: last.value, ended };
}

function reachedScore(run: Run, metric: string, at: number, measured: readonly Measured[]): number {
  const score = scoreOf(measured, at);
  if (score === undefined) {
    const last = measured.findLast(({ step }) => step <= at);
    const fix = last === undefined ? `another --metric` : `--at ${last.step}`;
    throw incomplete(run, `measured no ${metric} in the last tenth of ${at} steps`, fix);
  }
  if (Number.isFinite(score)) return score;
  throw new VirelError('NOT_FINITE', `${run.dir}: ${metric} is not finite before step ${at}`, {
    where: run.dir,
    fix: 'compare another --metric, or --at an earlier step',
  });
}
