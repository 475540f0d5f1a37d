/** `checkpoints/<step>/pretrained_model`: the parameters, and what is needed to use them. */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as z from 'zod';
import type { ResolvedConfig } from '../config/schema.js';
import { type Choices, choicesOf, type TaskSizes } from '../environments/choices.js';
import { type ExternalFacts, externalOf } from '../environments/define.js';
import { TASKS } from '../environments/tasks.js';
import { VirelError } from '../errors.js';
import { fileError, pretty, syncFolder, writeWhole } from './files.js';
import { packageVersion } from './manifest.js';
import type { TrainingSession } from './session.js';

const STEP_DIGITS = 12;
const STEP_NAME = /^\d{12,}$/;

/** The folder's name of a step: twelve digits, so that names sort as steps do. */
export const stepName = (step: number) => String(step).padStart(STEP_DIGITS, '0');

const size = z.int().min(1);

/** What `config.json` says of a policy: enough to act with it in another program. */
const policySchema = z.object({
  format: z.literal(1),
  env: z.string().min(1),
  // the native part judges them; older checkpoints have none
  envOptions: z.record(z.string(), z.unknown()).default({}),
  algorithm: z.string(),
  step: z.int().min(0),
  observationSize: size,
  actionSize: size,
  actionLow: z.array(z.number()),
  actionHigh: z.array(z.number()),
  hidden: z.array(size),
  activation: z.string(),
  maxEpisodeSteps: size,
  // checkpoints of before there was a choice
  simulator: z.enum(['mujoco', 'typescript']).default('mujoco'),
  package: z.string(),
});

/** What of `train_config.json` a policy needs. */
const trainedSchema = z.object({ env: z.object({ modelDir: z.string().min(1).nullable() }) });

/** The content of a checkpoint's `config.json`. */
export interface PolicyConfig {
  format: 1;
  env: string;
  /** Files and options of the environment, beside its id. */
  envOptions: Choices;
  algorithm: string;
  step: number;
  observationSize: number;
  actionSize: number;
  /** Smallest action per dimension, environment units. */
  actionLow: readonly number[];
  /** Largest action per dimension, environment units. */
  actionHigh: readonly number[];
  /** Widths of the hidden layers. */
  hidden: readonly number[];
  activation: string;
  /** Episodes were cut after this many steps. */
  maxEpisodeSteps: number;
  /** What moves the environment: one of our tasks, or a definition in TypeScript. */
  simulator: 'mujoco' | 'typescript';
  package: string;
}

/** No environment in TypeScript has the id of a task, and none a task file. */
function simulatorOf({ id, taskFile }: ResolvedConfig['env']): PolicyConfig['simulator'] {
  return taskFile !== null || TASKS.some((task) => task.id === id) ? 'mujoco' : 'typescript';
}

function policyConfig(config: ResolvedConfig, task: TaskSizes, step: number): PolicyConfig {
  const { observationSize, actionSize, actionLow, actionHigh } = task;
  return {
    format: 1,
    env: config.env.id,
    envOptions: choicesOf(config.env),
    algorithm: config.algorithm,
    step,
    observationSize,
    actionSize,
    actionLow,
    actionHigh,
    hidden: config.network.policyHidden,
    activation: config.network.activation,
    maxEpisodeSteps: config.env.maxEpisodeSteps,
    simulator: simulatorOf(config.env),
    package: packageVersion(),
  };
}

/** Steps of the complete checkpoints of a run, oldest first. */
export function listCheckpoints(runDir: string): string[] {
  const folder = join(runDir, 'checkpoints');
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => STEP_NAME.test(name) && existsSync(parameterFile(runDir, name)))
    .sort();
}

/** The parameters of a checkpoint. */
export function parameterFile(runDir: string, name: string): string {
  return join(runDir, 'checkpoints', name, 'pretrained_model', 'model.safetensors');
}

/** Writes a checkpoint to `path` under another name, then renames it. */
async function writeCheckpoint(
  path: string,
  session: TrainingSession,
  config: ResolvedConfig,
  step: number,
): Promise<void> {
  const temporary = `${path}.tmp-${process.pid}`;
  try {
    const model = join(temporary, 'pretrained_model');
    mkdirSync(model, { recursive: true });
    const description = policyConfig(config, session.task, step);
    const { env, algorithm } = description;
    // one key: the writer does not keep the order of several, and equal runs shall give equal files
    await session.saveParameters(join(model, 'model.safetensors'), {
      'virel-native': JSON.stringify({ env, algorithm, step, package: description.package }),
    });
    writeWhole(join(model, 'config.json'), pretty(description));
    writeWhole(join(model, 'train_config.json'), pretty(config));
    syncFolder(temporary);
    renameSync(temporary, path);
    syncFolder(dirname(path));
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    throw fileError(error, path);
  }
}

