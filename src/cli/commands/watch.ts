import { resolve } from 'node:path';
import type { Argv, CommandModule } from 'yargs';
import { VirelError } from '../../errors.js';
import { findRun } from '../../training/find-run.js';
import { stopOnSignals } from '../../training/signals.js';
import { recordNewest } from '../../watch/recorder.js';
import { isLoopback } from '../../watch/security.js';
import { checkHost, checkPort } from '../../watch/server.js';
import { writeSite } from '../../watch/static-site.js';
import { WATCH_DEFAULTS, watch } from '../../watch/watch.js';
import { openInBrowser } from '../browser.js';
import { refuseEmpty } from '../folder.js';
import { wholeNumber } from '../numbers.js';
import { grouped, note, noteRemoved, print, printJson, shortPath } from '../output.js';
import { ONE_RUN } from '../runs-options.js';

interface WatchArguments {
  run: string;
  host: string;
  port: string;
  open: boolean | undefined;
  noRecord: boolean | undefined;
  static: string | undefined;
  singleFile: boolean | undefined;
  force: boolean | undefined;
  runsDir: string;
  json: boolean | undefined;
}

function portOf(text: string): number {
  const port = wholeNumber('--port', text, 0);
  checkPort(port, '--port');
  return port;
}

/** Serves until a signal comes. */
async function serve(args: WatchArguments): Promise<void> {
  const { host, runsDir, run, json } = args;
  const port = portOf(args.port);
  checkHost(host, '--host');
  const stop = stopOnSignals(() => {});
  try {
    const record = args.noRecord !== true;
    const watching = await watch({ run, runsDir, host, port, record });
    const { url, runDir } = watching;
    if (json) printJson({ event: 'watching', url, port: watching.port, runDir });
    else print(`watching ${url}`);
    note(`${runDir} first; Ctrl-C ends it`);
    if (!isLoopback(host)) {
      note(
        `warning HOST_OPEN: whoever reaches ${host} and has the address can see your runs, unencrypted`,
      );
    }
    const forget = args.open ? openInBrowser(url) : () => {};
    await new Promise<void>((resolve) => {
      if (stop.signal.aborted) resolve();
      stop.signal.addEventListener('abort', () => resolve());
    });
    forget();
    await watching.close();
  } finally {
    stop.release();
  }
}

/** Flags that say how to serve or how to write, beside the other. */
function refuseMixed({ static: out, singleFile, force, open }: WatchArguments): void {
  const alone = [singleFile && '--single-file', force && '--force'].find(Boolean);
  if (out === undefined && alone) {
    throw new VirelError('CLI_USAGE', `${alone} without --static`, {
      where: String(alone),
      expected: '--static DIR beside it',
      fix: `--static DIR ${alone}`,
    });
  }
  if (out === undefined || !open) return;
  throw new VirelError('CLI_USAGE', '--open with --static: nothing is served', {
    where: '--open',
    expected: 'one of the two',
    fix: 'leave --open out',
  });
}

/** Writes the page of one run. */
async function write(args: WatchArguments, out: string): Promise<void> {
  refuseEmpty('--static', out);
  const runDir = findRun(args.run, args.runsDir);
  if (args.noRecord !== true) {
    const problem = await recordNewest(runDir);
    if (problem !== undefined) note(`warning: ${problem}`);
  }
  const { singleFile, force, json } = args;
  const options = { out, single: singleFile === true, force: force === true };
  const { files, left, removed } = await writeSite(runDir, options);
  noteRemoved(removed);
  if (left > 0)
    note(`warning: ${left} older recordings are left out, so that the page stays small`);
  if (json) return printJson({ event: 'written', runDir, dir: resolve(out), files });
  for (const { file, bytes } of files)
    print(`${shortPath(resolve(file))}  ${grouped(bytes)} bytes`);
}

/** `virel-native watch`: reads runs, those that go on and those that ended; changes nothing but `recordings/`. */
export const watchCommand: CommandModule<unknown, WatchArguments> = {
  command: 'watch [run]',
  describe: 'Curves and the robot, live in your browser',
  builder: (yargs) => {
    const text = { type: 'string', requiresArg: true } as const;
    return yargs
      .positional('run', ONE_RUN)
      .option('host', { ...text, default: WATCH_DEFAULTS.host, describe: 'Address to listen to' })
      .option('port', {
        ...text,
        default: String(WATCH_DEFAULTS.port),
        describe: 'Port; 0 takes one that is free',
      })
      .option('open', { type: 'boolean', describe: 'Open the page in your browser' })
      .option('static', {
        ...text,
        describe: 'Serve nothing: write the page of the run into this folder, for any web host',
      })
      .option('single-file', {
        type: 'boolean',
        describe: 'With --static: one index.html that opens from a disk',
      })
      .option('force', { type: 'boolean', describe: 'Replace the files of an earlier --static' })
      .option('no-record', {
        type: 'boolean',
        describe: "Record no episodes of the run's newest checkpoint",
      })
      .option('runs-dir', {
        ...text,
        default: WATCH_DEFAULTS.runsDir,
        describe: 'Where runs are searched',
      })
      .option('json', {
        type: 'boolean',
        describe: '{event: "watching", url, port, runDir} on standard output',
      })
      .example(
        '$0 watch latest --open',
        'the newest run, in your browser',
      ) as unknown as Argv<WatchArguments>;
  },
  handler: async (args) => {
    refuseEmpty('--runs-dir', args.runsDir);
    refuseMixed(args);
    if (args.static !== undefined) return write(args, args.static);
    await serve(args);
  },
};
