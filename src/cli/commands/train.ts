import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import type { Argv, CommandModule } from 'yargs';
import { parseSeeds } from '../../config/seeds.js';
import { VirelError } from '../../errors.js';
import { jobsFor, machineResources, needsOf } from '../../sweep/needs.js';
import { type PlannedRun, trainMany } from '../../training/many.js';
import type { StopSignals } from '../../training/signals.js';
import type { Supervision } from '../../training/supervise.js';
import { prepareLayers, type Resolver } from '../environment.js';
import { refuseEmpty } from '../folder.js';
import { Follower } from '../follow.js';
import { parseJobs } from '../jobs.js';
import { npxWarning } from '../npx.js';
import { type ConfigArguments, configLayers, withConfigOptions } from '../options.js';
import { note, printJson } from '../output.js';
import {
  ensureTraining,
  stopTraining,
  supervision,
  type TrainingArguments,
  withTrainingOptions,
} from '../training-options.js';
import { WATCH, watchTraining } from '../watched.js';

interface TrainArguments extends ConfigArguments, TrainingArguments {
  seeds: string | undefined;
  jobs: string | undefined;
  runDir: string | undefined;
  watch: boolean | undefined;
}

/** `virel-native train` */
export const trainCommand: CommandModule<unknown, TrainArguments> = {
  command: 'train',
  describe: 'Train a policy (default: virel, HalfCheetah)',
  builder: (yargs) =>
    withTrainingOptions(withConfigOptions(yargs))
      .option('seeds', {
        type: 'string',
        requiresArg: true,
        describe: 'Several runs: 0-4 or 0,2,5',
      })
      .option('jobs', {
        type: 'string',
        requiresArg: true,
        describe: 'Runs at a time [one per core]',
      })
      .option('run-dir', {
        type: 'string',
        requiresArg: true,
        describe: "This run's folder; of several, their parent",
      })
      .option('watch', WATCH)
      .conflicts('seed', 'seeds')
      .example(
        '$0 train --seeds 0-4 --jobs 2',
        'five runs, two at a time',
      ) as unknown as Argv<TrainArguments>,
  handler: async (args) => {
    const layers = configLayers(args, process.argv.slice(2));
    const { runs, jobs } = planRuns(args, await prepareLayers(layers));
    if (!args.quiet) warnOfNpx();
    await ensureTraining(args);
    const stop = stopTraining(args);
    try {
      await trainAll(runs, jobs, args, stop);
    } finally {
      stop.release();
    }
  },
};

/** Without a terminal, npx loses the signal that a scheduler stops jobs with. */
function warnOfNpx(): void {
  const [, program = '', ...words] = process.argv;
  const { env, stderr } = process;
  const warning = npxWarning({
    env,
    isTerminal: stderr.isTTY,
    program: realpathSync(program),
    words,
  });
  if (warning !== undefined) note(warning);
}

/** The runs that were asked for, each with its config and folder. */
function planRuns(args: TrainArguments, resolver: Resolver): { runs: PlannedRun[]; jobs: number } {
  const seeds = args.seeds === undefined ? undefined : parseSeeds(args.seeds);
  const asked = parseJobs(args.jobs);
  const { runDir, runsDir } = args;
  refuseEmpty('--run-dir', runDir);
  refuseEmpty('--runs-dir', runsDir);
  if (seeds === undefined) {
    if (args.jobs !== undefined) throw withoutSeeds(args.jobs);
    return { runs: [{ resolution: resolver.resolve(), place: { runDir, runsDir } }], jobs: 1 };
  }
  // as many as ever train at a time share the processors
  const resources = machineResources();
  const resolve = (seed: number, cores: number) =>
    resolver.resolve([{ origin: '--seeds', values: { seed } }], { cores });
  const each = needsOf(resolve(seeds[0] ?? 0, 1).config);
  const jobs = jobsFor(seeds.length, [each], resources, asked);
  const cores = Math.floor(resources.cores / jobs);
  const runs = seeds.map((seed) => {
    const resolution = resolve(seed, cores);
    const place = { runDir: runDir && join(runDir, `seed-${seed}`), runsDir };
    return { resolution, place };
  });
  return { runs, jobs };
}

const withoutSeeds = (jobs: string) =>
  new VirelError('CLI_USAGE', '--jobs: there is one run only', {
    where: '--jobs',
    expected: '--seeds beside it',
    got: jobs,
    fix: `--seeds 0-4 --jobs ${jobs}, or leave --jobs out`,
  });

/** Where the page looks for runs beside the first: where this command puts them. */
const listedRuns = ({ seeds, runDir, runsDir }: TrainArguments) =>
  seeds === undefined ? runsDir : (runDir ?? runsDir);

/** Trains, shows, and sets the exit code. */
async function trainAll(
  runs: readonly PlannedRun[],
  jobs: number,
  args: TrainArguments,
  stop: StopSignals,
): Promise<void> {
  const several = args.seeds !== undefined;
  const configs = runs.map((run) => run.resolution.config);
  const { json, quiet } = args;
  const follower = new Follower({ json, quiet, several, configs });
  const control = supervision(stop, () => follower);
  const train = (told: Supervision) =>
    trainMany(runs, { jobs, argv: process.argv.slice(2), ...told });
  const page = { json, runsDir: listedRuns(args), say: control.say };
  const summaries = await (args.watch ? watchTraining(page, control, train) : train(control));
  if (several && json) printJson({ event: 'summary', runs: summaries });
  const finished = summaries.filter(({ state }) => state === 'finished').length;
  follower.conclude(finished === runs.length, stop);
}
