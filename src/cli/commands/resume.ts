import { relative } from 'node:path';
import type { Argv, CommandModule } from 'yargs';
import type { ResolvedConfig } from '../../config/schema.js';
import { takeTrainer } from '../../training/early-trainer.js';
import { findRun } from '../../training/find-run.js';
import type { ResumeOrder, TakenUp } from '../../training/messages.js';
import type { StopSignals } from '../../training/signals.js';
import { type Supervision, supervise } from '../../training/supervise.js';
import { refuseEmpty } from '../folder.js';
import { Follower } from '../follow.js';
import { wholeNumber } from '../numbers.js';
import { configLayers } from '../options.js';
import { grouped, note, shortPath, visible } from '../output.js';
import {
  ensureTraining,
  stopTraining,
  supervision,
  type TrainingArguments,
  withTrainingOptions,
} from '../training-options.js';
import { WATCH, watchTraining } from '../watched.js';

interface ResumeArguments extends TrainingArguments {
  run: string;
  step: string | undefined;
  discardNewer: boolean | undefined;
  steps: string | undefined;
  set: string[] | undefined;
  allowInexact: boolean | undefined;
  watch: boolean | undefined;
}

/** `virel-native resume` */
export const resumeCommand: CommandModule<unknown, ResumeArguments> = {
  command: 'resume <run>',
  describe: 'Go on with a stopped run, to the same bits',
  builder: (yargs) =>
    withTrainingOptions(yargs)
      .positional('run', {
        type: 'string',
        demandOption: true,
        describe: 'A run folder, a part of its path, or latest',
      })
      .option('step', {
        type: 'string',
        requiresArg: true,
        describe: 'Checkpoint [the newest whole one]',
      })
      .option('discard-newer', {
        type: 'boolean',
        describe: 'With --step: remove newer checkpoints and what was logged since',
      })
      .option('steps', {
        type: 'string',
        requiresArg: true,
        describe: 'Environment steps in all, to train longer',
      })
      .option('set', {
        type: 'string',
        array: true,
        nargs: 1,
        describe: 'Any key: path.to.key=value; repeatable',
      })
      .option('allow-inexact', {
        type: 'boolean',
        describe: 'Go on where the results will differ from those of a run never stopped',
      })
      .option('watch', WATCH)
      .example('$0 resume latest', 'the newest run')
      .example(
        '$0 resume latest --steps 2000000',
        'train on beyond its end',
      ) as unknown as Argv<ResumeArguments>,
  handler: async (args) => {
    refuseEmpty('--runs-dir', args.runsDir);
    const runDir = findRun(args.run, args.runsDir);
    const layers = configLayers({ ...args }, process.argv.slice(2));
    const step = args.step === undefined ? undefined : wholeNumber('--step', args.step, 0);
    await ensureTraining(args);
    const stop = stopTraining(args);
    try {
      const { discardNewer, allowInexact } = args;
      const options = { step, discardNewer, layers, allowInexact };
      const order = {
        resume: { runDir, options },
        argv: process.argv.slice(2),
        obeysSignals: true,
      };
      await goOn(order, args, stop);
    } finally {
      stop.release();
    }
  },
};

/** Where a run goes on. */
function describeBeginning({ from }: TakenUp, runDir: string): string {
  const exact = from.inexact.length === 0 ? 'exact' : `not exact: ${from.inexact.join('; ')}`;
  const place = relative(runDir, from.checkpoint);
  const checked = `SHA-256 ok, replay ${grouped(from.rows)} rows, ${exact}`;
  return `resuming ${visible(shortPath(runDir))} at step ${from.step} from ${place} (${checked})`;
}

/** Trains on, shows, and sets the exit code. */
async function goOn(
  order: ResumeOrder,
  { json, quiet, watch, runsDir }: ResumeArguments,
  stop: StopSignals,
): Promise<void> {
  const following = (configs: readonly ResolvedConfig[]) =>
    new Follower({ json, quiet, several: false, configs });
  // whose config is not known until the run is taken up
  let follower = following([]);
  const takenUp = (run: TakenUp) => {
    if (!quiet) note(describeBeginning(run, order.resume.runDir));
    follower = following([run.config]);
  };
  const control = { ...supervision(stop, () => follower), takenUp };
  const train = (told: Supervision) => supervise(takeTrainer(), order, told);
  const page = { json, runsDir, say: control.say };
  const { state } = await (watch ? watchTraining(page, control, train) : train(control));
  follower.conclude(state === 'finished', stop);
}
