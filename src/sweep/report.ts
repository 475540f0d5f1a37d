/** `REPORT.md` of a figure: what was run, what came out with what the seeds allow to say, and how it deviates. */
import { cpus } from 'node:os';
import { join } from 'node:path';
import { compareRuns } from '../comparison/compare.js';
import type { Comparison, TaskComparison } from '../comparison/comparison.js';
import { curveData } from '../comparison/curve-data.js';
import type { Estimate } from '../comparison/estimate.js';
import { DEFAULT_METRIC, recordsOf } from '../comparison/measure.js';
import { drawComparison, plotRuns } from '../plots/runs.js';
import { writeInto, writePicture } from '../plots/write-picture.js';
import { packageVersion } from '../setup/places.js';
import { writeWhole } from '../training/files.js';
import { loadRun, type Run } from '../training/load-run.js';
import type { Figure, SweptFigure } from './figures.js';
import type { PlannedSetting } from './load.js';
import { PUBLISHED } from './published.js';
import type { SweepTask } from './run.js';
import { countStates, countsText, type RunStanding, STATES } from './state.js';

/** Seeds that a claim needs (Henderson et al. 2018), as `compare` warns. */
const CLAIM_SEEDS = 5;

/** The runs that a report is of. */
export interface Reported {
  readonly tasks: readonly SweepTask[];
  readonly settings: readonly PlannedSetting[];
  readonly standings: ReadonlyMap<string, RunStanding>;
}

/** A page of a report, and the files beside it. */
export interface Report {
  /** Paths, the page first. */
  readonly files: readonly string[];
  /** Plainly what cannot be said of so few or such runs; nothing where there is no such thing. */
  readonly caveats: readonly string[];
}

/** A Markdown table. */
export function markdownTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

const thousands = (value: number) => String(value).replace(/\B(?=(\d{3})+$)/g, ',');
const score = (value: number) => value.toFixed(Math.abs(value) < 100 ? 2 : 0);
const list = (items: readonly string[]) => items.map((item) => `- ${item}`).join('\n');

