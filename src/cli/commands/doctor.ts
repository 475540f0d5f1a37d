import type { CommandModule } from 'yargs';
import { describeDiagnosis, examine } from '../../setup/doctor.js';
import { print, printJson } from '../output.js';

/** `virel-native doctor`: every part, its version and place, what is wrong and the command that mends it. */
export const doctorCommand: CommandModule<unknown, { json: boolean | undefined }> = {
  command: 'doctor',
  describe: 'Show what is set up, what is wrong, the fix',
  builder: (yargs) =>
    yargs
      .option('json', { type: 'boolean', describe: '{ok, parts} as JSON on standard output' })
      .example('$0 doctor', 'every part, and the command that mends it'),
  handler: async ({ json }) => {
    const diagnosis = await examine();
    if (json) printJson(diagnosis);
    else print(describeDiagnosis(diagnosis));
    if (!diagnosis.ok) process.exitCode = 3;
  },
};
