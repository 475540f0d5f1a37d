/** `checkpoints/<step>/pretrained_model`: the parameters, and what is needed to use them. */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ResolvedConfig } from '../config/schema.js';
import { TASKS } from '../environments/tasks.js';
import { VirelError } from '../errors.js';
import { fileError, pretty, syncFolder, writeWhole } from './files.js';
import { packageVersion } from './manifest.js';
import type { TrainingSession } from './session.js';

const STEP_DIGITS = 12;
const STEP_NAME = /^\d{12,}$/;

/** The folder's name of a step: twelve digits, so that names sort as steps do. */
export const stepName = (step: number) => String(step).padStart(STEP_DIGITS, '0');

/** What `config.json` says of a policy: enough to act with it in another program. */
export interface PolicyConfig {
  format: 1;
  env: string;
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
  package: string;
}

function policyConfig(config: ResolvedConfig, step: number): PolicyConfig {
  const task = TASKS.find(({ id }) => id === config.env.id);
  if (task === undefined) throw new VirelError('ENV_UNKNOWN', config.env.id);
  const { observationSize, actionSize, actionLow, actionHigh } = task;
  return {
    format: 1,
    env: config.env.id,
    algorithm: config.algorithm,
    step,
    observationSize,
    actionSize,
    actionLow,
    actionHigh,
    hidden: config.network.hidden,
    activation: config.network.activation,
    maxEpisodeSteps: config.env.maxEpisodeSteps,
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
  const temporary = `${path}.tmp-${process.pid}`;
  try {
    const model = join(temporary, 'pretrained_model');
    mkdirSync(model, { recursive: true });
    const description = policyConfig(config, step);
    const { env, algorithm } = description;
    // one key: the writer does not keep the order of several, and equal runs shall give equal files
    await session.saveParameters(join(model, 'model.safetensors'), {
      'virel-native': JSON.stringify({ env, algorithm, step, package: description.package }),
    });
    writeWhole(join(model, 'config.json'), pretty(description));
    writeWhole(join(model, 'train_config.json'), pretty(config));
    syncFolder(temporary);
    renameSync(temporary, path);
    syncFolder(folder);
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    throw fileError(error, path);
  }
  writeWhole(join(folder, 'latest'), `${stepName(step)}\n`);
  for (const old of listCheckpoints(runDir).slice(0, -config.checkpoint.keep)) {
    const trash = join(folder, `.trash-${old}`);
    renameSync(join(folder, old), trash);
    rmSync(trash, { recursive: true, force: true });
  }
  return path;
}

/** A policy on disk. */
export interface SavedPolicy {
  /** The safetensors file. */
  file: string;
  config: PolicyConfig;
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
  const description = join(file, '..', 'config.json');
  try {
    return { file, config: JSON.parse(readFileSync(description, 'utf8')) as PolicyConfig };
  } catch (error) {
    throw new VirelError('CHECKPOINT_CORRUPT', `${description} cannot be read`, {
      where: description,
      fix: 'take another checkpoint: --step N',
      cause: error,
    });
  }
}
