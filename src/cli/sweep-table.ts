/** A sweep as text: its plan with what it will take, and how its runs stand. */
import type { ResolvedConfig } from '../config/schema.js';
import type { Estimate } from '../sweep/estimate.js';
import type { PlannedSetting } from '../sweep/load.js';
import {
  countStates,
  countsText,
  type RunStanding,
  type RunState,
  STATES,
} from '../sweep/state.js';
import { columns } from './columns.js';
import { brief, clockTime, grouped } from './output.js';

/** Lines of a table; what is more is counted. */
const MOST_LINES = 60;

/** A setting with its config and what one of its runs will take. */
export interface SettingPlan extends PlannedSetting {
  readonly config: ResolvedConfig;
  readonly estimate: Estimate | undefined;
}

/** What a plan will take. */
export interface Cost {
  readonly runs: number;
  readonly jobs: number;
  /** Bytes of all runs that train at a time. */
  readonly memory: number;
  /** Of what is still to be done. */
  readonly estimate: Estimate | undefined;
  readonly counts: Record<RunState, number>;
}

function shortened(lines: string[], head: number): string[] {
  const more = lines.length - head - MOST_LINES;
  return more <= 0
    ? lines
    : [...lines.slice(0, head + MOST_LINES), `  and ${grouped(more)} more settings`];
}

/** Seconds as a person plans with them: `about 3 min`. */
export function aboutTime(seconds: number): string {
  if (seconds < 90) return `about ${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 5400) return `about ${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `about ${Number((seconds / 3600).toPrecision(2))} h`;
  return `about ${Number((seconds / 86_400).toPrecision(2))} days`;
}

const seedsText = (seeds: readonly number[]) => {
  const isRun = seeds.every((seed, index) => seed === (seeds[0] ?? 0) + index);
  return isRun && seeds.length > 2 ? `${seeds[0]}-${seeds.at(-1)}` : seeds.join(',');
};

const timeText = (estimate: Estimate | undefined) =>
  estimate === undefined ? '?' : aboutTime(estimate.seconds).slice('about '.length);

/** Every setting, then what all of it takes. */
export function planTable(settings: readonly SettingPlan[], cost: Cost): string {
  const head = ['setting', 'seeds', 'steps', 'time of a run'];
  const rows = settings.map(({ folder, seeds, config, estimate }) => [
    folder,
    seedsText(seeds),
    grouped(config.steps),
    timeText(estimate),
  ]);
  return [...shortened(columns([head, ...rows], new Set([2, 3])), 1), ...costLines(cost)].join(
    '\n',
  );
}

/** Runs, what is there of them, how many at a time, memory and time. */
export function costLines({ runs, jobs, memory, estimate, counts }: Cost): string[] {
  const there = counts.missing === runs ? '' : `, ${countsText(counts)}`;
  const atATime = `${jobs} at a time, ${(memory / 1e9).toFixed(1)} GB of memory`;
  const time =
    estimate === undefined
      ? 'no estimate of the time: nothing of this kind was ever measured here'
      : `estimate: ${aboutTime(estimate.seconds)}, by ${estimate.from}`;
  return [`${grouped(runs)} run${runs === 1 ? '' : 's'}${there} | ${atATime}`, time];
}

/** How the runs of each setting stand, and below it those that failed. */
export function statusTable(
  settings: readonly PlannedSetting[],
  standings: ReadonlyMap<string, RunStanding>,
): string {
  const of = ({ folder, seeds }: PlannedSetting) =>
    seeds.map((seed) => ({
      seed,
      folder,
      ...(standings.get(`${folder}/seed-${seed}`) as RunStanding),
    }));
  const shown = STATES.filter((state) =>
    [...standings.values()].some((each) => each.state === state),
  );
  const rows = settings.map((setting) => {
    const runs = of(setting);
    const counts = countStates(runs);
    const scores = runs.flatMap(({ state, finalScore }) =>
      state === 'done' && typeof finalScore === 'number' ? [finalScore] : [],
    );
    const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
    return [
      setting.folder,
      ...shown.map((state) => (counts[state] === 0 ? '' : String(counts[state]))),
      scores.length === 0 ? '' : brief(mean),
    ];
  });
  const right = new Set([...shown.keys(), shown.length].map((index) => index + 1));
  const failed = settings
    .flatMap(of)
    .filter(({ state }) => state === 'failed' || state === 'diverged');
  return [
    ...shortened(columns([['setting', ...shown, 'mean score'], ...rows], right), 1),
    ...failed
      .slice(0, MOST_LINES)
      .map(
        ({ folder, seed, code, message }) =>
          `  ${folder}/seed-${seed} ${code ?? 'failed'}: ${message ?? ''}`,
      ),
    countsText(countStates([...standings.values()])),
  ].join('\n');
}

/** `done 3 | running 2 | missing 3 | about 12 min left`. */
export function standLine(counts: Record<RunState, number>, left: number | undefined): string {
  const time = left === undefined || left < 1 ? [] : [`ETA ${clockTime(left)}`];
  return [countsText(counts), ...time].join(' | ');
}
