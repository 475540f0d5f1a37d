import type { Argv, CommandModule } from 'yargs';
import { compareRuns, type NORMALISATIONS } from '../../comparison/compare.js';
import type { Comparison } from '../../comparison/comparison.js';
import { REFERENCE } from '../../comparison/normalise.js';
import { VirelError } from '../../errors.js';
import { comparisonHtml, drawComparison } from '../../plots/runs.js';
import { requirePictureName, writeInto, writePicture } from '../../plots/write-picture.js';
import { packageVersion } from '../../setup/places.js';
import { shellWord } from '../../shell.js';
import { REPLICATES } from '../../statistics/bootstrap.js';
import { findRuns } from '../../training/find-run.js';
import { comparisonTable } from '../comparison-table.js';
import { refuseEmpty } from '../folder.js';
import { wholeNumber } from '../numbers.js';
import { describeError, note, print, printJson, shortPath } from '../output.js';
import { groupKeys, type RunsArguments, withRuns } from '../runs-options.js';

interface CompareArguments extends Omit<RunsArguments, 'out'> {
  baseline: string | undefined;
  at: string | undefined;
  normalise: string;
  require: string[] | undefined;
  out: string | undefined;
  html: string | undefined;
}

/** The failure of statements that do not hold; undefined if all do. */
function failureOf({ requirements }: Comparison): VirelError | undefined {
  const failed = requirements.filter(({ passed }) => !passed);
  if (failed.length === 0) return undefined;
  const stated = failed.map(({ requirement }) => requirement).join(', ');
  return new VirelError('CHECK_FAILED', `does not hold: ${stated}`, {
    where: '--require',
    got: failed.map(({ value }) => String(value)).join(', '),
    fix: 'look at the intervals above: more seeds decide what these cannot',
  });
}

/** Refuses a name that is no page's. @throws VirelError `CLI_USAGE`. */
function requirePageName(path: string): void {
  if (/.\.html?$/i.test(path)) return;
  throw new VirelError('CLI_USAGE', `--html: ${path || '""'} names no page`, {
    where: '--html',
    expected: 'a file that ends in .html',
    got: path,
    fix: '--html comparison.html',
  });
}

/** A word as it is typed; one with signs that cannot be seen in the quotes of bash that write them out. */
function typedWord(word: string): string {
  const unseen = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;
  if (!unseen.test(word)) return shellWord(word);
  const code = (sign: string) => (sign.codePointAt(0) ?? 0).toString(16).padStart(8, '0');
  return `$'${word.replace(/['\\]/g, '\\$&').replace(unseen, (sign) => `\\U${code(sign)}`)}'`;
}

/** `virel-native compare`: works without the native part. */
export const compareCommand: CommandModule<unknown, CompareArguments> = {
  command: 'compare <runs..>',
  describe: 'Scores of runs, with intervals over seeds',
  builder: (yargs) => {
    const text = { type: 'string', requiresArg: true } as const;
    return withRuns(yargs, 'What is compared')
      .option('baseline', {
        ...text,
        describe: 'Group that the others are held against, such as sac',
      })
      .option('at', {
        ...text,
        describe: 'Environment steps at which runs are scored [the fewest that one was asked for]',
      })
      .option('normalise', {
        ...text,
        default: 'none',
        describe: `none, or reference: also on a scale from random actions, 0, to ${REFERENCE}, 1`,
      })
      .option('reps', {
        ...text,
        default: String(REPLICATES.number),
        describe: 'Bootstrap replicates behind the intervals',
      })
      .option('require', {
        ...text,
        array: true,
        nargs: 1,
        describe:
          'Exit 1 unless this holds: P(A>B), IQM(A) or mean(A) against a number; repeatable',
      })
      .option('out', { ...text, describe: 'Draw it too: a .svg or .png' })
      .option('html', {
        ...text,
        describe: 'All of it as one page that needs nothing else: a .html',
      })
      .example('$0 compare runs/Hopper-v5 --baseline sac', 'every algorithm below a folder')
      .example(
        "$0 compare runs/Hopper-v5 --require 'P(beta>sac)>0.5'",
        'for scripts: exit 1 if not',
      ) as unknown as Argv<CompareArguments>;
  },
  handler: async (args) => {
    const { metric, baseline, at, out, html, runsDir } = args;
    const group = groupKeys(args.group);
    refuseEmpty('--runs-dir', runsDir);
    if (out !== undefined) requirePictureName(out);
    if (html !== undefined) requirePageName(html);
    const comparison = compareRuns(findRuns(args.runs, runsDir), {
      metric,
      baseline,
      at: at === undefined ? undefined : wholeNumber('--at', at, 1),
      normalise: args.normalise as (typeof NORMALISATIONS)[number],
      group,
      reps: wholeNumber('--reps', args.reps, 1),
      seed: wholeNumber('--seed', args.seed, 0),
      require: args.require,
    });
    if (out !== undefined) await writePicture(out, await drawComparison(comparison));
    if (html !== undefined) {
      const command = ['npx', 'virel-native', ...process.argv.slice(2)].map(typedWord).join(' ');
      const facts = { command, group, version: packageVersion() };
      writeInto(html, await comparisonHtml(comparison, facts));
    }
    if (args.json) printJson(comparison);
    else print(comparisonTable(comparison));
    for (const { code, message } of comparison.warnings) note(`warning ${code}: ${message}`);
    for (const path of [out, html]) if (path !== undefined) note(shortPath(path));
    const failure = failureOf(comparison);
    if (failure === undefined) return;
    // one JSON value, which says itself what does not hold
    if (!args.json) throw failure;
    note(describeError(failure));
    process.exitCode = failure.exit;
  },
};
