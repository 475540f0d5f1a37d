import type { Argv, CommandModule } from 'yargs';
import { VirelError } from '../../errors.js';
import { EXPORT_FORMATS, type ExportFormat, exportRun } from '../../export/export-run.js';
import { findRun } from '../../training/find-run.js';
import { refuseEmpty } from '../folder.js';
import { wholeNumber } from '../numbers.js';
import { grouped, note, noteRemoved, print, printJson, shortPath } from '../output.js';
import { ONE_RUN } from '../runs-options.js';

interface ExportArguments {
  run: string;
  format: string | undefined;
  step: string;
  out: string | undefined;
  force: boolean | undefined;
  runsDir: string;
  json: boolean | undefined;
}

/** The format that was asked for; whether it is one is judged with the run. @throws VirelError `CLI_USAGE` without any. */
function formatOf({ format }: ExportArguments): ExportFormat {
  if (format !== undefined) return format as ExportFormat;
  throw new VirelError('CLI_USAGE', 'export: --format is missing', {
    where: '--format',
    expected: EXPORT_FORMATS.join(', '),
    fix: 'npx virel-native export latest --format onnx',
  });
}

/** `virel-native export`: works without the native part, and while the run goes on. */
export const exportCommand: CommandModule<unknown, ExportArguments> = {
  command: 'export [run]',
  describe: 'The policy of a run for other programs',
  builder: (yargs) => {
    const text = { type: 'string', requiresArg: true } as const;
    return yargs
      .positional('run', ONE_RUN)
      .option('format', {
        ...text,
        describe: `What to write: ${EXPORT_FORMATS.join(', ')}`,
      })
      .option('step', {
        ...text,
        default: 'latest',
        describe: 'Checkpoint: a step, latest or best',
      })
      .option('out', {
        ...text,
        alias: 'o',
        describe: 'The folder [exports/<env>-<algorithm>-seed-<n>/<format>]',
      })
      .option('force', { type: 'boolean', describe: 'Replace the files of an earlier export' })
      .option('runs-dir', { ...text, default: 'runs', describe: 'Where runs are searched' })
      .option('json', {
        type: 'boolean',
        describe: '{format, env, algorithm, step, dir, files} on standard output',
      })
      .example(
        '$0 export latest --format onnx -o policy',
        'policy/policy.onnx, of the newest run',
      ) as unknown as Argv<ExportArguments>;
  },
  handler: async (args) => {
    const { step: asked, out, runsDir } = args;
    const format = formatOf(args);
    const isName = asked === 'latest' || asked === 'best';
    const step = isName ? asked : wholeNumber('--step', asked, 0);
    refuseEmpty('--runs-dir', runsDir);
    refuseEmpty('--out', out);
    const runDir = findRun(args.run, runsDir);
    const exported = await exportRun(runDir, { format, out, step, force: args.force });
    noteRemoved(exported.removed);
    if (args.json) return printJson(exported);
    note(`${exported.algorithm} on ${exported.env}, step ${grouped(exported.step)} | ${runDir}`);
    for (const { file, bytes } of exported.files) {
      print(`${shortPath(file)}  ${grouped(bytes)} bytes`);
    }
  },
};
