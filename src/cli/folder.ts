/** Flags that name a folder. */
import { VirelError } from '../errors.js';

/** An empty name would be the working folder, which an unset variable of a shell does not mean. */
export function refuseEmpty(flag: string, folder: string | undefined): void {
  if (folder !== '') return;
  throw new VirelError('CLI_USAGE', `${flag}: the name of the folder is empty`, {
    where: flag,
    expected: 'the path of a folder',
    got: '""',
    fix: `${flag} DIR`,
  });
}
