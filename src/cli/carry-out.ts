/** Carries out a sweep for a command: what is due, with its cost said first, until all is done or a stop comes. */
import { join } from 'node:path';
import type { ResolvedConfig } from '../config/schema.js';
import {
  type Estimate,
  estimateAll,
  estimateRun,
  finishedRuns,
  type Known,
  machineKnowledge,
  measuredRun,
} from '../sweep/estimate.js';
import { openSweep } from '../sweep/folder.js';
import { type LoadedSweep, settingConfigs, settingsOf } from '../sweep/load.js';
import {
  jobsFor,
  machineResources,
  needsOf,
  oversubscribed,
  type Resources,
} from '../sweep/needs.js';
import {
  type Executor,
  isDue,
  type Left,
  type SweepControl,
  type SweepTask,
  standingOf,
  type TaskOptions,
  tasksOf,
} from '../sweep/run.js';
import { countStates, type RunStanding, type RunState } from '../sweep/state.js';
import type { StopSignals } from '../training/signals.js';
import { note, printJson, shortPath } from './output.js';
import { type Cost, type SettingPlan, standLine } from './sweep-table.js';
import { SweepView } from './sweep-view.js';

/** A sweep in its folder, with what is known of its cost. */
export interface Prepared {
  readonly sweep: LoadedSweep;
  readonly dir: string;
  readonly tasks: readonly SweepTask[];
  /** By folder of the row, before anything of this command runs. */
  readonly standings: ReadonlyMap<string, RunStanding>;
  readonly settings: readonly SettingPlan[];
  readonly configOf: (row: SweepTask['row']) => ResolvedConfig;
  readonly known: Known;
  readonly cost: Cost;
  /** What to warn of. */
  readonly warning: string | undefined;
}

/** What decides how much runs at a time, and what is tried. */
export interface Asked {
  readonly jobs: number | undefined;
  readonly retryFailed: boolean;
  /** Where finished runs are looked for that tell a speed. */
  readonly runsDir: string;
  /** What runs share; this machine by default. */
  readonly resources?: Resources;
}

/** How the runs of a sweep stand, by their folders. */
export const standingsOf = (tasks: readonly SweepTask[]): Map<string, RunStanding> =>
  new Map(tasks.map((task) => [task.row.folder, standingOf(task)]));

/** Runs of the sweep whose speed is read; one of each setting, and no more than that many. */
const MOST_MEASURED = 50;

/**
 * Looks at what is there, and at what the machine has.
 *
 * @throws VirelError `OUT_OF_MEMORY`.
 */
export function prepare(sweep: LoadedSweep, dir: string, asked: Asked): Prepared {
  const tasks = tasksOf(sweep.plan, dir);
  const standings = standingsOf(tasks);
  const configOf = settingConfigs(sweep);
  const planned = settingsOf(sweep.plan).map((setting) => ({
    ...setting,
    config: configOf(setting.row),
  }));
  const configs = planned.map(({ config }) => config);
  const own = planned.flatMap(({ folder, seeds }) => {
    const done = seeds.find((seed) => standings.get(`${folder}/seed-${seed}`)?.state === 'done');
    return done === undefined ? [] : [join(dir, folder, `seed-${done}`)];
  });
  const measured = own.slice(0, MOST_MEASURED).flatMap((runDir) => measuredRun(runDir) ?? []);
  const known = machineKnowledge([...measured, ...finishedRuns(configs, asked.runsDir)]);
  const [needs, resources] = [configs.map(needsOf), asked.resources ?? machineResources()];
  const jobs = jobsFor(tasks.length, needs, resources, asked.jobs);
  const settings = planned.map((setting) => ({
    ...setting,
    estimate: estimateRun(setting.config, setting.config.steps, known),
  }));
  const due = tasks.filter(({ row }) =>
    isDue(standings.get(row.folder) as RunStanding, asked.retryFailed),
  );
  const left = due.map(({ row }) => leftOf(configOf(row), standings.get(row.folder), known));
  return {
    sweep,
    dir,
    tasks,
    standings,
    settings,
    configOf,
    known,
    cost: {
      runs: tasks.length,
      jobs,
      memory: jobs * Math.max(...needs.map(({ memory }) => memory)),
      estimate: estimateAll(left, jobs),
      counts: countStates([...standings.values()]),
    },
    warning: oversubscribed(jobs, needs, resources),
  };
}

const leftOf = (
  config: ResolvedConfig,
  run: RunStanding | undefined,
  known: Known,
): Estimate | undefined => estimateRun(config, Math.max(0, config.steps - (run?.step ?? 0)), known);

/** How a command carries a sweep out. */
export interface CarryOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  /** Where the line of a run that ended goes. */
  readonly results: (text: string) => void;
  readonly retryFailed: boolean;
  readonly stop: StopSignals;
  readonly execute: Executor;
}

/** What executors that train on a machine are given. */
export const taskOptions = ({ sweep }: Prepared, allowInexact: boolean): TaskOptions => ({
  resolve: sweep.resolve,
  argv: process.argv.slice(2),
  allowInexact,
});

/**
 * Does what is due in the sweep's folder, which no other command carries out meanwhile, and sets the exit code by how it ended.
 *
 * @returns How every run stands at the end.
 * @throws VirelError as `openSweep`.
 */
export async function carryOutSweep(
  prepared: Prepared,
  options: CarryOptions,
): Promise<Map<string, RunStanding>> {
  const release = openSweep(prepared.dir, prepared.sweep.plan);
  try {
    return await carryOutRuns(prepared, options);
  } finally {
    release();
  }
}

