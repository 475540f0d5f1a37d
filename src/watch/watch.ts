/** `watch` as a function: the server with what it serves. */
import { findRun } from '../training/find-run.js';
import { readPageFile } from './page-files.js';
import { keepRecording, type Recorder } from './recorder.js';
import { runId } from './run-entry.js';
import { RunIndex } from './run-index.js';
import { type PageServer, servePage } from './server.js';

/** What to watch, and where. */
export interface WatchOptions {
  /** A run's folder, a unique part of its path, or `latest`. */
  readonly run: string;
  /** Where runs are searched. */
  readonly runsDir: string;
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  /** Whether to keep a recording of the run's newest checkpoint. */
  readonly record: boolean;
}

/** A page that is served. */
export interface Watching {
  readonly url: string;
  readonly port: number;
  /** The run that it shows first. */
  readonly runDir: string;
  close(): Promise<void>;
}

/**
 * Serves the page of some runs.
 *
 * @throws VirelError `RUN_NOT_FOUND`, `RUN_AMBIGUOUS`, `PORT_IN_USE`, `PAGE_MISSING`, `CLI_USAGE`, `PERMISSION`, `IO`.
 */
export async function watch(options: WatchOptions): Promise<Watching> {
  const { run, runsDir, host, port } = options;
  readPageFile('page.js');
  const runDir = findRun(run, runsDir);
  const index = new RunIndex(runsDir, [runDir]);
  await index.open();
  let recorder: Recorder | undefined;
  let server: PageServer;
  try {
    const site = {
      index,
      first: runId(runDir),
      note: (dir: string) => (dir === runDir ? recorder?.note() : undefined),
      streams: { open: 0 },
    };
    server = await servePage(site, { host, port });
  } catch (error) {
    index.close();
    throw error;
  }
  if (options.record) recorder = keepRecording(runDir);
  return {
    url: server.url,
    port: server.port,
    runDir,
    close: async () => {
      index.close();
      await Promise.all([server.close(), recorder?.close()]);
    },
  };
}
