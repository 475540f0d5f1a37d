import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Argv, CommandModule } from 'yargs';
import { VirelError } from '../../errors.js';
import { FIGURES, type Figure, findFigure, type SweptFigure } from '../../sweep/figures.js';
import { checkAgainst, planFile } from '../../sweep/folder.js';
import { type LoadedSweep, loadSweep, settingsOf } from '../../sweep/load.js';
import { planSweep } from '../../sweep/plan.js';
import { type Report, reportRuns } from '../../sweep/report.js';
import { localExecutor, tasksOf } from '../../sweep/run.js';
import type { RunStanding } from '../../sweep/state.js';
import { readSweep } from '../../sweep/sweep-file.js';
import { carryOutSweep, type Prepared, prepare, standingsOf, taskOptions } from '../carry-out.js';
import { refuseEmpty } from '../folder.js';
import { parseJobs } from '../jobs.js';
import { wholeNumber } from '../numbers.js';
import { note, print, printJson, shortPath } from '../output.js';
import { planTable } from '../sweep-table.js';
import {
  ensureTraining,
  stopTraining,
  type TrainingArguments,
  withTrainingOptions,
} from '../training-options.js';

interface ReproduceArguments extends TrainingArguments {
  figure: string | undefined;
  list: boolean | undefined;
  seeds: string | undefined;
  steps: string | undefined;
  jobs: string | undefined;
  out: string;
  planOnly: boolean | undefined;
  reportOnly: boolean | undefined;
  retryFailed: boolean | undefined;
}

/** `virel-native reproduce`: a sweep with a report. */
export const reproduceCommand: CommandModule<unknown, ReproduceArguments> = {
  command: 'reproduce [figure]',
  describe: 'What a figure of the paper shows, reported',
  builder: (yargs) => {
    const text = { type: 'string', requiresArg: true } as const;
    return withTrainingOptions(yargs)
      .positional('figure', {
        type: 'string',
        describe: FIGURES.map(({ id }) => id).join(', '),
      })
      .option('json', { type: 'boolean', describe: 'One JSON object on standard output' })
      .option('list', { type: 'boolean', describe: 'What can be reproduced' })
      .option('seeds', { ...text, describe: 'Such as 0-9 [0-4]' })
      .option('steps', { ...text, describe: 'Environment steps of a run [1000000]' })
      .option('jobs', { ...text, describe: 'Runs at a time [one per core, as memory allows]' })
      .option('out', { ...text, default: 'reproduction', describe: 'Parent of its folder' })
      .option('plan-only', { type: 'boolean', describe: 'Print runs, memory and estimated time' })
      .option('report-only', { type: 'boolean', describe: 'Report on what is there' })
      .option('retry-failed', { type: 'boolean', describe: 'Try failed runs again' })
      .conflicts('plan-only', 'report-only')
      .example('$0 reproduce fig4 --plan-only', 'what it would train, and for how long')
      .example(
        '$0 reproduce theory',
        'every claim, with pictures',
      ) as unknown as Argv<ReproduceArguments>;
  },
  handler: async (args) => {
    refuseEmpty('--out', args.out);
    refuseEmpty('--runs-dir', args.runsDir);
    if (args.list) return list(args.json === true);
    if (args.figure === undefined) {
      const message = 'reproduce: say what to reproduce';
      const expected = FIGURES.map(({ id }) => id).join(', ');
      const fix = 'npx virel-native reproduce --list';
      throw new VirelError('CLI_USAGE', message, { where: 'FIGURE', expected, fix });
    }
    const figure = findFigure(args.figure);
    const dir = join(args.out, figure.id);
    if (figure.kind === 'sweep') await reproduceRuns(figure, dir, args);
    else await reproduceNow(figure, dir, args);
  },
};

