/** What this machine reaches: the learner alone, the environment with the policy, and both. */
import { availableParallelism, cpus } from 'node:os';
import { findTask } from '../config/choices.js';
import { type ConfigOptions, resolveConfig } from '../config/resolve.js';
import type { ResolvedConfig } from '../config/schema.js';
import { TASKS, type Task } from '../environments/tasks.js';
import { VirelError } from '../errors.js';
import { loadAddon } from '../native/addon.js';
import { machineGemm } from '../native/gemm.js';
import { Session } from '../native/session.js';
import type { Phase } from '../schedule/plan.js';
import { updateOperations } from './arithmetic.js';
import { measureRate, type Rate } from './blocks.js';
import { WORKS, type Work } from './works.js';

/** What to measure. */
export interface BenchOptions {
  /** Task; HalfCheetah-v5 unless said. */
  env?: string | undefined;
  /** Algorithm, with the values that `train` gives it; `virel` unless said. */
  algorithm?: string | undefined;
  engine?: 'kernel' | 'tensor' | undefined;
  /** Threads of the learner; 1 and the default of `train` unless said. */
  threads?: number | undefined;
  /** Widths of the hidden layers; those of the preset unless said. */
  hidden?: number[] | undefined;
  /** Environments that collect in turn; 1 unless said. */
  environments?: number | undefined;
  /** Rows of a batch; the preset's unless said. */
  batch?: number | undefined;
  /** For each row of the report; 10 unless said. */
  seconds?: number | undefined;
  /** All three unless said. */
  only?: Work | undefined;
}

/** One measurement. */
export interface BenchRow extends Omit<Rate, 'perSecond'> {
  name: Work;
  env: string;
  algorithm: string;
  engine: string;
  threads: number;
  hidden: readonly number[];
  batch: number;
  environments: number;
  /** The learner alone, on a replay buffer that is full. */
  updatesPerSecond?: number;
  /** The closed loop: policy, step, reward, reset, buffer. */
  envStepsPerSecond?: number;
  /** One environment step and one update. */
  trainStepsPerSecond?: number;
  /** Updates: arithmetic of the products per second over the ceiling of the threads. */
  shareOfCeiling?: number;
}

/** The content of `bench --json`. */
export interface BenchReport {
  machine: { cpu: string; cores: number; threads: number };
  calibration: {
    /** The product in use. */
    gemm: string;
    /** Its speed on one core, 10⁹ floating-point operations a second. */
    gemmGflops: number;
    /** The ceiling of one core. */
    fmaGflops: number;
    /** Every candidate's speed. */
    gemms: Record<string, number>;
  };
  /** Rows of the replay buffer while updates were measured. */
  replay: number;
  rows: BenchRow[];
}

/** A replay buffer at least as large as most caches: rows are drawn from memory, as they are in a long run. */
const REPLAY_BYTES = 64e6;

/** Seconds of each speed of the calibration. */
const CALIBRATION_SECONDS = 0.5;

/** Rows that fill the buffer: also more than a residual error takes. */
function replayRows(config: ResolvedConfig, row: number): number {
  return Math.max(Math.ceil(REPLAY_BYTES / (4 * row)), 4 * config.residual.batch);
}

/** The built-in task of a config. */
const taskOf = ({ env }: ResolvedConfig): Task => findTask({ value: env.id, origin: 'env' }, TASKS);

/** The config of a measurement: the buffer is filled by random actions, then the policy acts. */
export function configOf(options: BenchOptions, threads: number | undefined): ResolvedConfig {
  const { env = 'HalfCheetah-v5', algorithm = 'virel', engine, hidden, batch } = options;
  const { environments = 1 } = options;
  const asked: ConfigOptions = {
    env,
    algorithm: algorithm as NonNullable<ConfigOptions['algorithm']>,
    engine,
    threads,
    ...(hidden && { network: { hidden } }),
    ...(batch !== undefined && { replay: { batchSize: batch } }),
  };
  const plain = resolveConfig(asked);
  const task = taskOf(plain);
  const capacity = replayRows(plain, 2 * task.observationSize + task.actionSize + 2);
  return resolveConfig({
    ...asked,
    replay: { ...asked.replay, capacity },
    collect: { startUpdates: 1, uniformSteps: capacity, resetEvery: 0, environments },
  });
}

