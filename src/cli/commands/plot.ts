import type { Argv, CommandModule } from 'yargs';
import { curveData } from '../../comparison/curve-data.js';
import { AXES, CENTRES, type LearningCurves } from '../../comparison/curves.js';
import { VirelError } from '../../errors.js';
import { plotRuns } from '../../plots/runs.js';
import { requirePictureName, writeInto, writePicture } from '../../plots/write-picture.js';
import { REPLICATES } from '../../statistics/bootstrap.js';
import { findRuns } from '../../training/find-run.js';
import { refuseEmpty } from '../folder.js';
import { wholeNumber } from '../numbers.js';
import { note, print, printJson, shortPath } from '../output.js';
import { groupKeys, type RunsArguments, withRuns } from '../runs-options.js';

interface PlotArguments extends RunsArguments {
  x: string;
  centre: string;
  smooth: string;
  showSeeds: boolean | undefined;
  data: string | undefined;
}

/** `none` or `window:N` as the number of points that are averaged. @throws VirelError `CLI_USAGE`. */
function windowOf(smooth: string): number {
  if (smooth === 'none') return 1;
  const [, size] = /^window:(.+)$/.exec(smooth) ?? [];
  if (size !== undefined) return wholeNumber('--smooth window', size, 1);
  throw new VirelError('CLI_USAGE', `--smooth ${smooth || '""'}: expected none or window:N`, {
    where: '--smooth',
    expected: 'none, or window:N for the mean of the last N points of each run',
    got: smooth,
    fix: '--smooth window:10',
  });
}

/** What was drawn: one line a curve. */
function lines({ tasks }: LearningCurves): string[] {
  return tasks.flatMap(({ task, groups }) =>
    groups.map(({ name, runs, failed }) => {
      const seeds = runs.map(({ seed }) => seed).join(', ');
      const ended = failed === 0 ? '' : `, ${failed} failed`;
      return `${task}: ${name}, seed${runs.length === 1 ? '' : 's'} ${seeds}${ended}`;
    }),
  );
}

/** What `--json` says of the curves: the centre and its band; the points of the runs are in the data file. */
const jsonOf = ({ tasks, ...settings }: LearningCurves, files: readonly string[]) => ({
  ...settings,
  files,
  tasks: tasks.map((task) => ({
    ...task,
    groups: task.groups.map(({ runs, ...group }) => ({
      ...group,
      runs: runs.map(({ runDir, seed }) => ({ runDir, seed })),
    })),
  })),
});

/** `virel-native plot`: works without the native part, and while runs go on. */
export const plotCommand: CommandModule<unknown, PlotArguments> = {
  command: 'plot <runs..>',
  describe: 'Draw learning curves, with bands over seeds',
  builder: (yargs) => {
    const text = { type: 'string', requiresArg: true } as const;
    return withRuns(yargs, 'What is drawn')
      .option('x', {
        ...text,
        default: 'steps',
        describe: `What it is drawn over: ${AXES.join(', ')}`,
      })
      .option('centre', {
        ...text,
        default: 'mean',
        describe: `What stands for the seeds: ${CENTRES.join(' or ')}`,
      })
      .option('smooth', {
        ...text,
        default: 'none',
        describe: 'none, or window:N for the mean of the last N points of each run',
      })
      .option('show-seeds', { type: 'boolean', describe: 'Draw every run too, faintly' })
      .option('reps', {
        ...text,
        default: String(REPLICATES.band),
        describe: 'Bootstrap replicates behind the bands',
      })
      .option('out', { ...text, default: 'curves.svg', describe: 'The picture: a .svg or .png' })
      .option('data', { ...text, describe: 'The raw points as CSV [beside the picture]' })
      .example(
        '$0 plot runs/Hopper-v5 --show-seeds --out hopper.png',
        'every algorithm below a folder',
      )
      .example(
        '$0 plot runs/Hopper-v5 --group algorithm,optim.targetUpdateRate',
        'a curve for every value of a key',
      ) as unknown as Argv<PlotArguments>;
  },
  handler: async (args) => {
    const { metric, x, centre, out, runsDir } = args;
    refuseEmpty('--runs-dir', runsDir);
    requirePictureName(out);
    const data = args.data ?? out.replace(/\.\w+$/, '.csv');
    if (data === '') refuseEmpty('--data', data);
    const { curves, svg } = await plotRuns(findRuns(args.runs, runsDir), {
      metric,
      x: x as (typeof AXES)[number],
      centre: centre as (typeof CENTRES)[number],
      window: windowOf(args.smooth),
      group: groupKeys(args.group),
      reps: wholeNumber('--reps', args.reps, 1),
      seed: wholeNumber('--seed', args.seed, 0),
      showSeeds: args.showSeeds === true,
    });
    writeInto(data, curveData(curves));
    await writePicture(out, svg);
    if (args.json) return printJson(jsonOf(curves, [out, data]));
    for (const line of lines(curves)) note(line);
    print([out, data].map(shortPath).join('\n'));
  },
};
