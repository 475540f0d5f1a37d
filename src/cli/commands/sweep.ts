import { join } from 'node:path';
import type { Argv, CommandModule } from 'yargs';
import { VirelError } from '../../errors.js';
import { checkAgainst } from '../../sweep/folder.js';
import { loadSweep, settingsOf } from '../../sweep/load.js';
import { writePlan } from '../../sweep/plan-file.js';
import { localExecutor, tasksOf } from '../../sweep/run.js';
import { countStates } from '../../sweep/state.js';
import {
  carryOutSweep,
  type Prepared,
  prepare,
  rowsJson,
  standingsOf,
  taskOptions,
} from '../carry-out.js';
import { refuseEmpty } from '../folder.js';
import { parseJobs } from '../jobs.js';
import { note, print, printJson, shortPath } from '../output.js';
import { costLines, planTable, statusTable } from '../sweep-table.js';
import {
  ensureTraining,
  stopTraining,
  type TrainingArguments,
  withTrainingOptions,
} from '../training-options.js';

interface SweepArguments extends TrainingArguments {
  file: string;
  sweepDir: string | undefined;
  jobs: string | undefined;
  planOnly: boolean | undefined;
  status: boolean | undefined;
  out: string | undefined;
  retryFailed: boolean | undefined;
  allowInexact: boolean | undefined;
}

/** `virel-native sweep`: planning and `--status` work without the native part. */
export const sweepCommand: CommandModule<unknown, SweepArguments> = {
  command: 'sweep <file>',
  describe: 'Train many settings and seeds, and go on',
  builder: (yargs) =>
    withTrainingOptions(yargs)
      .positional('file', {
        type: 'string',
        demandOption: true,
        describe: 'YAML or JSON: config keys, seeds, grid, list, random, sobol; or a plan.jsonl',
      })
      .option('sweep-dir', {
        type: 'string',
        requiresArg: true,
        describe: 'Folder of its runs [<runs-dir>/<name of FILE>]',
      })
      .option('jobs', {
        type: 'string',
        requiresArg: true,
        describe: 'Runs at a time [one per core, as memory allows]',
      })
      .option('plan-only', { type: 'boolean', describe: 'Print runs, memory and estimated time' })
      .option('out', {
        type: 'string',
        alias: 'o',
        requiresArg: true,
        describe: 'With --plan-only: write the plan, a .jsonl',
      })
      .option('status', { type: 'boolean', describe: 'How the runs stand, from their files' })
      .option('retry-failed', { type: 'boolean', describe: 'Try failed runs again' })
      .option('allow-inexact', {
        type: 'boolean',
        describe: 'Go on where the results will differ from those of a run never stopped',
      })
      .conflicts('plan-only', 'status')
      .example('$0 sweep sweep.yaml --plan-only', 'what it would train, and for how long')
      .example(
        '$0 sweep sweep.yaml',
        'train; the same again goes on',
      ) as unknown as Argv<SweepArguments>,
  handler: async (args) => {
    for (const [flag, folder] of [
      ['--runs-dir', args.runsDir],
      ['--sweep-dir', args.sweepDir],
    ] as const)
      refuseEmpty(flag, folder);
    checkOut(args);
    const jobs = parseJobs(args.jobs);
    const sweep = await loadSweep(args.file);
    const dir = args.sweepDir ?? join(args.runsDir, sweep.plan.name);
    checkAgainst(dir, sweep.plan);
    if (args.status) return showStatus(sweep, dir, args.json === true);
    const retryFailed = args.retryFailed === true;
    const prepared = prepare(sweep, dir, { jobs, retryFailed, runsDir: args.runsDir });
    if (args.planOnly) return showPlan(prepared, args);
    await train(prepared, args);
  },
};

function checkOut({ out, planOnly }: SweepArguments): void {
  if (out === undefined) return;
  const details = { where: '--out', got: out };
  if (!planOnly) {
    const fix = '--plan-only beside it';
    throw new VirelError('CLI_USAGE', '--out: a plan is written with --plan-only', {
      ...details,
      fix,
    });
  }
  if (/.\.jsonl$/.test(out)) return;
  throw new VirelError('CLI_USAGE', `--out: ${out || '""'} is no name of a plan`, {
    ...details,
    expected: 'a file that ends in .jsonl',
    fix: '--out plan.jsonl',
  });
}

function showStatus(sweep: Prepared['sweep'], dir: string, json: boolean): void {
  const tasks = tasksOf(sweep.plan, dir);
  const standings = standingsOf(tasks);
  const counts = countStates([...standings.values()]);
  if (json) printJson({ sweep: dir, counts, runs: rowsJson(tasks, standings) });
  else print(statusTable(settingsOf(sweep.plan), standings));
}

function showPlan(prepared: Prepared, { json, out }: SweepArguments): void {
  const { sweep, dir, tasks, standings, settings, cost } = prepared;
  if (out !== undefined) writePlan(out, sweep.plan);
  if (json) {
    const runs = rowsJson(tasks, standings);
    printJson({ sweep: dir, ...cost, estimate: cost.estimate ?? null, runs });
  } else print(planTable(settings, cost));
  if (out !== undefined) note(shortPath(out));
}

async function train(prepared: Prepared, args: SweepArguments): Promise<void> {
  const { cost, warning, dir } = prepared;
  const [json, quiet] = [args.json === true, args.quiet === true];
  if (!quiet) {
    note([shortPath(dir), ...costLines(cost)].join('\n'));
    if (warning !== undefined) note(`warning THREADS_OVERSUBSCRIBED: ${warning}`);
  }
  await ensureTraining(args);
  const stop = stopTraining(args);
  const execute = localExecutor(cost.jobs, taskOptions(prepared, args.allowInexact === true));
  try {
    await carryOutSweep(prepared, {
      json,
      quiet,
      results: json ? note : print,
      retryFailed: args.retryFailed === true,
      stop,
      execute,
    });
  } finally {
    stop.release();
  }
}
