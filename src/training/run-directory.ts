/** The folder of a run: where it lies, who may write it, what is written before the first step. */
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { stringify } from 'yaml';
import * as z from 'zod';
import { parseConfigFile } from '../config/parse.js';
import type { Resolution } from '../config/resolve.js';
import type { ResolvedConfig } from '../config/schema.js';
import { readModelLicence } from '../environments/models.js';
import { isVirelError, VirelError } from '../errors.js';
import { tryLock } from '../locking/lock.js';
import { fileError, makeFolders, pretty, readRunFile, writeWhole } from './files.js';
import { heartbeatAge, isSilent } from './heartbeat.js';
import { type RunManifest, readModel } from './manifest.js';
import { copyAssets } from './model-assets.js';

const LOCK = 'run.lock';
/** The licence that a shipped `model.xml` comes under. */
export const MODEL_LICENCE = 'model.LICENSE';

/** What `status.json` says; rewritten every ten seconds. */
export interface RunStatus {
  /** What it does, or how it ended. */
  state: 'starting' | 'running' | 'stopping' | 'saved' | 'finished' | 'diverged' | 'failed';
  /** Environment steps that are done. */
  step: number;
  /** Of a failed run. */
  code?: string;
}

/** A run's folder, held by this process until it is released. */
export interface RunDirectory {
  /** Absolute. */
  readonly path: string;
  writeStatus(status: RunStatus): void;
  release(): void;
}

/** `runs/<env>/<algorithm>/seed-<n>-<utc>` */
export function defaultRunPath(config: ResolvedConfig, runsDir: string, now: Date): string {
  const utc = now.toISOString().replace(/[-:]/g, '').replace(/\.\d+/, '');
  return join(runsDir, config.env.id, config.algorithm, `seed-${config.seed}-${utc}`);
}

function locked(path: string, by: string): VirelError {
  return new VirelError('RUN_LOCKED', `${path} ${by}`, {
    where: path,
    expected: 'a new or empty folder',
    fix: 'train into a new run: another --run-dir, or none',
  });
}

/** Takes the folder's lock, or says who holds it; the function gives it back. */
function takeLock(path: string): () => void {
  const attempt = tryLock(join(path, LOCK), () => isSilent(path));
  if ('release' in attempt) return attempt.release;
  const { pid, host } = attempt.owner;
  const age = heartbeatAge(path);
  const beat = age === undefined ? '' : ` (heartbeat ${Math.round(age / 1000)} s ago)`;
  throw new VirelError('RUN_LOCKED', `${path} is in use by pid ${pid} on ${host}${beat}`, {
    where: path,
    expected: 'a run that no process trains',
    fix: 'stop it, or train into a new run',
  });
}

/** A run never writes over what someone else wrote: its folder holds nothing but its lock. */
function refuseUsed(path: string): void {
  const others = readdirSync(path).filter((name) => !name.startsWith(LOCK));
  if (others.length === 0) return;
  if (others.includes('run.json')) throw locked(path, 'already holds a run');
  const some = others.slice(0, 3).join(', ') + (others.length > 3 ? ', ...' : '');
  throw locked(path, `is not empty: it already holds ${some}`);
}

/** Makes the folder; a default name that another run took within the same second gets a number. */
function makeFolder(asked: string | undefined, fallback: string): string {
  if (asked !== undefined) {
    makeFolders(resolve(asked));
    return resolve(asked);
  }
  makeFolders(dirname(resolve(fallback)));
  for (let attempt = 1; ; attempt += 1) {
    const path = attempt === 1 ? fallback : `${fallback}-${attempt}`;
    try {
      mkdirSync(path);
      return resolve(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || attempt > 1000) throw error;
    }
  }
}

/** A folder whose lock this process has. */
function held(path: string, release: () => void): RunDirectory {
  return {
    path,
    writeStatus: (status) => {
      const heartbeat = new Date().toISOString();
      const owner = { pid: process.pid, host: hostname() };
      writeWhole(join(path, 'status.json'), pretty({ ...status, ...owner, heartbeat }));
    },
    release,
  };
}