const PHASES: Record<Work, readonly Phase[]> = {
  update: [{ update: { mSteps: 1, eSteps: 1 } }],
  env: [{ collect: 1 }],
  train: [{ collect: 1 }, { update: { mSteps: 1, eSteps: 1 } }],
};

const RATE_NAMES = {
  update: 'updatesPerSecond',
  env: 'envStepsPerSecond',
  train: 'trainStepsPerSecond',
} as const;

/** The rows of one number of threads. */
async function benchThreads(
  config: ResolvedConfig,
  works: readonly Work[],
  seconds: number,
  fmaGflops: number,
): Promise<BenchRow[]> {
  const { env, algorithm, runtime, network, replay, collect } = config;
  const about = {
    env: env.id,
    algorithm,
    engine: runtime.engine,
    threads: runtime.threads,
    hidden: network.hidden,
    batch: replay.batchSize,
    environments: collect.environments,
  };
  const session = Session.open(config);
  try {
    await session.advance({ repeat: replay.capacity, phases: PHASES.env });
    const rows: BenchRow[] = [];
    for (const name of works) {
      const work = async (repeat: number) => {
        await session.advance({ repeat, phases: PHASES[name] });
      };
      const { perSecond, ...rate } = await measureRate(work, seconds);
      const ceiling = fmaGflops * 1e9 * Math.min(runtime.threads, availableParallelism());
      const arithmetic = updateOperations(config, taskOf(config)) * perSecond;
      rows.push({
        name,
        ...about,
        [RATE_NAMES[name]]: perSecond,
        ...(name === 'update' && { shareOfCeiling: arithmetic / ceiling }),
        ...rate,
      });
    }
    return rows;
  } finally {
    session.dispose();
  }
}

/**
 * Measures this machine: rates are medians of nine blocks after one to warm up.
 *
 * @param report Told each row as it is measured.
 * @throws VirelError `CONFIG_*`, `ENV_UNKNOWN`, `ALGORITHM_UNKNOWN`, `NATIVE_*`, `MODEL_*`.
 */
export async function bench(
  options: BenchOptions = {},
  report: (row: BenchRow) => void = () => {},
): Promise<BenchReport> {
  const { seconds = 10, only } = options;
  if (!(seconds > 0 && seconds <= 3600)) {
    throw new VirelError(
      'CONFIG_RANGE',
      `seconds: expected a number above 0, at most 3600, got ${seconds}`,
      {
        where: 'seconds',
        expected: 'a number above 0, at most 3600',
        got: String(seconds),
        fix: 'leave it out, or give a number such as 10',
      },
    );
  }
  const several = configOf(options, options.threads);
  // one thread and what train takes unless it is told
  const configs =
    options.threads === undefined && several.runtime.threads > 1
      ? [configOf(options, 1), several]
      : [several];
  const { fmaGflops, gemms } = loadAddon().calibrate(CALIBRATION_SECONDS);
  const speeds = Object.fromEntries(gemms.map(({ name, gflops }) => [name, gflops]));
  const gemm = machineGemm();
  const rows: BenchRow[] = [];
  for (const [index, config] of configs.entries()) {
    // one thread steps the environment, whatever the learner has
    const works = WORKS.filter(
      (work) => (only ?? work) === work && (work !== 'env' || index === 0),
    );
    for (const row of await benchThreads(config, works, seconds, fmaGflops)) {
      report(row);
      rows.push(row);
    }
  }
  return {
    machine: {
      cpu: cpus()[0]?.model ?? 'unknown',
      cores: cpus().length,
      threads: availableParallelism(),
    },
    calibration: { gemm, gemmGflops: speeds[gemm] ?? 0, fmaGflops, gemms: speeds },
    replay: several.replay.capacity,
    rows,
  };
}
