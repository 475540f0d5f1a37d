/** Words and flags of the verbs that read runs. */
import type { Argv } from 'yargs';
import { DEFAULT_METRIC } from '../comparison/measure.js';
import { VirelError } from '../errors.js';

/** The run of a verb that reads one; the newest by default. */
export const ONE_RUN = {
  type: 'string',
  default: 'latest',
  describe: 'A run folder, a unique part of its path, or latest',
} as const;

/** What the parser makes of them; numbers are text as it was typed. */
export interface RunsArguments {
  runs: string[];
  metric: string;
  group: string;
  reps: string;
  seed: string;
  out: string;
  runsDir: string;
  json: boolean | undefined;
}

/** Adds what all verbs of several runs have; `what` is said of the metric. */
export const withRuns = <T>(yargs: Argv<T>, what: string) =>
  yargs
    .positional('runs', {
      type: 'string',
      array: true,
      demandOption: true,
      describe: 'Run folders, folders of runs, unique parts of paths, or latest',
    })
    .option('metric', {
      type: 'string',
      requiresArg: true,
      default: DEFAULT_METRIC,
      describe: `${what}: a name of docs/metrics.md`,
    })
    .option('group', {
      type: 'string',
      requiresArg: true,
      default: 'algorithm',
      describe: 'Config keys whose values make a group, with commas between them',
    })
    .option('seed', {
      type: 'string',
      requiresArg: true,
      default: '0',
      describe: 'Seed of the bootstrap',
    })
    .option('runs-dir', {
      type: 'string',
      requiresArg: true,
      default: 'runs',
      describe: 'Where runs are searched',
    })
    .option('json', { type: 'boolean', describe: 'One JSON object on standard output' });

/** `a,b` as keys. @throws VirelError `CLI_USAGE` where there is none. */
export function groupKeys(text: string): string[] {
  const keys = text.split(',').map((key) => key.trim());
  if (keys.every((key) => key !== '')) return keys;
  throw new VirelError('CLI_USAGE', `--group ${text || '""'}: an empty key`, {
    where: '--group',
    expected: 'keys of a config with commas between them',
    got: text,
    fix: '--group algorithm',
  });
}
