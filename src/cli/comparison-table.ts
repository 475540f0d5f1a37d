/** A comparison as a table for people. */
import type { Comparison, OverallComparison, TaskComparison } from '../comparison/comparison.js';
import { estimateText, probabilityText, scoreText } from '../comparison/estimate-text.js';
import { DEFAULT_METRIC } from '../comparison/measure.js';
import { REFERENCE } from '../comparison/normalise.js';
import { columns } from './columns.js';
import { grouped } from './output.js';

function taskLines(task: TaskComparison, { at, metric, baseline }: Comparison): string[] {
  const measured = metric.startsWith('eval/') ? `, deterministic, ${task.protocol}` : '';
  const what = metric === DEFAULT_METRIC ? '' : `, ${metric}`;
  const improvement = baseline === null ? [] : [`P(> ${baseline}) [95% CI]`];
  const head = ['', 'seeds', 'mean', 'IQM [95% CI]', ...improvement, ''];
  const rows = task.groups.map(({ name, runs, failed, mean, iqm, improvement: better }) => [
    name,
    String(runs.length),
    scoreText(mean.value),
    estimateText(iqm, scoreText),
    ...(baseline === null ? [] : [estimateText(better, probabilityText)]),
    failed === 0 ? '' : `${failed} of ${runs.length} failed before`,
  ]);
  const scale = task.scale
    ? [
        `  normalised: 0 is ${scoreText(task.scale.random)} (random actions), 1 is ${scoreText(task.scale.reference)} (${REFERENCE})`,
      ]
    : [];
  return [
    `${task.task} at ${grouped(at)} steps${what}${measured}`,
    ...columns([head, ...rows], new Set([1, 2])),
    ...scale,
  ];
}

function overallLines(
  groups: readonly OverallComparison[],
  { baseline, normalise, tasks }: Comparison,
): string[] {
  const over = tasks.length > 1 ? `over ${tasks.length} tasks` : `on ${tasks[0]?.task}`;
  const better = baseline === null ? [] : [`P(> ${baseline}) [95% CI]`];
  if (normalise === 'none') {
    if (baseline === null) {
      return [
        `${over}: no common scale; --normalise reference makes one, --baseline NAME needs none`,
      ];
    }
    const rows = groups.flatMap(({ name, improvement }) =>
      improvement === undefined ? [] : [[name, estimateText(improvement, probabilityText)]],
    );
    return [over, ...columns([['', ...better], ...rows], new Set())];
  }
  const head = ['', 'mean', 'median', 'IQM [95% CI]', 'optimality gap [95% CI]', ...better];
  const rows = groups.map((group) => [
    group.name,
    probabilityText(group.mean?.value ?? Number.NaN),
    probabilityText(group.median?.value ?? Number.NaN),
    estimateText(group.iqm, probabilityText),
    estimateText(group.optimalityGap, probabilityText),
    ...(baseline === null ? [] : [estimateText(group.improvement, probabilityText)]),
  ]);
  return [`${over}, normalised`, ...columns([head, ...rows], new Set([1, 2]))];
}

/** The table, and below it how its numbers come about. */
export function comparisonTable(comparison: Comparison): string {
  const { tasks, overall, reps, seed, requirements } = comparison;
  const blocks = [
    ...tasks.map((task) => taskLines(task, comparison)),
    ...(overall === null ? [] : [overallLines(overall, comparison)]),
    [
      'Score of a run: mean of the last 10 % of its steps. IQM: mean of the middle half of the seeds.',
      `Intervals: percentile bootstrap over seeds, ${grouped(reps)} replicates, seed ${seed}.`,
    ],
    ...(requirements.length === 0
      ? []
      : [
          requirements.map(
            ({ requirement, value, passed }) =>
              `${passed ? 'ok    ' : 'FAILED'} ${requirement}: ${scoreText(value)}`,
          ),
        ]),
  ];
  return blocks.map((block) => block.join('\n')).join('\n\n');
}
