/** `run.json`: what a run was made by and on, so that it can be judged and repeated. */
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { availableParallelism, cpus, hostname } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import type { ResolvedConfig } from '../config/schema.js';
import { type ModuleFacts, moduleFacts } from '../environments/load.js';
import { type ModelFile, readModelFile } from '../environments/models.js';
import { TASKS } from '../environments/tasks.js';
import type { NativeFacts } from '../native/facts.js';
import { sha256 } from '../setup/hash.js';
import { packageRoot, packageVersion } from '../setup/places.js';
import type { CheckpointManifest } from './checkpoint-manifest.js';
import { pretty, readRunFile, writeWhole } from './files.js';

export { packageVersion };

/** The content of `run.json`. */
export interface RunManifest {
  /** Layout of the file. */
  format: 1;
  /** Unique to the run. */
  id: string;
  /** UTC, ISO 8601. */
  created: string;
  /** The command; empty from a program. */
  argv: readonly string[];
  /** Task. */
  env: string;
  /** Its public name. */
  algorithm: string;
  /** The run's seed. */
  seed: number;
  /** What it ran on. */
  versions: {
    /** Of virel-native. */
    package: string;
    /** Commit of the package, where it is a checkout. */
    commit: string | null;
    /** Of Node. */
    node: string;
    /** Of libtorch; null where it is not used. */
    torch: string | null;
    /** Of libmujoco; null where it is not used. */
    mujoco: string | null;
  };
  /** SHA-256 of the addon file. */
  addon: string | null;
  /** The task's MJCF. */
  model: {
    /** Its name. */
    file: string;
    /** Of its content. */
    sha256: string;
  } | null;
  /** The module of an environment in TypeScript; null for a task, and for an environment that a program gave. */
  module: ModuleFacts | null;
  /** Where it ran, and what decides its last bits. */
  machine: {
    /** Its name. */
    host: string;
    /** Model of the processor. */
    cpu: string;
    /** Processors that the process may use. */
    cores: number;
    /** Threads of the learner. */
    threads: number;
    /** Matrix product of the kernel engine; null on the other. */
    gemm: string | null;
  };
  /** Commit that the working folder is at, where it lies in a repository. */
  git: string | null;
  /** Whether tracked files of that repository had changes that are in no commit; null where that is not known. */
  gitDirty: boolean | null;
  /** When it was taken up, and by what. */
  history: readonly Continuation[];
}

/** A run that was taken up. */
export interface Continuation {
  /** UTC, ISO 8601. */
  at: string;
  /** The command; empty from a program. */
  argv: readonly string[];
  /** Environment steps that were done. */
  step: number;
  /** Why its bits may differ from those of a run that was never stopped. */
  inexact: readonly string[];
}

/** What a run is begun with, beside its config. */
export interface RunStart {
  /** The command. */
  readonly argv: readonly string[];
  readonly started: Date;
  /** The working folder. */
  readonly folder: string;
}

/** Milliseconds after which a repository, such as one on a network that hangs, is left out. */
const GIT_PATIENCE = 5000;

/** Commit that a folder is at; null without a repository, without a commit, and without git. */
export const gitCommit = (folder: string): string | null =>
  git(folder, 'rev-parse', '--verify', 'HEAD');

/** Whether tracked files of a folder's repository differ from its commit; null where git cannot tell. */
export function gitDirty(folder: string): boolean | null {
  const changed = git(folder, 'status', '--porcelain', '--untracked-files=no');
  return changed === null ? null : changed !== '';
}

/** What git says of a folder; null where it refuses, or is not there. */
function git(folder: string, ...words: readonly string[]): string | null {
  try {
    return execFileSync('git', ['-C', folder, ...words], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: GIT_PATIENCE,
      // looking changes nothing, not even git's index
      env: { ...process.env, GIT_OPTIONAL_LOCKS: '0' },
    }).trim();
  } catch {
    return null;
  }
}

