/** What the verbs that train have alike: where runs lie, what is shown, set-up and stops. */
import type { Argv } from 'yargs';
import { ensureNative } from '../native/addon.js';
import { type StopSignals, stopOnSignals } from '../training/signals.js';
import type { Supervision } from '../training/supervise.js';
import type { Follower } from './follow.js';
import { note } from './output.js';

/** What the parser makes of them. */
export interface TrainingArguments {
  runsDir: string;
  quiet: boolean | undefined;
  json: boolean | undefined;
  noSetup: boolean | undefined;
  offline: boolean | undefined;
}

/** Adds them to a verb. */
export const withTrainingOptions = <T>(yargs: Argv<T>) =>
  yargs
    .option('runs-dir', {
      type: 'string',
      requiresArg: true,
      default: 'runs',
      describe: 'Root of the default run folders',
    })
    .option('quiet', { type: 'boolean', describe: 'No progress' })
    .option('json', { type: 'boolean', describe: 'Events as JSON lines on standard output' })
    .option('no-setup', { type: 'boolean', describe: 'Fail where the native part is missing' })
    .option('offline', { type: 'boolean', describe: 'Never touch the network' });

/** Sets the native part up if need be. @throws VirelError `NATIVE_*`, `SETUP_*`, `TOOL_*`. */
export function ensureTraining({ quiet, noSetup, offline }: TrainingArguments): Promise<unknown> {
  return ensureNative({
    ...(quiet && { log: () => {} }),
    ...(noSetup && { noSetup: true }),
    ...(offline && { offline: true }),
  });
}

/** Listens to stop signals, and says what the first of them does. */
export function stopTraining({ quiet }: TrainingArguments): StopSignals {
  return stopOnSignals(() => {
    if (!quiet) note('stopping: saving at the next step boundary (again: end at once)');
  });
}

/** As {@link stopTraining}, of a command that only looks on. */
export function stopFollowing({ quiet }: TrainingArguments): StopSignals {
  return stopOnSignals(() => {
    if (!quiet) note('no longer following');
  });
}

/** Shows what a trainer tells, and hands the signals on to it. @param follower The one of the moment. */
export const supervision = (stop: StopSignals, follower: () => Follower): Supervision => ({
  signal: stop.signal,
  atOnce: stop.atOnce,
  emit: (event) => follower().show(event),
  say: (line) => follower().say(line),
  signalled: (exitCode) => stop.hear(exitCode),
});
