/**
 * `checkpoints/<step>`: `pretrained_model`, the parameters and what is needed to use them; `training_state`, what is needed
 * to go on; `MANIFEST.json`, written last. Rows of the replay buffer lie in `replay/`, shared by all checkpoints.
 */
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import * as z from 'zod';
import type { ResolvedConfig } from '../config/schema.js';
import { type Choices, choicesOf, type TaskSizes } from '../environments/choices.js';
import { type ExternalFacts, externalOf } from '../environments/define.js';
import { observationOrder } from '../environments/observation-order.js';
import { TASKS } from '../environments/tasks.js';
import { VirelError } from '../errors.js';
import { readPlainFile } from '../logging/read-lines.js';
import {
  type CheckpointManifest,
  digestOf,
  type Flaw,
  REPLAY_FOLDER,
  type ReplayFile,
  replayFileName,
  writeManifest,
} from './checkpoint-manifest.js';
import { fileError, makeFolders, pretty, syncFolder, writeWhole } from './files.js';
import type { LoopState } from './loop-state.js';
import { packageVersion } from './manifest.js';
import type { TrainingSession } from './session.js';
import { MODEL_FILES, policyFlaw } from './verify-policy.js';

const STEP_DIGITS = 12;
/** The folder's name of any step. */
export const STEP_NAME = /^\d{12,}$/;

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
  return listSteps(runDir).filter((name) => existsSync(parameterFile(runDir, name)));
}

/** Steps that have a folder, whatever is in it, oldest first. @throws VirelError `PERMISSION`, `IO`. */
export function listSteps(runDir: string): string[] {
  const folder = join(runDir, 'checkpoints');
  try {
    return readdirSync(folder)
      .filter((name) => STEP_NAME.test(name))
      .sort();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw fileError(error, folder, 'read it as a user who may');
  }
}

/** The parameters of a checkpoint. */
export function parameterFile(runDir: string, name: string): string {
  return join(runDir, 'checkpoints', name, 'pretrained_model', 'model.safetensors');
}

/** What a file of parameters says of itself: whoever finds it alone knows what it acts in, and what it must be fed. */
function metadataOf(description: PolicyConfig, { torch, mujoco }: CheckpointManifest['madeBy']) {
  const { env, envOptions, algorithm, step, package: version } = description;
  const observation = observationOrder(env, envOptions);
  return { env, algorithm, step, package: version, torch, mujoco, observation };
}

/** Writes a checkpoint to `path` under another name, then renames it; `more` is written before that. */
async function writeCheckpoint(
  path: string,
  session: TrainingSession,
  config: ResolvedConfig,
  { step, madeBy }: { step: number; madeBy: CheckpointManifest['madeBy'] },
  more: (folder: string) => Promise<void> = async () => {},
): Promise<void> {
  const temporary = `${path}.tmp-${process.pid}`;
  try {
    const model = join(temporary, 'pretrained_model');
    mkdirSync(model, { recursive: true });
    const description = policyConfig(config, session.task, step);
    // one key: the writer does not keep the order of several, and equal runs shall give equal files
    await session.saveParameters(join(model, 'model.safetensors'), {
      'virel-native': JSON.stringify(metadataOf(description, madeBy)),
    });
    writeWhole(join(model, 'config.json'), pretty(description));
    writeWhole(join(model, 'train_config.json'), pretty(config));
    await more(temporary);
    syncFolder(temporary);
    // of a run that was taken up before this step and came here again
    if (existsSync(path)) discard(dirname(path), basename(path));
    renameSync(temporary, path);
    syncFolder(dirname(path));
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    throw fileError(error, path);
  }
}

/** Removes a checkpoint of a folder so that no reader meets a part of it. */
export function discard(folder: string, name: string): void {
  const trash = join(folder, `.trash-${name}`);
  // of one that was killed here
  rmSync(trash, { recursive: true, force: true });
  renameSync(join(folder, name), trash);
  rmSync(trash, { recursive: true, force: true });
}

/** The step that a one-line file such as `latest` names; undefined without one. */
export function namedStep(runDir: string, file: 'latest' | 'best'): string | undefined {
  try {
    const name = readFileSync(join(runDir, 'checkpoints', file), 'utf8').trim();
    return STEP_NAME.test(name) ? name : undefined;
  } catch {
    return undefined;
  }
}

/** The checkpoints of one run; their only writer. */
export class Checkpoints {
  readonly #runDir: string;
  readonly #folder: string;
  readonly #config: ResolvedConfig;
  readonly #madeBy: CheckpointManifest['madeBy'];
  #rows: readonly ReplayFile[];

  /**
   * @param madeBy What must be the same for the same bits to follow.
   * @param rows Files of the replay buffer of a run that is taken up.
   */
  constructor(
    runDir: string,
    config: ResolvedConfig,
    madeBy: CheckpointManifest['madeBy'],
    rows: readonly ReplayFile[] = [],
  ) {
    this.#runDir = runDir;
    this.#folder = join(runDir, 'checkpoints');
    this.#config = config;
    this.#madeBy = madeBy;
    this.#rows = rows;
  }

