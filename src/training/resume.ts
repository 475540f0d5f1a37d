/** `resume`: takes up a run where its newest whole checkpoint left it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { leavesOf } from '../config/leaves.js';
import { type Layer, type Resolution, resolveLayers } from '../config/resolve.js';
import type { ResolvedConfig } from '../config/schema.js';
import { TASKS } from '../environments/tasks.js';
import { VirelError } from '../errors.js';
import type { SavedState } from '../native/session.js';
import { listSteps, otherFormat, parameterFile, stepName } from './checkpoint.js';
import {
  type CheckpointManifest,
  REPLAY_FOLDER,
  type ReplayFile,
  verifyCheckpoint,
} from './checkpoint-manifest.js';
import { fileError } from './files.js';
import { type LoopState, readLoopState } from './loop-state.js';
import { circumstances, type RunManifest, readManifest } from './manifest.js';
import { putBack, requirePlainFiles } from './put-back.js';
import { type RunDirectory, readRunConfig, reopenRunDirectory } from './run-directory.js';

/** What may change without touching a training stream. */
const FREE = /^(steps$|evaluation\.|checkpoint\.|logging\.)/;

/** How a run is taken up. */
export interface ResumeOptions {
  /** The checkpoint; the newest whole one by default. Newer ones are removed, with `discardNewer`. */
  step?: number | undefined;
  /** Removes newer checkpoints, and what was logged since. */
  discardNewer?: boolean | undefined;
  /** Values to change, weakest first. */
  layers?: readonly Layer[] | undefined;
  /** Goes on where the bits will differ from those of a run that was never stopped. */
  allowInexact?: boolean | undefined;
  /** The manifest that a run of this config would have now. */
  describe(config: ResolvedConfig): RunManifest;
}

/** A run that is ready to go on. */
export interface Resumption {
  readonly directory: RunDirectory;
  readonly resolution: Resolution;
  readonly state: LoopState;
  readonly saved: SavedState;
  /** What it goes on on. */
  readonly machine: RunManifest;
  readonly rows: readonly ReplayFile[];
  /** Bytes of the growing files, by name. */
  readonly sizes: Readonly<Record<string, number>>;
  /** Why its bits may differ; nothing where they will not. */
  readonly inexact: readonly string[];
  /** What a person should know, such as that a checkpoint was passed over. */
  readonly warnings: readonly { code: string; message: string }[];
}

/**
 * Takes a run's folder, finds its newest whole checkpoint, and puts its files back to that step.
 *
 * @throws VirelError `RUN_LOCKED`, `RUN_CORRUPT`, `CHECKPOINT_NONE`, `CHECKPOINT_FORMAT`, `RESUME_INEXACT`, `CONFIG_*`, `IO`, `PERMISSION`; nothing
 *   has been changed then.
 */
export async function openResumption(runDir: string, options: ResumeOptions): Promise<Resumption> {
  const directory = lock(runDir);
  try {
    // read before anything changes: it will be written again
    readManifest(runDir);
    const found = await findCheckpoint(runDir, options);
    const { state, manifest } = found;
    const { resolution, changed } = readResolution(runDir, manifest.madeBy, options.layers ?? []);
    const machine = options.describe(resolution.config);
    const inexact = [
      ...changed.map((path) => `${path} was changed`),
      ...(manifest.replay === null ? ['its checkpoints have no replay buffer'] : []),
      ...differences(manifest.madeBy, circumstances(machine)),
    ];
    if (!options.allowInexact && inexact.length > 0) throw inexactError(runDir, inexact);
    // one that was killed just before its last words still has to say them
    const isDone = state.settled >= resolution.config.steps;
    if (isDone && existsSync(join(runDir, 'summary.json'))) throw doneAlready(runDir, state.step);
    requirePlainFiles(runDir);
    const sizes = await putBack(runDir, state);
    const name = stepName(manifest.step);
    return {
      directory,
      resolution,
      machine,
      state,
      rows: manifest.replay ?? [],
      saved: {
        parameters: parameterFile(runDir, name),
        folder: join(runDir, 'checkpoints', name, 'training_state'),
        rows: (manifest.replay ?? []).map(({ file }) => join(runDir, REPLAY_FOLDER, file)),
      },
      sizes,
      inexact,
      warnings: found.warnings,
    };
  } catch (error) {
    directory.release();
    throw fileError(error, runDir, 'a run folder that you may write to');
  }
}

function lock(runDir: string): RunDirectory {
  try {
    return reopenRunDirectory(runDir);
  } catch (error) {
    throw fileError(error, runDir, 'a run folder of your own');
  }
}

