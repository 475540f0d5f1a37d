/** A run's folder as values: what a program, `compare` and `plot` read of it. */
import { resolve } from 'node:path';
import type { Summary } from '../logging/events.js';
import { type MetricsRecord, readMetricsFile } from '../logging/metrics-line.js';
import { type EvaluationRecord, readEvaluations } from '../logging/sinks/csv.js';

import { fileError } from './files.js';
import { requireRun } from './find-run.js';
import { type RunManifest, readManifest } from './manifest.js';
import { type RunConfig, readRunConfig } from './run-directory.js';
import { readSummary } from './summary.js';

/** A run on disk: one that runs, one that ended, or what is left of one whose process died. */
export interface Run {
  /** Absolute. */
  readonly dir: string;
  /** As `config.yaml` has it. */
  readonly config: RunConfig;
  /** As `run.json` has it: versions, machine, hashes. */
  readonly manifest: RunManifest;
  /** How it ended; without one it still runs, or its process died. */
  readonly summary?: Summary;
  /**
   * The records of `metrics.jsonl`, as far as they are written now; one that is half written is left out.
   *
   * @throws VirelError `RUN_CORRUPT` with file and line, `CONFIG_VERSION`, `PERMISSION`, `IO`.
   */
  metrics(): MetricsRecord[];
  /** The evaluations of `eval.csv`, likewise. @throws VirelError `RUN_CORRUPT` with file and line, `PERMISSION`, `IO`. */
  evaluations(): EvaluationRecord[];
}

/**
 * Reads the folder of a run; nothing is locked or changed, and nothing native is loaded.
 *
 * @param dir The run's folder, such as a summary names in `runDir`.
 * @throws VirelError `RUN_NOT_FOUND`; `RUN_CORRUPT` naming file and key; `CONFIG_VERSION` if a newer version wrote it;
 *   `CONFIG_SYNTAX`, `PERMISSION`, `IO`.
 */
export function loadRun(dir: string): Run {
  requireRun(dir);
  const path = resolve(dir);
  const summary = readSummary(path);
  return {
    dir: path,
    config: readRunConfig(path),
    manifest: readManifest(path),
    ...(summary && { summary }),
    metrics: () => refusing(path, readMetricsFile),
    evaluations: () => refusing(path, readEvaluations),
  };
}

/** Reads with the system's refusal as one of our errors. */
function refusing<T>(path: string, read: (path: string) => T): T {
  try {
    return read(path);
  } catch (error) {
    throw fileError(error, path, 'read it as a user who may');
  }
}
