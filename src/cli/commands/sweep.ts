import { join } from 'node:path';
import type { Argv, CommandModule } from 'yargs';
import { VirelError } from '../../errors.js';
import { shellWord } from '../../shell.js';
import { checkAgainst } from '../../sweep/folder.js';
import { loadSweep, settingsOf } from '../../sweep/load.js';
import { writePlan } from '../../sweep/plan-file.js';
import { localExecutor, tasksOf } from '../../sweep/run.js';
import { requireSlurm } from '../../sweep/slurm/queue.js';
import type { JobOptions } from '../../sweep/slurm/script.js';
import { countStates } from '../../sweep/state.js';
import {
  carryOutSweep,
  type Prepared,
  prepare,
  rowsJson,
  standingsOf,
  taskOptions,
} from '../carry-out.js';
import {
  CLUSTER,
  type ClusterArguments,
  cancelOnSlurm,
  carryOutTask,
  jobLines,
  jobOptions,
  prepareTask,
  printScripts,
  sweepOnSlurm,
  withClusterOptions,
} from '../cluster.js';
import { refuseEmpty } from '../folder.js';
import { parseJobs } from '../jobs.js';
import { note, print, printJson, shortPath } from '../output.js';
import { costLines, planTable, statusTable } from '../sweep-table.js';
import {
  ensureTraining,
  stopFollowing,
  stopTraining,
  type TrainingArguments,
  withTrainingOptions,
} from '../training-options.js';

interface SweepArguments extends TrainingArguments, ClusterArguments {
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
    withClusterOptions(withTrainingOptions(yargs))
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
        describe: 'Go on even where the bits will differ',
      })
      .conflicts('plan-only', 'status')
      .example('$0 sweep sweep.yaml --plan-only', 'runs, and their time')
      .example('$0 sweep sweep.yaml', 'train; the same again goes on')
      .example(
        '$0 sweep sweep.yaml --executor slurm',
        'as jobs of a cluster',
      ) as unknown as Argv<SweepArguments>,
  handler: async (args) => {
    for (const [flag, folder] of [
      ['--runs-dir', args.runsDir],
      ['--sweep-dir', args.sweepDir],
    ] as const)
      refuseEmpty(flag, folder);
    checkOut(args);
    const [jobs, options] = [parseJobs(args.jobs), jobOptions(args, args.jobs)];
    const sweep = await loadSweep(args.file);
    const dir = args.sweepDir ?? join(args.runsDir, sweep.plan.name);
    checkAgainst(dir, sweep.plan);
    if (args.status) return showStatus(sweep, dir, args.json === true);
    if (args.cancel) return cancelOnSlurm(dir, tasksOf(sweep.plan, dir), args.json === true);
    const [retryFailed, { runsDir, task }] = [args.retryFailed === true, args];
    if (task !== undefined)
      return train(prepareTask(sweep, dir, { task, retryFailed, runsDir }), args, options);
    const isSlurm = args.executor === 'slurm';
    const asked = isSlurm ? { jobs: options.maxParallel, resources: CLUSTER } : { jobs };
    const prepared = prepare(sweep, dir, { ...asked, retryFailed, runsDir });
    if (args.planOnly) return showPlan(prepared, args);
    if (args.print) return printScripts(prepared, options, handOver(args));
    await train(prepared, args, options);
  },
};

const handOver = ({ wait, retryFailed, allowInexact, json, ...args }: SweepArguments) => ({
  wait: wait === true,
  retryFailed: retryFailed === true,
  allowInexact: allowInexact === true,
  json: json === true,
  command: commandOf(args),
});

/** The sweep that was asked for, as it is typed. */
function commandOf({
  file,
  sweepDir,
  runsDir,
}: Pick<SweepArguments, 'file' | 'sweepDir' | 'runsDir'>) {
  const where = sweepDir === undefined ? ['--runs-dir', runsDir] : ['--sweep-dir', sweepDir];
  const isUsual = sweepDir === undefined && runsDir === 'runs';
  return ['npx', 'virel-native', 'sweep', file, ...(isUsual ? [] : where)].map(shellWord).join(' ');
}

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
  else {
    const jobs = counts.done < tasks.length ? jobLines(dir) : [];
    print([statusTable(settingsOf(sweep.plan), standings), ...jobs].join('\n'));
  }
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

async function train(prepared: Prepared, args: SweepArguments, options: JobOptions): Promise<void> {
  const { cost, warning, dir } = prepared;
  const [json, quiet] = [args.json === true, args.quiet === true];
  if (!quiet) {
    note([shortPath(dir), ...costLines(cost)].join('\n'));
    if (warning !== undefined) note(`warning THREADS_OVERSUBSCRIBED: ${warning}`);
  }
  if (args.executor === 'slurm') requireSlurm();
  await ensureTraining(args);
  const stop = args.executor === 'slurm' ? stopFollowing(args) : stopTraining(args);
  const { allowInexact, retryFailed } = handOver(args);
  const carry = { json, quiet, results: json ? note : print, retryFailed, stop };
  try {
    if (args.task !== undefined) await carryOutTask(prepared, allowInexact, carry);
    else if (args.executor === 'slurm')
      await sweepOnSlurm(prepared, options, handOver(args), carry);
    else {
      const execute = localExecutor(cost.jobs, taskOptions(prepared, allowInexact));
      await carryOutSweep(prepared, { ...carry, execute });
    }
  } finally {
    stop.release();
  }
}
