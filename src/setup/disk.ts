import { existsSync, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { VirelError } from '../errors.js';

/** Space that a step will take somewhere. */
export interface Need {
  directory: string;
  megabytes: number;
}

/** Free space for this user at a path, MB. */
export function freeMegabytes(path: string): number {
  const { bavail, bsize } = statfsSync(nearest(path));
  return (bavail * bsize) / 1e6;
}

/**
 * Refuses a set-up that the disks cannot hold; needs on one file system add up.
 *
 * @throws VirelError `SETUP_FAILED` naming the folder, the need and what is free.
 */
export function checkDisk(
  needs: readonly Need[],
  free: (path: string) => number = freeMegabytes,
): void {
  const devices = needs.map((need) => statSync(nearest(need.directory)).dev);
  for (const device of new Set(devices)) {
    const group = needs.filter((_, index) => devices[index] === device);
    const directory = group[0]?.directory ?? '';
    const needed = group.reduce((sum, need) => sum + need.megabytes, 0);
    const available = free(directory);
    if (available < needed)
      throw new VirelError('SETUP_FAILED', 'not enough free disk', {
        where: directory,
        expected: `${Math.ceil(needed)} MB free`,
        got: `${Math.floor(available)} MB free`,
        fix: 'free some, or VIREL_HOME=DIR npx virel-native setup with DIR on a larger disk',
      });
  }
}

/** The path itself or the closest folder above it that exists. */
function nearest(path: string): string {
  return existsSync(path) ? path : nearest(dirname(path));
}