/**
 * Writes a checkpoint under another name, renames it, then moves `latest` and removes the oldest beyond `keep`.
 *
 * @returns Its folder.
 * @throws VirelError `IO`, `DISK_FULL`, `QUOTA`, `PERMISSION`; the older checkpoints stay as they were.
 */
export async function saveCheckpoint(
  runDir: string,
  session: TrainingSession,
  config: ResolvedConfig,
  step: number,
): Promise<string> {
  const folder = join(runDir, 'checkpoints');
  const path = join(folder, stepName(step));
  await writeCheckpoint(path, session, config, step);
  writeWhole(join(folder, 'latest'), `${stepName(step)}\n`);
  for (const old of listCheckpoints(runDir).slice(0, -config.checkpoint.keep)) {
    const trash = join(folder, `.trash-${old}`);
    renameSync(join(folder, old), trash);
    rmSync(trash, { recursive: true, force: true });
  }
  return path;
}

/**
 * Writes what a diverged run was left with, the last parameters that were finite, to `diverged/<step>`: apart from the
 * checkpoints, none of which is replaced by it.
 *
 * @returns Its folder.
 * @throws VirelError `IO`, `DISK_FULL`, `QUOTA`, `PERMISSION`.
 */
export async function saveDiverged(
  runDir: string,
  session: TrainingSession,
  config: ResolvedConfig,
  step: number,
): Promise<string> {
  const path = join(runDir, 'diverged', stepName(step));
  await writeCheckpoint(path, session, config, step);
  return path;
}

/** A policy on disk. */
export interface SavedPolicy {
  /** The safetensors file. */
  file: string;
  config: PolicyConfig;
  /** Folder of the model files it was trained on; undefined: the one of the set-up. */
  modelDir: string | undefined;
  /** Files and options of the task. */
  choices: Choices;
  /** Size and bounds of an environment in TypeScript. */
  external: ExternalFacts | undefined;
}

/** A JSON file of a checkpoint, of this shape. */
function readDescription<T>(path: string, schema: z.ZodType<T>): T {
  const corrupt = (cause: unknown, why: string) =>
    new VirelError('CHECKPOINT_CORRUPT', `${path} ${why}`, {
      where: path,
      fix: 'take another checkpoint: --step N',
      cause,
    });
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw corrupt(error, 'cannot be read');
  }
  const checked = schema.safeParse(value);
  if (checked.success) return checked.data;
  const key = checked.error.issues[0]?.path.join('.');
  throw corrupt(checked.error, `does not describe a policy${key ? `: ${key}` : ''}`);
}

/**
 * Finds a policy of a run.
 *
 * @param step A step, or `latest`.
 * @throws VirelError `CHECKPOINT_NONE` if there is none, `CHECKPOINT_CORRUPT` if its description cannot be read.
 */
export function findPolicy(runDir: string, step: number | 'latest' = 'latest'): SavedPolicy {
  const names = listCheckpoints(runDir);
  const wanted = step === 'latest' ? names.at(-1) : names.find((name) => name === stepName(step));
  if (wanted === undefined) {
    const known = names.map(Number).join(', ');
    throw new VirelError(
      'CHECKPOINT_NONE',
      step === 'latest'
        ? `${runDir} has no checkpoint yet`
        : `${runDir} has no checkpoint of step ${step}`,
      { where: runDir, ...(known !== '' && { expected: `one of ${known}` }), fix: '--step latest' },
    );
  }
  const file = parameterFile(runDir, wanted);
  const folder = dirname(file);
  const config: PolicyConfig = readDescription(join(folder, 'config.json'), policySchema);
  const { env } = readDescription(join(folder, 'train_config.json'), trainedSchema);
  const external = config.simulator === 'typescript' ? externalOf(config) : undefined;
  const modelDir = env.modelDir ?? undefined;
  return { file, config, modelDir, choices: config.envOptions, external };
}
