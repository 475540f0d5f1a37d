/** Which growing files a run has, and what a person is told of one that cannot be written. */
import { hostname } from 'node:os';
import type { ResolvedConfig } from '../config/schema.js';
import { isVirelError } from '../errors.js';
import type { WarningEvent } from '../logging/events.js';
import { Logger, type Sink } from '../logging/logger.js';
import { RETRY_MILLISECONDS } from '../logging/patient-writer.js';
import { episodeSink, evaluationSink } from '../logging/sinks/csv.js';
import { logSink, metricsSink } from '../logging/sinks/jsonl.js';
import { fileError } from './files.js';

/** Codes that say all of a disk: one warning for all files. */
const OF_THE_DISK: ReadonlySet<string> = new Set(['DISK_FULL', 'QUOTA']);

/** The warnings of a run's files, each told once. */
export class FileWarnings {
  readonly #emit: (event: WarningEvent) => void;
  readonly #seed: number;
  readonly #said = new Set<string>();

  constructor(seed: number, emit: (event: WarningEvent) => void) {
    this.#seed = seed;
    this.#emit = emit;
  }

  /**
   * Warns of a file that cannot be written now: `DISK_FULL` and `QUOTA` once in a run, `SINK_FAILED` once per file.
   *
   * @param what Becomes of it.
   */
  refused(name: string, error: unknown, what: string): void {
    const known = fileError(error, name);
    const code = isVirelError(known) && OF_THE_DISK.has(known.code) ? known.code : 'SINK_FAILED';
    const key = code === 'SINK_FAILED' ? name : code;
    if (this.#said.has(key)) return;
    this.#said.add(key);
    const reason = error instanceof Error ? error.message : String(error);
    const message = isVirelError(known) ? known.message : `${name}: ${reason}`;
    this.#say(code, `${message}; ${what}`);
  }

  /** Warns of what a file lacks for good. */
  lost(name: string, records: number): void {
    const lines = records === 1 ? 'a record' : `${records} records`;
    this.#say('SINK_FAILED', `${name} lacks ${lines} that could not be written`);
  }

  #say(code: string, message: string): void {
    this.#emit({ event: 'warning', seed: this.#seed, code, message });
  }
}

/** Only a run that wants it loads what TensorBoard's files take; a platform without it is a warning. */
async function eventFile(
  config: ResolvedConfig,
  started: Date,
  warnings: FileWarnings,
): Promise<Sink[]> {
  if (!config.logging.tensorboard) return [];
  try {
    const { tensorboardSink } = await import('../logging/sinks/tensorboard.js');
    return [tensorboardSink(config, { host: hostname(), pid: process.pid, started })];
  } catch (error) {
    warnings.refused('events.out.tfevents', error, 'TensorBoard has nothing to show of this run');
    return [];
  }
}

/**
 * Makes the growing files of a run: metrics, evaluations, episodes, log, and the one for TensorBoard.
 *
 * @param files The run's folder, and bytes of files that are there already.
 * @param started Start of the run, on the clock of the calendar.
 * @param clock Milliseconds, from any origin.
 */
export async function openRunLog(
  files: { directory: string; sizes?: Readonly<Record<string, number>> | undefined },
  config: ResolvedConfig,
  started: Date,
  clock: () => number,
  warnings: FileWarnings,
): Promise<Logger> {
  const { episodes } = config.logging;
  const sinks = [
    metricsSink,
    evaluationSink,
    ...(episodes ? [episodeSink(config.env.id, started)] : []),
    logSink(() => new Date()),
    ...(await eventFile(config, started, warnings)),
  ];
  const patience = `training goes on, records wait in memory and are tried again every ${RETRY_MILLISECONDS / 1000} s`;
  return new Logger(sinks, files.directory, {
    ...(files.sizes && { sizes: files.sizes }),
    clock,
    failed: (name, error) => warnings.refused(name, error, patience),
    lost: (name, records) => warnings.lost(name, records),
  });
}
