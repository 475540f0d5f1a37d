import type { CommandModule } from 'yargs';
import type { Device } from '../../setup/parts.js';
import { locate } from '../../setup/places.js';
import { describePlan, planSetup } from '../../setup/plan.js';
import { lineReporter, streamReporter } from '../../setup/progress.js';
import { cleanCache, setUp } from '../../setup/setup.js';
import { print, printJson } from '../output.js';

interface SetupArguments {
  device: Device | undefined;
  from: string | undefined;
  offline: boolean | undefined;
  force: boolean | undefined;
  clean: boolean | undefined;
  print: boolean | undefined;
  json: boolean | undefined;
  quiet: boolean | undefined;
}

/** `virel-native setup`: fetch libraries, compile, prove; says what it will fetch before it does. */
export const setupCommand: CommandModule<unknown, SetupArguments> = {
  command: 'setup',
  describe: 'Set up the native part (train does it itself)',
  builder: (yargs) =>
    yargs
      .option('device', {
        choices: ['cpu', 'cuda'] as const,
        describe: 'cuda adds the GPU libraries, about 2.7 GB [default: as set up before, else cpu]',
      })
      .option('from', { type: 'string', describe: 'Folder of wheels to use, without an index' })
      .option('offline', { type: 'boolean', describe: 'Never touch the network' })
      .option('force', { type: 'boolean', describe: 'Fetch and build again what is there' })
      .option('clean', { type: 'boolean', describe: 'Remove everything from the cache, and end' })
      .option('print', { type: 'boolean', describe: 'Only print what would be fetched, and sizes' })
      .option('json', {
        type: 'boolean',
        describe: 'One JSON object on standard output: manifest, or plan',
      })
      .option('quiet', { type: 'boolean', describe: 'No progress' })
      .example('$0 setup --print', 'what would be fetched, and how much')
      .example('$0 setup --offline --from wheels', 'from a folder of wheels'),
  handler: async ({ device, from, offline, force, clean, json, quiet, ...asked }) => {
    const places = locate(process.env, undefined, device);
    const reporter = quiet ? lineReporter(() => {}) : streamReporter();
    if (asked.print) {
      const plan = planSetup(places, force);
      if (json) printJson({ event: 'plan', home: places.home, ...plan });
      else print(describePlan(places, plan).join('\n'));
      return;
    }
    if (clean) {
      await cleanCache(places, reporter);
      if (json) printJson({ event: 'clean', home: places.home });
      else reporter.line(`removed the native part from ${places.home}`);
      return;
    }
    const { manifest, changed } = await setUp({
      places,
      reporter,
      ...(from && { from }),
      ...(offline && { offline }),
      ...(force && { force }),
    });
    if (json) printJson({ event: 'summary', changed, addon: places.addon, ...manifest });
    else if (!changed) reporter.line(`native parts are in place: ${places.addon}`);
  },
};
