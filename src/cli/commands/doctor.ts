import type { CommandModule } from 'yargs';
import { describeDiagnosis, examine } from '../../setup/doctor.js';
import { print, printJson } from '../output.js';

/** `virel-native doctor`: every part, its version and place, what is wrong and the command that mends it. */
export const doctorCommand: CommandModule<unknown, { json: boolean | undefined }> = {
  command: 'doctor',
  describe: 'Show every native part, what is wrong with it and the command that mends it',
  builder: (yargs) =>
    yargs.option('json', { type: 'boolean', describe: '{ok, parts} as JSON on standard output' }),
  handler: async ({ json }) => {
    const diagnosis = await examine();
    if (json) printJson(diagnosis);
    else print(describeDiagnosis(diagnosis));
    if (!diagnosis.ok) process.exitCode = 3;
  },
};
