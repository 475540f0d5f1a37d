import type { CommandModule } from 'yargs';
import type { BenchOptions, BenchReport, BenchRow } from '../../bench/bench.js';
import { WORKS, type Work } from '../../bench/works.js';
import { VirelError } from '../../errors.js';
import { ensureNative } from '../../native/addon.js';
import { note, print, printJson } from '../output.js';

interface BenchArguments {
  env: string;
  algorithm: string;
  engine: 'kernel' | 'tensor' | undefined;
  threads: string | undefined;
  hidden: string | undefined;
  batch: string | undefined;
  environments: string | undefined;
  seconds: string;
  only: string | undefined;
  json: boolean | undefined;
}

/** A positive whole number of an option. @throws VirelError `CONFIG_RANGE`. */
function wholeOf(flag: string, text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1) return value;
  throw new VirelError('CONFIG_RANGE', `${flag}: expected a whole number from 1, got ${text}`, {
    where: flag,
    expected: 'a whole number from 1',
    got: text,
    fix: `leave ${flag} out, or give a number such as 2`,
  });
}

/** @throws VirelError `CLI_USAGE`. */
function workOf(text: string): Work {
  const work = WORKS.find((name) => name === text);
  if (work !== undefined) return work;
  throw new VirelError('CLI_USAGE', `--only: expected ${WORKS.join(', ')}, got ${text}`, {
    where: '--only',
    expected: WORKS.join(', '),
    got: text,
    fix: '--only update, or leave it out',
  });
}

function optionsOf(args: BenchArguments): BenchOptions {
  const { env, algorithm, engine, threads, hidden, batch, environments, seconds, only } = args;
  return {
    env,
    algorithm,
    engine,
    threads: threads === undefined ? undefined : wholeOf('--threads', threads),
    hidden: hidden?.split(',').map((width) => wholeOf('--hidden', width.trim())),
    batch: batch === undefined ? undefined : wholeOf('--batch', batch),
    environments: environments === undefined ? undefined : wholeOf('--environments', environments),
    seconds: Number(seconds),
    only: only === undefined ? undefined : workOf(only),
  };
}

const UNITS: Record<Work, string> = {
  update: 'updates/s',
  env: 'environment steps/s',
  train: 'steps with an update/s',
};

const rateOf = (row: BenchRow) =>
  row.updatesPerSecond ?? row.envStepsPerSecond ?? row.trainStepsPerSecond ?? 0;

const percent = (share: number) => `${(100 * share).toFixed(0)} %`;

function rowText(row: BenchRow): string {
  const rate = rateOf(row);
  const threads = `${row.threads} thread${row.threads === 1 ? '' : 's'}`;
  const ceiling =
    row.shareOfCeiling === undefined ? '' : `  ${percent(row.shareOfCeiling)} of the ceiling`;
  const spread = `+-${(50 * row.spread).toFixed(1)} %`.padStart(9);
  return [
    row.name.padEnd(7),
    threads.padEnd(10),
    rate.toFixed(rate < 100 ? 1 : 0).padStart(8),
    UNITS[row.name].padEnd(23),
    spread,
    ceiling,
  ]
    .join(' ')
    .trimEnd();
}

function calibrationText({ machine, calibration, replay, rows }: BenchReport): string {
  const { gemm, fmaGflops, gemms } = calibration;
  const speeds = Object.entries(gemms).map(([name, gflops]) => `${name} ${gflops.toFixed(1)}`);
  const [first] = rows;
  return [
    `${machine.cpu}, ${machine.cores} cores, ${machine.threads} for this process`,
    `one core, GFLOP/s: ${speeds.join(', ')}, ceiling ${fmaGflops.toFixed(1)}; in use: ${gemm}`,
    ...(first === undefined
      ? []
      : [
          `${first.env}, ${first.algorithm} on ${first.engine}, hidden ${first.hidden.join('x')}, batch ${first.batch}, replay ${replay} rows, ${first.environments} environment${first.environments === 1 ? '' : 's'}`,
        ]),
    'medians of 9 blocks and half their range',
  ].join('\n');
}

/** `virel-native bench`: throughput of this machine. */
export const benchCommand: CommandModule<unknown, BenchArguments> = {
  command: 'bench',
  describe: "Measure this machine's throughput",
  builder: (yargs) => {
    const text = { type: 'string', requiresArg: true } as const;
    return yargs
      .option('env', { ...text, default: 'HalfCheetah-v5', describe: 'Task' })
      .option('algorithm', { ...text, alias: 'algo', default: 'virel', describe: 'Algorithm' })
      .option('engine', { ...text, describe: 'Learner: kernel or tensor [kernel]' })
      .option('threads', { ...text, describe: 'Threads of the learner [1, and those of train]' })
      .option('hidden', { ...text, describe: 'Widths of the hidden layers [of the preset]' })
      .option('batch', { ...text, describe: 'Rows of a batch [of the preset]' })
      .option('environments', { ...text, describe: 'Environments that collect in turn [1]' })
      .option('seconds', { ...text, default: '10', describe: 'Time of each row' })
      .option('only', { ...text, describe: 'One kind of row: update, env or train' })
      .option('json', { type: 'boolean', describe: 'The report as JSON on standard output' })
      .example('$0 bench --env Humanoid-v5 --algorithm beta --only update', '')
      .example('$0 bench --json > bench.json', '') as never;
  },
  handler: async (args) => {
    const options = optionsOf(args);
    await ensureNative();
    const { bench } = await import('../../bench/bench.js');
    const report = await bench(options, (row) => {
      if (args.json) note(rowText(row));
    });
    if (args.json) printJson(report);
    else print([calibrationText(report), '', ...report.rows.map(rowText)].join('\n'));
  },
};
