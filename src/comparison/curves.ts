/** `plot`: what groups of runs measured over their steps, as centres with bands. */
import { VirelError } from '../errors.js';
import { uniformStream } from '../random/stream.js';
import { mean, trimmedMean } from '../statistics/aggregates.js';
import { bootstrapBand, REPLICATES } from '../statistics/bootstrap.js';
import type { Run } from '../training/load-run.js';
import { loadAll, requireOneOf, requireReplicates } from './input.js';
import { DEFAULT_METRIC, recordsOf, requireMetric } from './measure.js';
import { type Group, poolRuns } from './pool.js';
import { describeProtocol } from './protocol.js';
import { type CurvePoint, commonGrid, extended, trailingMean, valueAt } from './resample.js';

/** What is upon the horizontal axis: environment steps, seconds since the start, gradient steps. */
export const AXES = ['steps', 'time', 'updates'] as const;
/** What stands for the runs of a group at a point. */
export const CENTRES = ['mean', 'iqm'] as const;

/** Which curves, and how. */
export interface CurveOptions {
  /** A metric of docs/metrics.md; `eval/mean_reward`, the return of the deterministic policy, by default. */
  metric?: string | undefined;
  /** `steps` by default. */
  x?: (typeof AXES)[number] | undefined;
  /** Config keys that make a group; `['algorithm']` by default. */
  group?: readonly string[] | undefined;
  /** `mean` by default; `iqm` is the mean of the middle half. */
  centre?: (typeof CENTRES)[number] | undefined;
  /** Points of each run that are averaged, the newest and those before it; 1, no smoothing, by default. */
  window?: number | undefined;
  /** Bootstrap replicates of the bands; 2,000 by default. */
  reps?: number | undefined;
  /** Of the bootstrap; 0 by default. */
  seed?: number | undefined;
}

/** A number as a run measured it. */
export interface MeasuredPoint {
  /** Environment steps. */
  readonly step: number;
  /** Gradient steps. */
  readonly updates: number;
  /** Seconds since the start. */
  readonly wall: number;
  /** In the unit of the metric. */
  readonly value: number;
}

/** A run in a picture. */
export interface RunCurve {
  /** The run's folder. */
  readonly runDir: string;
  /** The run's seed. */
  readonly seed: number;
  /** As measured, never smoothed. */
  readonly measured: readonly MeasuredPoint[];
  /** What is drawn: finite values over x, smoothed where that was asked for. */
  readonly points: readonly CurvePoint[];
}

/** A point of a group's centre; `low` and `high` of the 95 % band are null where there is one run. */
export interface CentrePoint extends CurvePoint {
  /** Lower end of the band. */
  readonly low: number | null;
  /** Upper end of the band. */
  readonly high: number | null;
}

/** A group on one task. */
export interface GroupCurve {
  /** Values of the keys that make the group. */
  readonly name: string;
  /** By seed. */
  readonly runs: readonly RunCurve[];
  /** Runs that failed; behind their end they go on in the centre with their last value. */
  readonly failed: number;
  /** As far as all runs have come that did not fail. */
  readonly centre: readonly CentrePoint[];
}

/** The groups on one task. */
export interface TaskCurves {
  /** Id with its suffix. */
  readonly task: string;
  /** How it was evaluated, in words. */
  readonly protocol: string;
  /** In the order in which their runs were given. */
  readonly groups: readonly GroupCurve[];
}

/** Everything that a picture of learning curves shows. */
export interface LearningCurves {
  /** A name of docs/metrics.md. */
  readonly metric: string;
  /** What is upon the horizontal axis. */
  readonly x: (typeof AXES)[number];
  /** What stands for the runs of a group. */
  readonly centre: (typeof CENTRES)[number];
  /** Points of each run that are averaged; 1 without smoothing. */
  readonly window: number;
  /** Bootstrap replicates behind the bands. */
  readonly reps: number;
  /** Of the bootstrap. */
  readonly seed: number;
  /** In the order in which their runs were given. */
  readonly tasks: readonly TaskCurves[];
}

