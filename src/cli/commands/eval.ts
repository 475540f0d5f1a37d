import type { Argv, CommandModule } from 'yargs';
import type { CustomEnvironment } from '../../environments/define.js';
import { VirelError } from '../../errors.js';
import { ensureNative } from '../../native/addon.js';
import { evaluationRange } from '../../statistics/evaluation.js';
import { findPolicy, type PolicyConfig } from '../../training/checkpoint.js';
import { findRun } from '../../training/find-run.js';
import { findEnvironment } from '../../training/run-environment.js';
import { stopOnSignals } from '../../training/signals.js';
import { refuseEmpty } from '../folder.js';
import { wholeNumber } from '../numbers.js';
import { note, print, printJson, shortPath, visible } from '../output.js';
import { ONE_RUN } from '../runs-options.js';

interface EvalArguments {
  run: string;
  step: string;
  envModule: string | undefined;
  episodes: string;
  seed: string;
  stochastic: boolean | undefined;
  record: string;
  runsDir: string;
  json: boolean | undefined;
  noSetup: boolean | undefined;
  offline: boolean | undefined;
}

/** The environment of a run that has one in TypeScript. */
async function customEnvironment(
  runDir: string,
  config: PolicyConfig,
  asked: string | undefined,
): Promise<{ environment?: CustomEnvironment }> {
  if (config.simulator === 'typescript') {
    const { environment, changed } = await findEnvironment(runDir, asked);
    if (changed !== undefined) note(`warning: ${changed} has changed since the run was trained`);
    return { environment };
  }
  if (asked === undefined) return {};
  throw new VirelError(
    'CONFIG_CONFLICT',
    `--env-module ${asked}: the run's environment is ${config.env}`,
    {
      where: '--env-module',
      expected: 'a run that was trained on an environment of your own',
      got: `a run on the task ${config.env}`,
      fix: 'leave --env-module out',
    },
  );
}

/** Records episodes from start states of their own, the seeds counting up. @returns Their files. */
async function recordMany(
  runDir: string,
  count: number,
  { step, seed, signal }: { step: number | 'latest' | 'best'; seed: number; signal: AbortSignal },
): Promise<string[]> {
  if (count === 0) return [];
  const { recordEpisode } = await import('../../watch/record.js');
  const files: string[] = [];
  for (let index = 0; index < count; index += 1) {
    const { file } = await recordEpisode(runDir, { step, seed: seed + index, signal });
    files.push(file);
  }
  return files;
}

/** `virel-native eval` */
export const evalCommand: CommandModule<unknown, EvalArguments> = {
  command: 'eval [run]',
  describe: 'Returns of the policy of a run',
  builder: (yargs) =>
    yargs
      .positional('run', ONE_RUN)
      .option('step', {
        type: 'string',
        requiresArg: true,
        default: 'latest',
        describe: 'Checkpoint: a step, latest or best',
      })
      .option('env-module', {
        type: 'string',
        requiresArg: true,
        describe: "The run's environment in JavaScript, if its file was moved",
      })
      .option('episodes', {
        type: 'string',
        requiresArg: true,
        default: '10',
        describe: 'Episodes',
      })
      .option('seed', {
        type: 'string',
        requiresArg: true,
        default: '0',
        describe: 'Seed of the start states',
      })
      .option('stochastic', {
        type: 'boolean',
        describe: 'Draw the actions, as training does [tanh of the mean]',
      })
      .option('record', {
        type: 'string',
        requiresArg: true,
        default: '0',
        describe: 'Episodes of tanh of the mean to record besides, for watch',
      })
      .option('runs-dir', {
        type: 'string',
        requiresArg: true,
        default: 'runs',
        describe: 'Where runs are searched',
      })
      .option('json', {
        type: 'boolean',
        describe: '{episodes, returnMean, returnStd, returns, lengths} on standard output',
      })
      .option('no-setup', { type: 'boolean', describe: 'Fail where the native part is missing' })
      .option('offline', { type: 'boolean', describe: 'Never touch the network' })
      .example('$0 eval latest --episodes 20', 'the newest run') as unknown as Argv<EvalArguments>,
  handler: async (args) => {
    const episodes = wholeNumber('--episodes', args.episodes, 1);
    const seed = wholeNumber('--seed', args.seed, 0);
    const record = wholeNumber('--record', args.record, 0);
    const { step: asked } = args;
    const isName = asked === 'latest' || asked === 'best';
    const step = isName ? asked : wholeNumber('--step', asked, 0);
    refuseEmpty('--runs-dir', args.runsDir);
    const runDir = findRun(args.run, args.runsDir);
    const { config, passedOver } = await findPolicy(runDir, step);
    for (const reason of passedOver)
      note(`warning CHECKPOINT_FALLBACK: ${reason}; passing over it`);
    const custom = await customEnvironment(runDir, config, args.envModule);
    await ensureNative({
      ...(args.noSetup && { noSetup: true }),
      ...(args.offline && { offline: true }),
    });
    const { evaluate } = await import('../../training/evaluate.js');
    const stop = stopOnSignals(() => {});
    try {
      // the step that is named below, not one that training saves meanwhile
      const { step } = config;
      // what cannot be recorded is refused before the episodes that are counted are run
      const recordings = await recordMany(runDir, record, { step, seed, signal: stop.signal });
      const result = await evaluate(runDir, {
        step,
        episodes,
        seed,
        stochastic: args.stochastic,
        ...custom,
        signal: stop.signal,
      });
      if (args.json) {
        const { stochastic } = args;
        printJson({
          ...result,
          ...(stochastic && { stochastic }),
          ...(record > 0 && { recordings }),
        });
        return;
      }
      const drawn = args.stochastic ? ', actions drawn' : '';
      note(
        `${config.algorithm} on ${config.env}, step ${config.step}${drawn} | ${visible(runDir)}`,
      );
      const { returnMean, returnStd } = result;
      const { returnMin, returnMax, lengthMean } = evaluationRange(result);
      const range = `min ${returnMin.toFixed(1)}, max ${returnMax.toFixed(1)}`;
      print(
        `return ${returnMean.toFixed(1)} +/- ${returnStd.toFixed(1)} (${range}), length ${lengthMean.toFixed(1)}, ${result.episodes} episodes`,
      );
      for (const file of recordings) print(`recorded ${shortPath(file)}`);
    } catch (error) {
      if (stop.exitCode() === undefined) throw error;
      process.exitCode = stop.exitCode();
    } finally {
      stop.release();
    }
  },
};