/** Commit of the package's own repository; null for an installed package, whatever repository lies around it. */
const packageCommit = () => (existsSync(join(packageRoot, '.git')) ? gitCommit(packageRoot) : null);

/** The task's MJCF as a run uses it. */
export const readModel = (config: ResolvedConfig, directory: string): ModelFile =>
  readModelFile(config.env, directory);

/** The manifest of a run that starts now; without native facts those fields are null. */
export function describeMachine(
  config: ResolvedConfig,
  { argv, started, folder }: RunStart,
  native: NativeFacts | undefined,
): RunManifest {
  const models = native?.modelDirectory;
  const model = models === undefined ? undefined : readModel(config, models);
  const { module } = config.env;
  const commit = gitCommit(folder);
  return {
    format: 1,
    id: randomUUID(),
    created: started.toISOString(),
    argv,
    env: config.env.id,
    algorithm: config.algorithm,
    seed: config.seed,
    versions: {
      package: packageVersion(),
      commit: packageCommit(),
      node: process.versions.node,
      torch: native?.torch ?? null,
      mujoco: native?.mujoco ?? null,
    },
    addon: native?.addon ?? null,
    model: model ? { file: model.file, sha256: sha256(model.text) } : null,
    module: module === null ? null : moduleFacts(module),
    machine: {
      host: hostname(),
      cpu: cpus()[0]?.model ?? 'unknown',
      cores: availableParallelism(),
      threads: config.runtime.threads,
      gemm: native?.gemm ?? null,
    },
    git: commit,
    gitDirty: commit === null ? null : gitDirty(folder),
    history: [],
  };
}

/** What must be the same for the same config and seed to give the same bits. */
export function circumstances(manifest: RunManifest): CheckpointManifest['madeBy'] {
  const { versions, addon, model, machine } = manifest;
  const { torch, mujoco } = versions;
  const { cpu, threads, gemm } = machine;
  return {
    package: versions.package,
    addon,
    torch,
    mujoco,
    model: model?.sha256 ?? null,
    cpu,
    threads,
    gemm,
  };
}

/** Writes into `run.json` that the run was taken up. */
export function recordContinuation(runDir: string, continuation: Continuation): void {
  const path = join(runDir, 'run.json');
  const manifest = readManifest(runDir);
  writeWhole(path, pretty({ ...manifest, history: [...manifest.history, continuation] }));
}

/** What to say of a model that is not the file of Gymnasium 1.4.0; nothing of one that is, or of a task without. */
export function customModel(config: ResolvedConfig, { model }: RunManifest): string | undefined {
  const task = TASKS.find(({ id }) => id === config.env.id);
  const known = config.env.taskFile === null ? (task?.modelSha256 ?? '') : '';
  if (model === null || known === '' || model.sha256.startsWith(known)) return undefined;
  return `${model.file} (${model.sha256.slice(0, 12)}) is not the file of Gymnasium 1.4.0 (${known}): returns cannot be compared`;
}

/** What every version's `run.json` has. */
const manifestSchema = z.looseObject({
  format: z.number(),
  created: z.string(),
  env: z.string(),
  algorithm: z.string(),
  seed: z.number(),
  versions: z.looseObject({ package: z.string() }),
  model: z.looseObject({ sha256: z.string() }).nullable().default(null),
  // manifests of before there were environments in TypeScript
  module: z.looseObject({ sha256: z.string() }).nullable().default(null),
  // of before it was asked
  gitDirty: z.boolean().nullable().default(null),
  // of before a run could be taken up
  history: z.array(z.unknown()).default([]),
});

/**
 * The manifest of a run; one of an older version may lack what was added since.
 *
 * @throws VirelError `RUN_CORRUPT`, `CONFIG_VERSION`, `PERMISSION`, `IO`.
 */
export function readManifest(runDir: string): RunManifest {
  const path = join(runDir, 'run.json');
  const layout = { key: 'format', known: 1 };
  return readRunFile(path, manifestSchema, layout) as unknown as RunManifest;
}
