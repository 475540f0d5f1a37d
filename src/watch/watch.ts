/** `watch` as a function: the server with what it serves. */
import { findRun } from '../training/find-run.js';
import { readPageFile } from './page-files.js';
import { keepRecording, type Recorder } from './recorder.js';
import { runId } from './run-entry.js';
import { RunIndex } from './run-index.js';
import { checkHost, checkPort, type PageServer, servePage } from './server.js';

/** What to watch, and where. */
export interface WatchOptions {
  /** The run that is shown first: its folder, a unique part of its path, or `latest`, which is the default. */
  readonly run?: string | undefined;
  /** Where runs are searched; `runs` by default. */
  readonly runsDir?: string | undefined;
  /** Address to listen to; `127.0.0.1`, this machine alone, by default. */
  readonly host?: string | undefined;
  /** 0, the default: any that is free. */
  readonly port?: number | undefined;
  /**
   * Whether to keep a recording of the run's newest checkpoint in its folder, where the native part is set up; true by
   * default. It plays in the calling process.
   */
  readonly record?: boolean | undefined;
}

/** What is watched where nothing else is asked for. */
export const WATCH_DEFAULTS = {
  run: 'latest',
  runsDir: 'runs',
  host: '127.0.0.1',
  port: 0,
  record: true,
} as const;

/** A page that is served. */
export interface Watching {
  /** Address of the page; the token in its fragment is the key to it. */
  readonly url: string;
  /** Where it listens. */
  readonly port: number;
  /** The run that it shows first. */
  readonly runDir: string;
  /** Ends the page with every connection; a second time does nothing. */
  close(): Promise<void>;
}

/**
 * Serves the page of some runs until it is closed, while they train and afterwards (docs/watching.md).
 *
 *     const page = await watch({ run: runDir });
 *     console.log(page.url);
 *     await page.close();
 *
 * @throws VirelError `RUN_NOT_FOUND`, `RUN_AMBIGUOUS`, `PORT_IN_USE`, `PAGE_MISSING`, `CONFIG_RANGE` for a port that is none,
 *   `CLI_USAGE` for a host that is none or not of this machine, `PERMISSION`, `IO`.
 */
export async function watch(options: WatchOptions = {}): Promise<Watching> {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const { run, runsDir, host, port, record }: Required<WatchOptions> = {
    ...WATCH_DEFAULTS,
    ...Object.fromEntries(given),
  };
  checkPort(port, 'port');
  checkHost(host, 'host');
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
  if (record) recorder = keepRecording(runDir);
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
