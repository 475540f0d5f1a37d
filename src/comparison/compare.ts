/** `compare`: groups of runs beside one another, with what their seeds allow to say. */
import { REPLICATES } from '../statistics/bootstrap.js';
import type { Run } from '../training/load-run.js';
import type {
  CompareOptions,
  Comparison,
  GroupComparison,
  OverallComparison,
  TaskComparison,
} from './comparison.js';
import { type Drawing, estimate, type GroupEstimates, type NamedScores } from './estimate.js';
import { loadAll, requireOneOf, requireReplicates, requireWhole } from './input.js';
import { judge, parseRequirement } from './judge.js';
import { DEFAULT_METRIC, type RunScore, requireMetric, scoreRun } from './measure.js';
import { normalised, scaleOf, type TaskScale, type TaskScores } from './normalise.js';
import { poolRuns, type TaskGroups } from './pool.js';
import { profileOf } from './profile.js';
import { describeProtocol } from './protocol.js';
import { warningsOf } from './warnings.js';

/** Whether scores are also put on a scale that tasks share. */
export const NORMALISATIONS = ['none', 'reference'] as const;

/**
 * Compares runs: score, mean, IQM with 95 % interval, probability of improvement over a baseline.
 *
 * @param runs Folders, or what `loadRun` gave.
 * @throws VirelError `RUNS_NOT_POOLABLE` where they were not measured alike; `RUN_INCOMPLETE` where one has not come so far;
 *   `RUN_NOT_FOUND`, `RUN_CORRUPT`, `METRIC_UNKNOWN`, `CONFIG_CONFLICT`, `CONFIG_RANGE`, `CONFIG_UNKNOWN_KEY`, `CLI_USAGE`,
 *   `NOT_FINITE`. A statement that does not hold is no error: see `requirements`.
 */
export function compareRuns(
  runs: readonly (string | Run)[],
  options: CompareOptions = {},
): Comparison {
  const { metric = DEFAULT_METRIC, normalise = 'none', reps = REPLICATES.number } = options;
  const { seed = 0, group = ['algorithm'] } = options;
  requireMetric(metric);
  requireOneOf('normalise', normalise, NORMALISATIONS);
  requireReplicates({ reps, seed });
  const loaded = loadAll(runs);
  const at = options.at ?? Math.min(...loaded.map(({ config }) => config.steps));
  requireWhole('at', at, 1);

  const pooled = poolRuns(loaded, group);
  const names = [...new Set(pooled.flatMap(({ groups }) => groups.map(({ name }) => name)))];
  const { baseline } = options;
  if (baseline !== undefined) requireOneOf('baseline', baseline, names);
  const requirements = (options.require ?? []).map((text) => parseRequirement(text, names));

  const scored = pooled.map((task) => scoreTask(task, metric, at));
  const scales =
    normalise === 'reference' ? scored.map((task) => scaleOf(task, metric)) : undefined;
  const present = names.filter((name) => scored.every((task) => runsOf(task, name).length > 0));
  const all = scoresOf(scored, present, scales);
  // a stream for every task, so that another one does not move its interval; the first is that over all tasks
  const drawing = (instance: number): Drawing => ({ replicates: reps, seed, instance });
  const severalOrScaled = pooled.length > 1 || scales !== undefined;
  return {
    metric,
    at,
    baseline: baseline ?? null,
    normalise,
    reps,
    seed,
    tasks: scored.map((task, index) => ({
      task: task.task,
      protocol: describeProtocol((pooled[index] as TaskGroups).groups),
      scale: scales?.[index] ?? null,
      groups: compareOn(task, baseline, drawing(index + 1)),
    })),
    overall: severalOrScaled
      ? estimate(all, baseline, drawing(0)).map(scales ? (each) => each : withoutScale)
      : null,
    profile: scales === undefined ? null : profileOf(all, seed),
    warnings: warningsOf(
      scored,
      names.filter((name) => !present.includes(name)),
    ),
    requirements: requirements.map((each) =>
      judge(each, all, pooled.length === 1 || scales !== undefined),
    ),
  };
}

const scoreTask = ({ task, groups }: TaskGroups, metric: string, at: number): TaskScores => ({
  task,
  groups: groups.map(({ name, runs }) => ({
    name,
    runs: runs.map((run) => scoreRun(run, metric, at)),
  })),
});

const runsOf = ({ groups }: TaskScores, name: string): readonly RunScore[] =>
  groups.find((each) => each.name === name)?.runs ?? [];

/** Scores of groups, [tasks][runs], on the scales of the tasks if there are any. */
function scoresOf(
  tasks: readonly TaskScores[],
  names: readonly string[],
  scales?: readonly TaskScale[],
): NamedScores[] {
  return names.map((name) => ({
    name,
    scores: tasks.map((task, index) => {
      const scale = scales?.[index];
      return runsOf(task, name).map(({ score }) => (scale ? normalised(score, scale) : score));
    }),
  }));
}

function compareOn(
  task: TaskScores,
  baseline: string | undefined,
  drawing: Drawing,
): TaskComparison['groups'] {
  const names = task.groups.map(({ name }) => name);
  return estimate(scoresOf([task], names), baseline, drawing).map((each): GroupComparison => {
    const { name, mean, iqm, improvement } = each;
    const runs = runsOf(task, name);
    const failed = runs.filter(({ ended }) => ended !== 'reached').length;
    return { name, mean, iqm, ...(improvement && { improvement }), runs, failed };
  });
}

/** What holds of raw scores of several tasks. */
const withoutScale = ({ name, improvement }: GroupEstimates): OverallComparison => ({
  name,
  ...(improvement && { improvement }),
});
