/** An episode of a checkpoint's policy, its states written down: what the page draws the robot from. */
import { join } from 'node:path';
import { VirelError } from '../errors.js';
import { Breath } from '../native/breath.js';
import { describeEnvironment } from '../native/choices.js';
import { Environment } from '../native/environment.js';
import { Policy } from '../native/policy.js';
import type { SavedPolicy } from '../training/checkpoint.js';
import { fileError, makeFolders, writeWhole } from '../training/files.js';
import { readManifest } from '../training/manifest.js';
import { findToldPolicy } from '../training/told-policy.js';
import { RECORDINGS, recordingFile, recordingId } from './recordings.js';
import { encodeRecording, type Recording, type RecordingHeader } from './shared/recording.js';

/** Which episode. */
export interface RecordOptions {
  /** The checkpoint; the newest by default. */
  readonly step?: number | 'latest' | 'best' | undefined;
  /** Of the start state; 0 by default. */
  readonly seed?: number | undefined;
  /** Stops it: nothing is written then. */
  readonly signal?: AbortSignal | undefined;
}

/** What was recorded. */
export interface Recorded {
  /** Where it lies. */
  readonly file: string;
  /** What its first line says. */
  readonly header: RecordingHeader;
}

/** States, actions and rewards as they come. */
interface Episode {
  readonly qpos: number[];
  readonly action: number[];
  readonly reward: number[];
  readonly nq: number;
  readonly return: number;
}

/** Lets the policy act until the episode ends; an unstable simulator ends it too. */
async function playEpisode(
  policy: Policy,
  environment: Environment,
  { seed = 0, signal }: RecordOptions,
): Promise<Episode> {
  const breath = new Breath();
  let observation = environment.reset(seed);
  const start = environment.qpos;
  const qpos = [...start];
  const action = new Array<number>(environment.actionSize).fill(0);
  const reward = [0];
  let total = 0;
  for (let ended = false; !ended; ) {
    if (signal?.aborted) throw new VirelError('ABORTED', 'the recording was stopped');
    const chosen = policy.act(observation);
    const step = environment.step(chosen);
    observation = step.observation;
    qpos.push(...environment.qpos);
    action.push(...chosen);
    reward.push(step.reward);
    total += step.reward;
    ended = step.terminated || step.truncated;
    await breath.take();
  }
  return { qpos, action, reward, nq: start.length, return: total };
}

/** What the first line of the file says. */
function headerOf(
  runDir: string,
  { config, choices }: SavedPolicy,
  seed: number,
  { nq, reward, return: total }: Episode,
): RecordingHeader {
  const { model, versions } = readManifest(runDir);
  const { timestep, frameSkip } = describeEnvironment(config.env, choices);
  return {
    format: 1,
    env: config.env,
    algorithm: config.algorithm,
    step: config.step,
    seed,
    model: model?.sha256 ?? null,
    mujoco: versions.mujoco ?? null,
    nq,
    nu: config.actionSize,
    dt: timestep * frameSkip,
    steps: reward.length - 1,
    return: total,
  };
}

/** What helps where a recording cannot be written. */
const ROOM = 'free space, or take a folder that may be written to';

function writeRecording(runDir: string, recording: Recording): string {
  const { step, seed } = recording.header;
  const path = join(runDir, recordingFile(recordingId(step, seed)));
  try {
    makeFolders(join(runDir, RECORDINGS));
  } catch (error) {
    throw fileError(error, path, ROOM);
  }
  writeWhole(path, encodeRecording(recording), ROOM);
  return path;
}

/** Refuses an environment without MuJoCo. */
function requireStates(runDir: string, { config }: SavedPolicy): void {
  if (config.simulator === 'mujoco') return;
  throw new VirelError(
    'RECORDING_UNSUPPORTED',
    `the environment ${config.env} is in TypeScript: it has no MuJoCo states`,
    {
      where: runDir,
      expected: 'a run on a MuJoCo task',
      got: `a run on ${config.env}`,
      fix: 'leave --record out; curves are shown all the same',
    },
  );
}

/**
 * Records an episode of the deterministic policy into the run's folder, `recordings/<step>-s<seed>.qrec`.
 *
 * The start state is that of `Environment.reset(seed)`; evaluations draw theirs from another stream.
 *
 * @throws VirelError `RECORDING_UNSUPPORTED`; `CHECKPOINT_*`, `MODEL_*`, `SIM_UNSTABLE`, `NATIVE_*`, `ABORTED`;
 *   `PERMISSION`, `DISK_FULL`, `QUOTA`, `IO`.
 */
export async function recordEpisode(
  runDir: string,
  options: RecordOptions = {},
): Promise<Recorded> {
  const saved = await findToldPolicy(runDir, options.step);
  requireStates(runDir, saved);
  const { file, config, modelDir, choices } = saved;
  const policy = Policy.load(file, config.env, saved);
  try {
    const environment = Environment.create(config.env, {
      ...choices,
      ...(modelDir !== undefined && { modelDir }),
      maxEpisodeSteps: config.maxEpisodeSteps,
    });
    try {
      const episode = await playEpisode(policy, environment, options);
      return write(runDir, headerOf(runDir, saved, options.seed ?? 0, episode), episode);
    } finally {
      environment.dispose();
    }
  } finally {
    policy.dispose();
  }
}

function write(runDir: string, header: RecordingHeader, episode: Episode): Recorded {
  const file = writeRecording(runDir, {
    header,
    frames: episode.reward.length,
    qpos: Float32Array.from(episode.qpos),
    action: Float32Array.from(episode.action),
    reward: Float32Array.from(episode.reward),
  });
  return { file, header };
}