/**
 * Makes and locks the folder of a new run.
 *
 * @param asked The folder asked for, if any; it must be empty.
 * @param fallback The default one.
 * @throws VirelError `PERMISSION`, `IO`, `DISK_FULL`, `QUOTA`, `RUN_LOCKED`.
 */
export function openRunDirectory(asked: string | undefined, fallback: string): RunDirectory {
  const named = resolve(asked ?? fallback);
  try {
    const path = makeFolder(asked, fallback);
    const release = takeLock(path);
    try {
      refuseUsed(path);
    } catch (error) {
      release();
      throw error;
    }
    return held(path, release);
  } catch (error) {
    throw isVirelError(error) ? error : fileError(error, named);
  }
}

/**
 * The folder of a run whose process died, to write how it ended.
 *
 * @throws VirelError `RUN_LOCKED` if a living process holds it; the system's error if it cannot be locked.
 */
export function reopenRunDirectory(path: string): RunDirectory {
  return held(path, takeLock(path));
}

/** Writes the config, and where its values come from. */
export function describeConfig(directory: string, { config, origin }: Resolution): void {
  const text = stringify(config, { schema: 'core', aliasDuplicateObjects: false });
  const head = '# every value of this run; config.origin.json says where each comes from\n';
  writeWhole(join(directory, 'config.yaml'), head + text);
  writeWhole(join(directory, 'config.origin.json'), pretty(origin));
}

/** Writes what describes the run: config, where its values come from, the task's model, manifest. */
export function describeRun(
  directory: string,
  resolution: Resolution,
  manifest: RunManifest,
  modelDirectory: string | undefined,
): void {
  const { config } = resolution;
  describeConfig(directory, resolution);
  const { taskFile, modelFile } = config.env;
  if (modelDirectory !== undefined) {
    writeWhole(join(directory, 'model.xml'), readModel(config, modelDirectory).text.toString());
    const licence = modelFile === null ? readModelLicence(modelDirectory) : undefined;
    if (licence !== undefined) writeWhole(join(directory, MODEL_LICENCE), licence);
  }
  if (modelFile !== null) copyAssets(modelFile, directory);
  if (taskFile !== null) writeWhole(join(directory, 'task.json'), readFileSync(taskFile, 'utf8'));
  writeWhole(join(directory, 'run.json'), pretty(manifest));
}

type Sure = 'schema' | 'preset' | 'algorithm' | 'seed' | 'steps' | 'evaluation';

/** The config of a run as its file has it: of another version, other keys may be missing or more. */
export type RunConfig = Pick<ResolvedConfig, Sure> &
  Partial<Omit<ResolvedConfig, Sure | 'env'>> & {
    /** The task. */
    readonly env: Pick<ResolvedConfig['env'], 'id' | 'maxEpisodeSteps'> &
      Partial<ResolvedConfig['env']>;
  };

/** Names go into tables and pictures: no line ends and no other signs that control a terminal. */
const name = z.string().regex(/^[^\p{C}]{1,200}$/u, 'expected a name without control characters');
const whole = z.int().min(0);

/** The keys of {@link RunConfig} that are sure. */
const runConfigSchema = z.looseObject({
  schema: z.number(),
  preset: name,
  algorithm: name,
  env: z.looseObject({ id: name, maxEpisodeSteps: whole }),
  seed: whole,
  steps: whole,
  evaluation: z.looseObject({ every: whole, minSteps: whole, episodes: whole.nullable() }),
});

/**
 * The config of a run, without checks of values that this version may not know.
 *
 * @throws VirelError `RUN_CORRUPT`, `CONFIG_SYNTAX`, `CONFIG_VERSION`, `PERMISSION`, `IO`.
 */
export function readRunConfig(runDir: string): RunConfig {
  const path = join(runDir, 'config.yaml');
  const layout = { key: 'schema', known: 1 };
  const parse = (bytes: Buffer) => parseConfigFile(bytes, path);
  return readRunFile(path, runConfigSchema, layout, parse) as unknown as RunConfig;
}