/** The config as the run has it, and what is changed of it beside what is free to change. */
function readResolution(
  runDir: string,
  { gemm }: CheckpointManifest['madeBy'],
  more: readonly Layer[],
): { resolution: Resolution; changed: string[] } {
  const path = join(runDir, 'config.yaml');
  const own: Layer = { origin: path, values: readRunConfig(runDir) };
  // what was chosen by measurement stays, since it decides the last bits
  const chosen =
    typeof gemm === 'string' ? [{ origin: 'run.json', values: { runtime: { gemm } } }] : [];
  const before = resolveRun(runDir, [own, ...chosen]);
  const resolution = resolveRun(runDir, [own, ...chosen, ...more]);
  const [old, now] = [leavesOf(before.config), leavesOf(resolution.config)];
  const changed = [...now.keys()].filter(
    (key) => !FREE.test(key) && JSON.stringify(now.get(key)) !== JSON.stringify(old.get(key)),
  );
  return { resolution, changed };
}

/** An environment in TypeScript has a state that no checkpoint holds. */
function resolveRun(runDir: string, layers: readonly Layer[]): Resolution {
  const { env } = (layers[0]?.values ?? {}) as {
    env?: { id?: string; module?: unknown; taskFile?: unknown };
  };
  const isOurs = env?.taskFile != null || TASKS.some(({ id }) => id === env?.id);
  if (env?.module != null || !isOurs) {
    throw new VirelError(
      'RESUME_INEXACT',
      `${runDir} was trained in an environment in TypeScript, whose state no checkpoint has`,
      { where: runDir, got: String(env?.id), fix: 'train into a new run' },
    );
  }
  return resolveLayers(layers);
}

interface Found {
  state: LoopState;
  manifest: CheckpointManifest;
  warnings: { code: string; message: string }[];
}

/** The checkpoint that was asked for, or the newest that is whole. */
async function findCheckpoint(runDir: string, options: ResumeOptions): Promise<Found> {
  const names = listSteps(runDir).reverse();
  const wanted =
    options.step === undefined ? names : names.filter((name) => Number(name) === options.step);
  const warnings: Found['warnings'] = [];
  for (const name of wanted) {
    const folder = join(runDir, 'checkpoints', name);
    const verified = await verifyCheckpoint(runDir, folder);
    // what a newer version wrote is whole: to pass over it would be to remove it
    if ('reason' in verified && verified.format !== undefined) throw otherFormat(verified);
    const state = 'reason' in verified ? undefined : readLoopState(folder);
    if ('manifest' in verified && state !== undefined) {
      const newer = names.slice(0, names.indexOf(name));
      if (options.step !== undefined && newer.length > 0 && !options.discardNewer)
        throw newerCheckpoints(runDir, name, newer);
      return { state, manifest: verified.manifest, warnings };
    }
    const reason =
      'reason' in verified ? verified.reason : `${folder} has no training_step.json of ours`;
    warnings.push({
      code: 'CHECKPOINT_FALLBACK',
      message: `${reason}; passing over checkpoint ${Number(name)}`,
    });
  }
  const last = warnings.at(-1)?.message;
  const none =
    options.step === undefined
      ? 'no whole checkpoint'
      : `no whole checkpoint of step ${options.step}`;
  throw new VirelError(
    'CHECKPOINT_NONE',
    `${runDir} has ${none}${last === undefined ? '' : `: ${last}`}`,
    {
      where: runDir,
      ...(names.length > 0 && { got: `checkpoints ${names.map(Number).join(', ')}` }),
      fix: 'train into a new run',
    },
  );
}

const inexactError = (runDir: string, reasons: readonly string[]) =>
  new VirelError('RESUME_INEXACT', `${reasons.join('; ')}: results would differ`, {
    where: runDir,
    expected: 'what the run was begun with',
    fix: '--allow-inexact, or leave it as it was',
  });

/** What differs between the circumstances of two processes. */
function differences(
  recorded: CheckpointManifest['madeBy'],
  now: CheckpointManifest['madeBy'],
): string[] {
  const changed = Object.keys(now).filter((key) => recorded[key] !== now[key]);
  return changed.map((key) => `${key} ${now[key]}, recorded ${recorded[key]}`);
}

const doneAlready = (runDir: string, step: number) =>
  new VirelError('CONFIG_CONFLICT', `${runDir} is finished: ${step} steps`, {
    where: runDir,
    expected: `more than ${step} steps`,
    fix: `--steps ${2 * step}`,
  });

const newerCheckpoints = (runDir: string, name: string, newer: readonly string[]) =>
  new VirelError(
    'CONFIG_CONFLICT',
    `${runDir} has newer checkpoints than ${Number(name)}: ${newer.map(Number).join(', ')}`,
    {
      where: '--step',
      got: String(Number(name)),
      fix: '--discard-newer removes them and what was logged since; or leave --step out',
    },
  );
