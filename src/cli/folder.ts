/** Flags that name a folder. */
import { VirelError } from '../errors.js';

/** Refuses what names no folder: an empty name would be the working folder, which an unset variable of a shell does not mean. */
export function refuseEmpty(flag: string, folder: string | undefined): void {
  // what Node makes of bytes that are not UTF-8: a folder of another name would be made or searched
  if (folder?.includes('\ufffd')) {
    throw new VirelError('CLI_USAGE', `${flag}: the name of the folder is not UTF-8`, {
      where: flag,
      expected: 'a name in UTF-8',
      got: folder,
      fix: `${flag} DIR`,
    });
  }
  if (folder !== '') return;
  throw new VirelError('CLI_USAGE', `${flag}: the name of the folder is empty`, {
    where: flag,
    expected: 'the path of a folder',
    got: '""',
    fix: `${flag} DIR`,
  });
}
