/** A comparison as one HTML file that needs nothing else: tables, picture, warnings, settings, and the command that made it. */
import type { Comparison, OverallComparison, TaskComparison } from '../comparison/comparison.js';
import { estimateText, probabilityText, scoreText } from '../comparison/estimate-text.js';
import { REFERENCE } from '../comparison/normalise.js';
import { escapeHtml, htmlTable, inlineSvg } from './html.js';
import { PAGE_STYLE } from './page-style.js';

/** What a page says beside the comparison. */
export interface PageFacts {
  /** The picture of the comparison. */
  readonly svg: string;
  /** What a shell reads to make the page again. */
  readonly command: string;
  /** Config keys that made the groups. */
  readonly group: readonly string[];
  /** Version of the package. */
  readonly version: string;
}

/** Nothing is loaded and nothing runs, whatever a name in the page says. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

const grouped = (value: number) => value.toLocaleString('en-US');

/** The page. @returns HTML, the same for the same comparison. */
export function comparisonPage(comparison: Comparison, facts: PageFacts): string {
  const { tasks, at } = comparison;
  const names = tasks.map(({ task }) => task).join(', ');
  const title = `${names} at ${grouped(at)} steps`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)}: runs compared</title>
<style>${PAGE_STYLE}</style>
</head>
<body>
<main>
<h1>${escapeHtml(title)}</h1>
${warnings(comparison)}
${requirements(comparison)}
${tasks.map((task) => taskSection(task, comparison)).join('\n')}
${overallSection(comparison)}
<section>
<h2>Picture</h2>
<figure class="scroll" tabindex="0">${inlineSvg(facts.svg)}</figure>
</section>
${settings(comparison, facts)}
${runs(comparison)}
</main>
</body>
</html>
`;
}

const improvementHead = ({ baseline }: Comparison) =>
  baseline === null ? [] : [`P(> ${baseline}) [95% CI]`];

function taskSection(task: TaskComparison, comparison: Comparison): string {
  const { baseline, metric } = comparison;
  const failing = task.groups.some(({ failed }) => failed > 0);
  const head = ['group', 'seeds', 'mean', 'IQM [95% CI]', ...improvementHead(comparison)];
  const rows = task.groups.map(({ name, runs: own, mean, iqm, improvement, failed }) => [
    name,
    String(own.length),
    scoreText(mean.value),
    estimateText(iqm, scoreText),
    ...(baseline === null ? [] : [estimateText(improvement, probabilityText)]),
    ...(failing ? [failed === 0 ? '' : `${failed} of ${own.length} failed before`] : []),
  ]);
  const scale =
    task.scale === null
      ? ''
      : `<p>Normalised: 0 is ${scoreText(task.scale.random)} (random actions), 1 is ${scoreText(task.scale.reference)} (${REFERENCE}).</p>`;
  const measured = metric.startsWith('eval/') ? `deterministic policy, ${task.protocol}` : '';
  return `<section>
<h2>${escapeHtml(task.task)}</h2>
<p>${escapeHtml([metric, measured].filter((part) => part !== '').join(': '))}</p>
${htmlTable(failing ? [...head, ''] : head, rows, new Set([1, 2, 3, 4]))}
${scale}
</section>`;
}

function overallSection(comparison: Comparison): string {
  const { overall, tasks, normalise, baseline } = comparison;
  if (overall === null) return '';
  const scaled = normalise !== 'none';
  if (!scaled && baseline === null) return '';
  const head = scaled ? ['mean', 'median', 'IQM [95% CI]', 'optimality gap [95% CI]'] : [];
  const of = (group: OverallComparison) => [
    probabilityText(group.mean?.value ?? Number.NaN),
    probabilityText(group.median?.value ?? Number.NaN),
    estimateText(group.iqm, probabilityText),
    estimateText(group.optimalityGap, probabilityText),
  ];
  const rows = overall.map((group) => [
    group.name,
    ...(scaled ? of(group) : []),
    ...(baseline === null ? [] : [estimateText(group.improvement, probabilityText)]),
  ]);
  const over = tasks.length > 1 ? `Over ${tasks.length} tasks` : 'On the common scale';
  return `<section>
<h2>${over}${scaled ? ', normalised' : ''}</h2>
${htmlTable(['group', ...head, ...improvementHead(comparison)], rows, new Set([1, 2, 3, 4, 5]))}
</section>`;
}

function warnings({ warnings: all }: Comparison): string {
  if (all.length === 0) return '';
  const items = all.map(
    ({ code, message }) => `<li><code>${escapeHtml(code)}</code> ${escapeHtml(message)}</li>`,
  );
  return `<section class="warning" aria-label="Warnings">
<ul>
${items.join('\n')}
</ul>
</section>`;
}

function requirements({ requirements: all }: Comparison): string {
  if (all.length === 0) return '';
  const rows = all.map(({ requirement, value, passed }) => [
    requirement,
    scoreText(value),
    passed ? 'holds' : 'does not hold',
  ]);
  return `<section>
<h2>Statements</h2>
${htmlTable(['statement', 'value', ''], rows, new Set([1]))}
</section>`;
}

/** Definitions, one line each. */
function settings(comparison: Comparison, { command, group, version }: PageFacts): string {
  const { metric, at, baseline, normalise, reps, seed } = comparison;
  const lines: [string, string][] = [
    ['metric', metric],
    ['score of a run', `mean of its last tenth of the ${grouped(at)} steps, never the maximum`],
    ['IQM', 'mean of the middle half of the seeds'],
    [
      'intervals',
      `95 %, percentile bootstrap over seeds within their task, ${grouped(reps)} replicates, seed ${seed}`,
    ],
    ['groups', `by ${group.join(', ')}`],
    ['baseline', baseline ?? 'none'],
    ['normalised', normalise === 'none' ? 'no' : `0 random actions, 1 ${REFERENCE}`],
    [
      'pooled',
      'only runs that were measured alike; any other would have been refused (RUNS_NOT_POOLABLE)',
    ],
    ['made by', `virel-native ${version}`],
  ];
  const items = lines.map(
    ([name, text]) => `<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(text)}</dd>`,
  );
  return `<section>
<h2>How these numbers come about</h2>
<dl>
${items.join('\n')}
</dl>
<pre><code>${escapeHtml(command)}</code></pre>
</section>`;
}

const ENDED = { reached: '', diverged: 'diverged before', failed: 'failed before' } as const;

/** Every run with its score: whoever doubts a mean sees what it is of. */
function runs({ tasks }: Comparison): string {
  const rows = tasks.flatMap(({ task, groups }) =>
    groups.flatMap(({ name, runs: own }) =>
      own.map(({ seed, score, ended, runDir }) => [
        name,
        task,
        String(seed),
        scoreText(score),
        ENDED[ended],
        runDir,
      ]),
    ),
  );
  const head = ['group', 'task', 'seed', 'score', 'ended', 'folder'];
  return `<section class="runs">
<h2>Runs</h2>
${htmlTable(head, rows, new Set([2, 3]))}
</section>`;
}