function list(json: boolean): void {
  const lines = FIGURES.map(({ id, title }) => `${id.padEnd(21)}${title.replaceAll('`', '')}`);
  if (json) printJson(FIGURES.map(({ id, title, kind }) => ({ id, title, kind })));
  else print(lines.join('\n'));
}

/** What is computed in this process, at once. */
async function reproduceNow(
  figure: Exclude<Figure, SweptFigure>,
  dir: string,
  args: ReproduceArguments,
): Promise<void> {
  refuseOfRuns(figure, args);
  const plan = 'no runs: it is computed at once, in about a minute at most';
  if (args.planOnly) {
    if (args.json) printJson({ figure: figure.id, runs: [] });
    else print(plan);
    return;
  }
  if (!args.quiet) note(plan);
  const { reportClaims, reportTable } = await import('../../sweep/computed.js');
  const report =
    figure.kind === 'table' ? reportTable(dir, figure) : await reportClaims(dir, figure);
  showReport(figure, report, args.json === true);
  if (report.caveats.length > 0) process.exitCode = 1;
}

/** Flags of runs, where there are none. */
function refuseOfRuns({ id }: Figure, args: ReproduceArguments): void {
  const given = (['seeds', 'steps', 'jobs'] as const).find((name) => args[name] !== undefined);
  if (given === undefined) return;
  const message = `--${given}: ${id} has no runs`;
  const fix = `leave --${given} out`;
  throw new VirelError('CLI_USAGE', message, { where: `--${given}`, fix });
}

async function planOf(figure: SweptFigure, args: ReproduceArguments): Promise<LoadedSweep> {
  const steps = args.steps === undefined ? figure.steps : wholeNumber('--steps', args.steps, 1);
  const content = { steps, ...figure.sweep, seeds: args.seeds ?? figure.seeds };
  return planSweep(
    readSweep(content, `reproduce ${figure.id}`),
    figure.id,
    `reproduce ${figure.id}`,
  );
}

async function reproduceRuns(
  figure: SweptFigure,
  dir: string,
  args: ReproduceArguments,
): Promise<void> {
  const jobs = parseJobs(args.jobs);
  if (args.reportOnly) return reportOn(figure, dir, args);
  const sweep = await planOf(figure, args);
  checkAgainst(dir, sweep.plan);
  const retryFailed = args.retryFailed === true;
  const prepared = prepare(sweep, dir, { jobs, retryFailed, runsDir: args.runsDir });
  const { cost, settings } = prepared;
  if (args.planOnly && args.json) return printJson({ figure: figure.id, sweep: dir, ...cost });
  if (args.planOnly) return print(planTable(settings, cost));
  if (!args.quiet) note(planTable(settings, cost));
  const standings = await train(prepared, args, retryFailed);
  await report(figure, dir, sweep, standings, args);
}

async function train(
  prepared: Prepared,
  args: ReproduceArguments,
  retryFailed: boolean,
): Promise<ReadonlyMap<string, RunStanding>> {
  await ensureTraining(args);
  const stop = stopTraining(args);
  const execute = localExecutor(prepared.cost.jobs, taskOptions(prepared, false));
  const [json, quiet] = [false, args.quiet === true];
  try {
    return await carryOutSweep(prepared, {
      json,
      quiet,
      results: note,
      retryFailed,
      stop,
      execute,
    });
  } finally {
    stop.release();
  }
}

/** The report on the plan that lies in the folder. */
async function reportOn(figure: SweptFigure, dir: string, args: ReproduceArguments): Promise<void> {
  const path = planFile(dir);
  if (!existsSync(path)) {
    const fix = `npx virel-native reproduce ${figure.id}`;
    throw new VirelError('RUN_NOT_FOUND', `${dir} has no plan: nothing was run yet`, {
      where: dir,
      fix,
    });
  }
  const sweep = await loadSweep(path);
  await report(figure, dir, sweep, standingsOf(tasksOf(sweep.plan, dir)), args);
}

async function report(
  figure: SweptFigure,
  dir: string,
  { plan }: LoadedSweep,
  standings: ReadonlyMap<string, RunStanding>,
  args: ReproduceArguments,
): Promise<void> {
  const reported = { tasks: tasksOf(plan, dir), settings: settingsOf(plan), standings };
  showReport(figure, await reportRuns(dir, figure, reported), args.json === true);
}

function showReport({ id }: Figure, { files, caveats }: Report, json: boolean): void {
  for (const caveat of caveats) note(caveat);
  if (json) printJson({ figure: id, files, caveats });
  else print(files.map(shortPath).join('\n'));
}
