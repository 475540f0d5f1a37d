/**
 * How long runs will take: by runs of the same kind that are done, else by other runs and the arithmetic of an update, else by
 * the speed of this processor's matrix products, which set-up measured once. Always an estimate.
 */
import { existsSync, readdirSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { updateOperations } from '../bench/arithmetic.js';
import type { ResolvedConfig } from '../config/schema.js';
import { TASKS } from '../environments/tasks.js';
import { keptSpeed } from '../native/gemm.js';
import { loadRun } from '../training/load-run.js';

/** A run that is done: what it was, and seconds per environment step. */
export interface Measured {
  readonly config: ResolvedConfig;
  readonly secondsPerStep: number;
}

/** Seconds, and what they rest on. */
export interface Estimate {
  readonly seconds: number;
  readonly from: 'finished runs' | 'the speed of this processor';
}

/** What estimates rest on. */
export interface Known {
  readonly measured: readonly Measured[];
  /** Floating-point operations a second of one core's products; undefined where nothing has measured them. */
  readonly flops: number | undefined;
}

/** Share of the products' speed that an update reaches: `bench` measures 0.55 beside other work, up to 0.75 without. */
const SHARE = 0.6;
/** Time of everything beside updates, as a share of theirs: simulator, evaluations, files. */
const BESIDE = 0.25;

/** Values that decide how long a step takes. */
const kindOf = ({ env, algorithm, network, replay, runtime, schedule, residual }: ResolvedConfig) =>
  JSON.stringify([
    env.id,
    algorithm,
    network,
    replay.batchSize,
    [runtime.engine, runtime.device, runtime.threads],
    schedule,
    residual.batch,
  ]);

/** Operations of a step's updates; undefined for an environment or a schedule that says nothing of them before it runs. */
function operationsPerStep(config: ResolvedConfig): number | undefined {
  const task = TASKS.find(({ id }) => id === config.env.id);
  const { schedule } = config;
  if (task === undefined || !('mSteps' in schedule)) return undefined;
  const updates = Math.max(schedule.mSteps, schedule.eSteps) / schedule.envSteps;
  return updates * updateOperations(config, task);
}

const mean = (values: readonly number[]) =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** Seconds that `steps` steps of a config take; undefined where nothing is known. */
export function estimateRun(
  config: ResolvedConfig,
  steps: number,
  { measured, flops }: Known,
): Estimate | undefined {
  const same = measured.filter((run) => kindOf(run.config) === kindOf(config));
  if (same.length > 0) {
    const secondsPerStep = mean(same.map((run) => run.secondsPerStep));
    return { seconds: steps * secondsPerStep, from: 'finished runs' };
  }
  const operations = operationsPerStep(config);
  if (operations === undefined || config.runtime.engine !== 'kernel') return undefined;
  const speeds = measured.flatMap(({ config: other, secondsPerStep }) => {
    const done = operationsPerStep(other);
    const isAlike = other.runtime.engine === 'kernel' && done !== undefined;
    return isAlike ? [done / secondsPerStep] : [];
  });
  if (speeds.length > 0)
    return { seconds: (steps * operations) / mean(speeds), from: 'finished runs' };
  if (flops === undefined) return undefined;
  // gradient steps begin when there is something to learn from
  const learning = Math.max(0, steps - config.collect.startUpdates);
  const seconds = ((1 + BESIDE) * learning * operations) / (SHARE * flops);
  return { seconds, from: 'the speed of this processor' };
}

/** Seconds of all, some at a time; undefined where one of them is not known. */
export function estimateAll(
  runs: readonly (Estimate | undefined)[],
  jobs: number,
): Estimate | undefined {
  const known = runs.filter((run) => run !== undefined);
  if (known.length < runs.length) return undefined;
  const sum = known.reduce((total, { seconds }) => total + seconds, 0);
  const longest = known.reduce((most, { seconds }) => Math.max(most, seconds), 0);
  const byProcessor = known.some(({ from }) => from !== 'finished runs');
  const from = byProcessor ? 'the speed of this processor' : 'finished runs';
  return { seconds: Math.max(sum / jobs, longest), from };
}

/** Runs of a task and algorithm that are looked at. */
const MOST_RUNS = 4;

/** Finished runs of the same tasks and algorithms in the default folders of `train`, on this processor. */
export function finishedRuns(configs: readonly ResolvedConfig[], runsDir: string): Measured[] {
  const folders = new Set(configs.map(({ env, algorithm }) => join(runsDir, env.id, algorithm)));
  return [...folders].flatMap((folder) => {
    if (!existsSync(folder)) return [];
    const newest = readdirSync(folder).sort().reverse();
    return newest.flatMap((name) => measuredRun(join(folder, name)) ?? []).slice(0, MOST_RUNS);
  });
}

/** What a finished run took; undefined of any other folder. */
export function measuredRun(runDir: string): Measured | undefined {
  if (!existsSync(join(runDir, 'summary.json'))) return undefined;
  try {
    const { summary, config, manifest } = loadRun(runDir);
    if (summary?.state !== 'finished' || summary.steps === 0) return undefined;
    if (manifest.machine.cpu !== cpus()[0]?.model) return undefined;
    const secondsPerStep = summary.wallSeconds / summary.steps;
    return { config: config as unknown as ResolvedConfig, secondsPerStep };
  } catch {
    // an estimate is no reason to fail
    return undefined;
  }
}

/** What is known on this machine. */
export const machineKnowledge = (measured: readonly Measured[]): Known => ({
  measured,
  flops: keptSpeed(),
});