/** Writes a page of parts below its title, and the deviations behind them. */
export function writePage(dir: string, figure: Figure, parts: readonly string[]): string {
  const made = `Made by \`npx virel-native reproduce ${figure.id}\`, virel-native ${packageVersion()}, ${new Date()
    .toISOString()
    .slice(0, 10)}, ${cpus()[0]?.model ?? 'unknown processor'}.`;
  const deviations = `## Deviations\n\n${list(figure.deviations)}`;
  const path = join(dir, 'REPORT.md');
  writeWhole(path, `${[`# ${figure.title}`, made, ...parts, deviations].join('\n\n')}\n`);
  return path;
}

/** Runs of a sweep that have measured something. */
function measuredRuns({ tasks, standings }: Reported): { run: Run; state: RunStanding['state'] }[] {
  return tasks.flatMap(({ row, runDir }) => {
    const state = standings.get(row.folder)?.state ?? 'missing';
    if (state === 'missing') return [];
    const run = loadRun(runDir);
    return recordsOf(run, DEFAULT_METRIC).length === 0 ? [] : [{ run, state }];
  });
}

/**
 * Writes the report of a figure of runs on what is there: `REPORT.md`, `curves.svg`, `.png`, `.csv`, `scores.svg`, `.png`.
 *
 * @throws VirelError `RUN_CORRUPT`, `RUNS_NOT_POOLABLE`, `PERMISSION`, `DISK_FULL`, `QUOTA`, `IO`.
 */
export async function reportRuns(
  dir: string,
  figure: SweptFigure,
  reported: Reported,
): Promise<Report> {
  const measured = measuredRuns(reported);
  // those that failed are in every statistic, with the last that they measured
  const ended = measured.filter(({ state }) => ['done', 'failed', 'diverged'].includes(state));
  const curves = await writeCurves(
    dir,
    figure,
    measured.map(({ run }) => run),
  );
  const comparison = compared(
    figure,
    ended.map(({ run }) => run),
  );
  const scores = comparison === undefined ? [] : await writeScores(dir, comparison);
  const caveats = caveatsOf(figure, reported, comparison);
  const page = writePage(dir, figure, [
    ...(caveats.length > 0 ? [`**Read this first.**\n\n${list(caveats)}`] : []),
    runsPart(reported),
    ...(curves.length > 0
      ? ['## Curves\n\n![Curves](curves.svg)\n\nPoints: [curves.csv](curves.csv).']
      : []),
    ...(comparison === undefined ? [] : [scoresPart(comparison), besidePart(comparison)]),
  ]);
  return { files: [page, ...curves, ...scores], caveats };
}

async function writeCurves(
  dir: string,
  figure: SweptFigure,
  runs: readonly Run[],
): Promise<string[]> {
  if (runs.length === 0) return [];
  const { curves, svg } = await plotRuns(runs, { group: figure.group });
  writeInto(join(dir, 'curves.csv'), curveData(curves));
  return [...(await writePictures(dir, 'curves', svg)), join(dir, 'curves.csv')];
}

const writeScores = async (dir: string, comparison: Comparison) =>
  writePictures(dir, 'scores', await drawComparison(comparison));

async function writePictures(dir: string, name: string, svg: string): Promise<string[]> {
  const files = ['svg', 'png'].map((ending) => join(dir, `${name}.${ending}`));
  for (const file of files) await writePicture(file, svg);
  return files;
}

/** The comparison of runs that ended; undefined where none was trained to its end. */
function compared({ group, baseline }: SweptFigure, runs: readonly Run[]): Comparison | undefined {
  if (!runs.some(({ summary }) => summary?.state === 'finished')) return undefined;
  const hasBaseline = runs.some(({ config }) => config.algorithm === baseline);
  return compareRuns(runs, { group, ...(hasBaseline && { baseline }) });
}

function caveatsOf(
  figure: SweptFigure,
  { tasks, settings, standings }: Reported,
  comparison: Comparison | undefined,
): string[] {
  const counts = countStates([...standings.values()]);
  const unfinished = tasks.length - counts.done;
  const few = settings.filter(({ seeds }) => seeds.length < CLAIM_SEEDS).length;
  const steps = Number(tasks[0]?.row.values['steps'] ?? figure.steps);
  return [
    ...(few > 0
      ? [
          `Too few seeds for a claim: fewer than ${CLAIM_SEEDS} were asked for; intervals are wide, or not there.`,
        ]
      : []),
    ...(unfinished > 0
      ? [
          `${unfinished} of ${tasks.length} runs are not done (${countsText(counts)}); the numbers below are of those that ended.`,
        ]
      : []),
    ...(steps < figure.steps
      ? [
          `Runs of ${thousands(steps)} steps, where the figure has ${thousands(figure.steps)}: nothing here speaks for or against it.`,
        ]
      : []),
    ...(comparison?.warnings ?? [])
      .filter(({ code }) => few === 0 || code !== 'FEW_SEEDS')
      .map(({ code, message }) => `${code}: ${message}.`),
  ];
}

function runsPart({ settings, standings }: Reported): string {
  const shown = STATES.filter((state) =>
    [...standings.values()].some((each) => each.state === state),
  );
  const rows = settings.map(({ folder, seeds }) => {
    const runs = seeds.map((seed) => standings.get(`${folder}/seed-${seed}`) as RunStanding);
    const counts = countStates(runs);
    return [`\`${folder}\``, ...shown.map((state) => String(counts[state]))];
  });
  return `## Runs\n\n${markdownTable(['setting', ...shown], rows)}`;
}

function estimateText({ value, interval }: Estimate): string {
  if (interval === null) return `${score(value)} (1 seed)`;
  return `${score(value)} [${interval.map(score).join(', ')}]`;
}

function scoresPart(comparison: Comparison): string {
  const { baseline, at, reps } = comparison;
  const head = ['runs', 'seeds', 'mean', 'IQM [95 % CI]'];
  const better = baseline === null ? [] : [`P(> ${baseline}) [95 % CI]`];
  const tableOf = ({ task, protocol, groups }: TaskComparison) => {
    const rows = groups.map(({ name, runs, mean, iqm, improvement, failed }) => [
      failed === 0 ? name : `${name} (${failed} failed)`,
      String(runs.length),
      score(mean.value),
      estimateText(iqm),
      ...(baseline === null ? [] : [improvement ? estimateText(improvement) : '']),
    ]);
    return `### ${task}\n\n${markdownTable([...head, ...better], rows)}\n\nDeterministic, ${protocol}.`;
  };
  const how = `Score of a run: mean of the evaluations in the last 10 % of ${thousands(at)} steps. Intervals: percentile bootstrap over seeds, ${thousands(reps)} replicates.`;
  return ['## Scores', how, '![Scores](scores.svg)', ...comparison.tasks.map(tableOf)].join('\n\n');
}

/** Published returns of the same tasks, algorithms and steps. */
function besidePart({ tasks, at }: Comparison): string {
  const rows = tasks.flatMap(({ task, groups }) =>
    groups.flatMap(({ name, mean }) =>
      PUBLISHED.filter(
        (each) =>
          each.task === task.replace(/-v.*$/, '') && each.algorithm === name && each.at === at,
      ).map(({ mean: theirs, spread, source }) => [
        task,
        name,
        score(mean.value),
        `${score(theirs)} ± ${score(spread)}`,
        source,
      ]),
    ),
  );
  const title = '## Beside published returns\n\n';
  if (rows.length === 0)
    return `${title}None is known of these tasks and algorithms at ${thousands(at)} steps. The paper gives no returns as numbers.`;
  const head = ['task', 'runs', 'mean here', 'theirs', 'source'];
  return `${title}${markdownTable(head, rows)}\n\nThe paper gives no returns as numbers: none of these is its own.`;
}