/** Longest moving average. */
const MOST_WINDOW = 10_000;
const CENTRE_OF = { mean, iqm: trimmedMean } as const;
const AXIS_OF = { steps: 'step', time: 'wall', updates: 'updates' } as const;

/**
 * Learning curves of runs, which may still be running.
 *
 * @param runs Folders, or what `loadRun` gave.
 * @throws VirelError as `compareRuns`; `RUN_INCOMPLETE` for a run that has measured nothing yet.
 */
export function learningCurves(
  runs: readonly (string | Run)[],
  options: CurveOptions = {},
): LearningCurves {
  const { metric = DEFAULT_METRIC, x = 'steps', centre = 'mean', group = ['algorithm'] } = options;
  const { window = 1, reps = REPLICATES.band, seed = 0 } = options;
  requireMetric(metric);
  requireOneOf('x', x, AXES);
  requireOneOf('centre', centre, CENTRES);
  requireReplicates({ reps, seed });
  requireWindow(window);
  const settings = { metric, x, centre, window, reps, seed };
  const tasks = poolRuns(loadAll(runs), group).map(
    ({ task, groups }): TaskCurves => ({
      task,
      protocol: describeProtocol(groups),
      groups: groups.map((each, index) => groupCurve(each, settings, index)),
    }),
  );
  return { ...settings, tasks };
}

type Settings = Omit<LearningCurves, 'tasks'>;

function requireWindow(window: number): void {
  if (Number.isSafeInteger(window) && window >= 1 && window <= MOST_WINDOW) return;
  const expected = `none, or window:N with N from 1 to ${MOST_WINDOW}`;
  throw new VirelError('CONFIG_RANGE', `smooth: expected ${expected}, got ${window}`, {
    where: 'smooth',
    expected,
    got: String(window),
    fix: '--smooth window:10',
  });
}

function groupCurve({ name, runs }: Group, settings: Settings, instance: number): GroupCurve {
  const curves = runs.map((run) => runCurve(run, settings));
  const hasFailed = (run: Run) => run.summary?.state === 'failed';
  const lasting = runs.map((run) => !hasFailed(run));
  const measured = curves.map((curve) => curve.points);
  const points = extended(measured, lasting);
  const grid = commonGrid(
    points,
    measured.filter((curve) => points.includes(curve)),
  );
  return {
    name,
    runs: curves,
    failed: runs.filter(hasFailed).length,
    centre: centreOf(points, grid, settings, instance),
  };
}

function runCurve(run: Run, { metric, x, window }: Settings): RunCurve {
  const measured = recordsOf(run, metric).map(({ step, updates, wall, m }): MeasuredPoint => {
    return { step, updates, wall, value: m[metric] as number };
  });
  const points = measured
    .map((point) => ({ x: point[AXIS_OF[x]], y: point.value }))
    .filter(({ y }) => Number.isFinite(y));
  if (points.length === 0) {
    throw new VirelError('RUN_INCOMPLETE', `${run.dir} has measured no ${metric} yet`, {
      where: run.dir,
      fix: 'leave it out, or plot another --metric',
    });
  }
  const { seed } = run.config;
  return { runDir: run.dir, seed, measured, points: trailingMean(points, window) };
}

/** The centre of some runs at the places of a grid, [points], with its band. */
function centreOf(
  runs: readonly (readonly CurvePoint[])[],
  grid: readonly number[],
  { centre, reps, seed }: Settings,
  instance: number,
): CentrePoint[] {
  const values = runs.map((points) => grid.map((x) => valueAt(points, x)));
  const middle = CENTRE_OF[centre];
  const uniform = uniformStream(seed, 'bootstrap', instance);
  const band =
    runs.length > 1 ? bootstrapBand(values, middle, { replicates: reps, uniform }) : undefined;
  return grid.map((x, index) => {
    const y = middle(values.map((run) => run[index] as number));
    const [low, high] = band?.[index] ?? [null, null];
    return { x, y, low, high };
  });
}