/** As {@link carryOutSweep}, in a folder that several processes carry out, each its runs. */
export async function carryOutRuns(
  prepared: Prepared,
  { json, quiet, results, retryFailed, stop, execute }: CarryOptions,
): Promise<Map<string, RunStanding>> {
  const { dir, tasks } = prepared;
  // how they stood may have changed until the folder was ours
  const standings = standingsOf(tasks);
  const clock = new Remaining(prepared, standings);
  const view = new SweepView({ json, quiet, results, stand: () => clock.line() });
  const due = tasks.filter(({ row }) =>
    isDue(standings.get(row.folder) as RunStanding, retryFailed),
  );
  let left: Left;
  try {
    left = await execute(due, controlOf(view, clock, stop));
  } finally {
    view.end();
  }
  const after = standingsOf(tasks);
  conclude({ after, left, view, stop, dir });
  if (json) printSummary(dir, tasks, after);
  return after;
}

function controlOf(view: SweepView, clock: Remaining, stop: StopSignals): SweepControl {
  return {
    signal: stop.signal,
    atOnce: stop.atOnce,
    emit: (task, event) => {
      clock.hear(task, event);
      view.show(task, event);
    },
    say: (_, line) => view.say(line),
    signalled: (exitCode) => stop.hear(exitCode),
    refused: (task, error) => view.refused(task, error),
    over: (task) => view.over(task),
  };
}

/** The counts and the time that is left, kept while runs go on without reading their files again. */
class Remaining {
  readonly #prepared: Prepared;
  readonly #runs: Map<string, { state: RunState; step: number }>;
  readonly #tasks: ReadonlyMap<string, SweepTask>;
  /** Steps and seconds of this command, by folder. */
  readonly #speeds = new Map<string, number>();

  constructor(prepared: Prepared, standings: ReadonlyMap<string, RunStanding>) {
    this.#prepared = prepared;
    this.#runs = new Map(standings);
    this.#tasks = new Map(prepared.tasks.map((task) => [task.row.folder, task]));
  }

  hear({ row }: SweepTask, event: Parameters<SweepControl['emit']>[1]): void {
    const before = this.#runs.get(row.folder);
    if (event.event === 'start')
      this.#runs.set(row.folder, { state: 'running', step: before?.step ?? 0 });
    if (event.event === 'progress') {
      this.#runs.set(row.folder, { state: 'running', step: event.step });
      if (event.updates > 0 && event.stepsPerSecond > 0)
        this.#speeds.set(row.folder, 1 / event.stepsPerSecond);
    }
    if (event.event !== 'summary') return;
    const state = ({ finished: 'done', stopped: 'stopped', failed: 'failed' } as const)[
      event.state
    ];
    this.#runs.set(row.folder, { state, step: event.steps });
  }

  line(): string {
    const counts = countStates([...this.#runs.values()]);
    return standLine(counts, this.#seconds());
  }

  /** Seconds until all is done; undefined where some of it is not known. */
  #seconds(): number | undefined {
    const { configOf, known, cost } = this.#prepared;
    const left = [...this.#runs].flatMap(([folder, { state, step }]) => {
      if (state === 'done' || state === 'diverged' || state === 'failed') return [];
      const config = configOf((this.#tasks.get(folder) as SweepTask).row);
      const steps = Math.max(0, config.steps - step);
      const speed = this.#speeds.get(folder);
      if (speed !== undefined) return [{ seconds: steps * speed, from: 'finished runs' as const }];
      return [estimateRun(config, steps, known)];
    });
    return estimateAll(left, cost.jobs)?.seconds;
  }
}

/** How a command ends. */
interface End {
  readonly after: ReadonlyMap<string, RunStanding>;
  readonly left: Left;
  readonly view: SweepView;
  readonly stop: StopSignals;
  readonly dir: string;
}

/** Exit code: of what failed now, else of the stop, else 1 where something failed before or is not done by anyone. */
function conclude({ after, left, view: { exits }, stop, dir }: End): void {
  const counts = countStates([...after.values()]);
  const failed = counts.failed + counts.diverged;
  note(`${standLine(counts, undefined)} | ${shortPath(dir)}`);
  if (stop.exitCode() !== undefined && counts.done < after.size && left.queued === 0)
    note('the same command again goes on');
  if (counts.failed > 0 && stop.exitCode() === undefined)
    note('failed runs are tried again with --retry-failed');
  if (exits.length > 0) process.exitCode = Math.max(...exits);
  else if (left.queued > 0) process.exitCode = stop.exitCode() ?? 0;
  else if (counts.done + failed < after.size) process.exitCode = stop.exitCode() ?? 1;
  else if (failed > 0) process.exitCode = 1;
}

function printSummary(
  dir: string,
  tasks: readonly SweepTask[],
  after: ReadonlyMap<string, RunStanding>,
): void {
  const counts = countStates([...after.values()]);
  printJson({ event: 'summary', sweep: dir, counts, runs: rowsJson(tasks, after) });
}

/** Rows with how they stand, for `--json`. */
export const rowsJson = (
  tasks: readonly SweepTask[],
  standings: ReadonlyMap<string, RunStanding>,
): object[] =>
  tasks.map(({ row, runDir }) => ({
    index: row.index,
    folder: row.folder,
    runDir,
    seed: row.values['seed'],
    ...standings.get(row.folder),
  }));