  /**
   * Writes a checkpoint under another name, renames it, then moves `latest`, and `best` if it is that, and removes the
   * oldest beyond `checkpoint.keep`.
   *
   * @returns Its folder.
   * @throws VirelError `IO`, `DISK_FULL`, `QUOTA`, `PERMISSION`; the older checkpoints stay as they were.
   */
  async save(session: TrainingSession, state: LoopState, isBest: boolean): Promise<string> {
    const name = stepName(state.step);
    const path = join(this.#folder, name);
    const replay = this.#config.checkpoint.replay ? await this.#saveRows(session) : null;
    const made = { step: state.step, madeBy: this.#madeBy };
    await writeCheckpoint(path, session, this.#config, made, async (folder) => {
      const training = join(folder, 'training_state');
      mkdirSync(training);
      const names = await session.saveState(training);
      writeWhole(join(training, 'training_step.json'), pretty(state));
      const all = [...names, 'training_step.json'].map((file) => `training_state/${file}`);
      await writeManifest(folder, [...MODEL_FILES, ...all], { ...made, replay });
    });
    writeWhole(join(this.#folder, 'latest'), `${name}\n`);
    if (isBest) writeWhole(join(this.#folder, 'best'), `${name}\n`);
    this.#prune();
    return path;
  }

  /**
   * Writes what a diverged run was left with, the last parameters that were finite, to `diverged/<step>`: apart from the
   * checkpoints, none of which is replaced by it.
   *
   * @returns Its folder.
   * @throws VirelError `IO`, `DISK_FULL`, `QUOTA`, `PERMISSION`.
   */
  async saveDiverged(session: TrainingSession, step: number): Promise<string> {
    const path = join(this.#runDir, 'diverged', stepName(step));
    await writeCheckpoint(path, session, this.#config, { step, madeBy: this.#madeBy });
    return path;
  }

  /** Writes what is new in the replay buffer; all files that a reader of it needs now. */
  async #saveRows(session: TrainingSession): Promise<ReplayFile[]> {
    const newest = this.#rows.at(-1);
    const next = newest === undefined ? 0 : newest.first + newest.count;
    const { end, added } = await writeRows(session, join(this.#runDir, REPLAY_FOLDER), next);
    // a reader takes what the ring holds
    const oldest = end - this.#config.replay.capacity;
    const rows = [...this.#rows, ...added].filter(({ first, count }) => first + count > oldest);
    this.#rows = rows;
    return rows;
  }

  /** Removes the oldest checkpoints, and rows that none of the others needs. */
  #prune(): void {
    const best = namedStep(this.#runDir, 'best');
    const names = listCheckpoints(this.#runDir);
    const old = names.slice(0, -this.#config.checkpoint.keep).filter((name) => name !== best);
    for (const name of old) discard(this.#folder, name);
    const kept = names.filter((name) => !old.includes(name));
    const needed = new Set(kept.flatMap((name) => rowsOf(join(this.#folder, name))));
    for (const { file } of this.#rows) needed.add(file);
    const folder = join(this.#runDir, REPLAY_FOLDER);
    const present = existsSync(folder) ? readdirSync(folder) : [];
    for (const file of present) if (!needed.has(file)) rmSync(join(folder, file), { force: true });
  }
}

/** Writes the transitions from number `next` on, in as many files as they take; the number behind the last. */
async function writeRows(
  session: TrainingSession,
  folder: string,
  next: number,
): Promise<{ end: number; added: ReplayFile[] }> {
  const added: ReplayFile[] = [];
  for (let end = next; ; ) {
    const file = replayFileName(end);
    const path = join(folder, file);
    try {
      makeFolders(folder);
      const { first, count } = await session.saveReplay(path, end);
      end = first + count;
      if (count === 0) return { end, added };
      added.push({ file, first, count, ...(await digestOf(path)) });
    } catch (error) {
      throw fileError(error, path);
    }
  }
}

/** Names of the files of the replay buffer that a checkpoint needs, as far as it says. */
function rowsOf(checkpoint: string): string[] {
  try {
    const manifest = JSON.parse(readFileSync(join(checkpoint, 'MANIFEST.json'), 'utf8'));
    return (manifest as CheckpointManifest).replay?.map(({ file }) => file) ?? [];
  } catch {
    return [];
  }
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
  /** Newer checkpoints that are damaged, each in words. */
  passedOver: readonly string[];
}

/** Bytes of the largest description of a policy. */
const MOST_BYTES = 64 * 2 ** 20;

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
    value = JSON.parse(readPlainFile(path, MOST_BYTES).toString());
  } catch (error) {
    throw corrupt(error, 'cannot be read');
  }
  const format = (value as { format?: unknown } | null)?.format;
  if (typeof format === 'number' && format !== 1)
    throw otherFormat({ reason: `${path} has layout ${format}`, format });
  const checked = schema.safeParse(value);
  if (checked.success) return checked.data;
  const key = checked.error.issues[0]?.path.join('.');
  throw corrupt(checked.error, `does not describe a policy${key ? `: ${key}` : ''}`);
}

const nameOf = (runDir: string, step: number | 'best') =>
  step === 'best' ? namedStep(runDir, 'best') : stepName(step);

/** Names of the checkpoints that are looked at for a policy, in this order. @throws VirelError `CHECKPOINT_NONE` without one. */
function candidates(runDir: string, step: number | 'latest' | 'best', gone: Set<string>): string[] {
  const names = listSteps(runDir).filter((name) => !gone.has(name));
  const wanted =
    step === 'latest'
      ? [...names].reverse()
      : names.filter((name) => name === nameOf(runDir, step));
  if (wanted.length > 0) return wanted;
  const known = names.map(Number).join(', ');
  throw new VirelError(
    'CHECKPOINT_NONE',
    step === 'latest'
      ? `${runDir} has no checkpoint yet`
      : `${runDir} has no checkpoint of step ${step}`,
    {
      where: runDir,
      ...(known !== '' && { expected: `one of ${known}` }),
      fix: known === '' ? 'wait until it has saved one, or train into a new run' : '--step latest',
    },
  );
}

/** Reads a checkpoint's policy. @returns Or its flaw; undefined where it was removed meanwhile, as the trainer does with its oldest. */
async function tryPolicy(
  runDir: string,
  name: string,
  passedOver: readonly string[],
): Promise<SavedPolicy | Flaw | undefined> {
  const folder = join(runDir, 'checkpoints', name);
  const isGone = () => lstatSync(folder, { throwIfNoEntry: false }) === undefined;
  try {
    const flaw = await policyFlaw(folder);
    if (flaw !== undefined) return isGone() ? undefined : flaw;
    return readPolicy(parameterFile(runDir, name), passedOver);
  } catch (error) {
    if (isGone()) return undefined;
    throw error;
  }
}

/** The first whole one of the checkpoints that are looked at; undefined where one of them went meanwhile, which is then among `gone`. */
async function firstWhole(
  runDir: string,
  step: number | 'latest' | 'best',
  gone: Set<string>,
): Promise<SavedPolicy | undefined> {
  const passedOver: string[] = [];
  for (const name of candidates(runDir, step, gone)) {
    const found = await tryPolicy(runDir, name, passedOver);
    if (found === undefined) {
      gone.add(name);
      return undefined;
    }
    if (!('reason' in found)) return found;
    if (found.format !== undefined) throw otherFormat(found);
    passedOver.push(found.reason);
  }
  throw new VirelError('CHECKPOINT_CORRUPT', passedOver[0] ?? runDir, {
    where: runDir,
    fix: step === 'latest' ? 'take the folder from a copy of the run' : '--step latest',
  });
}

/**
 * Finds a policy of a run. Its files are held against the SHA-256 of the checkpoint's manifest; where `latest` is damaged, it
 * is the newest that is not. The run may go on meanwhile: where a checkpoint is removed while it is read, all are looked at
 * again.
 *
 * @param step A step, `latest`, or `best`: the one whose evaluation was the best so far.
 * @throws VirelError `CHECKPOINT_NONE` if there is none; `CHECKPOINT_CORRUPT` if all are damaged, or the one that was asked
 *   for; `CHECKPOINT_FORMAT` if another version wrote it; `PERMISSION`, `IO`.
 */
export async function findPolicy(
  runDir: string,
  step: number | 'latest' | 'best' = 'latest',
): Promise<SavedPolicy> {
  // none is looked for twice, so that a folder that lists what it does not have ends the search too
  const gone = new Set<string>();
  for (;;) {
    const found = await firstWhole(runDir, step, gone);
    if (found !== undefined) return found;
  }
}

/** A checkpoint that another version wrote. */
export function otherFormat({ reason, format }: { reason: string; format?: number }): VirelError {
  return new VirelError('CHECKPOINT_FORMAT', reason, {
    expected: 'layout 1',
    got: `layout ${format}`,
    fix: 'use the version of virel-native that wrote it, or update this one',
  });
}

/** What is to be known of a policy by its file of parameters. */
function readPolicy(file: string, passedOver: readonly string[]): SavedPolicy {
  const folder = dirname(file);
  const config: PolicyConfig = readDescription(join(folder, 'config.json'), policySchema);
  const { env } = readDescription(join(folder, 'train_config.json'), trainedSchema);
  const external = config.simulator === 'typescript' ? externalOf(config) : undefined;
  const modelDir = env.modelDir ?? undefined;
  return { file, config, modelDir, choices: config.envOptions, external, passedOver };
}
