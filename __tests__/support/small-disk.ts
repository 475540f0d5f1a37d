/** A disk that is full soon: a tmpfs of its own, where the system lets us mount one. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A mounted disk. */
export interface SmallDisk {
  readonly path: string;
  remove(): void;
}

/** Mounts a tmpfs of this size, such as `64k`. */
export function smallDisk(size: string): SmallDisk {
  const path = mkdtempSync(join(tmpdir(), 'virel-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', path], { stdio: 'pipe' });
  } catch (error) {
    rmSync(path, { recursive: true });
    throw error;
  }
  return {
    path,
    remove: () => {
      // lazily: a test that failed may have left a file open
      execFileSync('umount', ['--lazy', path]);
      rmSync(path, { recursive: true });
    },
  };
}

/** Leaves at most this many bytes free on the disk; the function gives the rest back. */
export function fillDisk(path: string, leave: number): () => void {
  const { bavail, bsize } = statfsSync(path);
  const ballast = join(path, 'ballast');
  writeFileSync(ballast, Buffer.alloc(Math.max(0, bavail * bsize - leave)));
  return () => rmSync(ballast);
}

function reason(): string | undefined {
  try {
    smallDisk('64k').remove();
    return undefined;
  } catch {
    return 'no right to mount a tmpfs here';
  }
}

/** Why there are no small disks here; undefined where there are. */
export const noTmpfs = reason();
