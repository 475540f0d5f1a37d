/** Files that a reader sees whole or not at all, and what the system says when it refuses one. */
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import type * as z from 'zod';
import { isVirelError, VirelError } from '../errors.js';
import { damaged, readPlainFile } from '../logging/read-lines.js';

const CODES: Record<string, string> = {
  EACCES: 'PERMISSION',
  EPERM: 'PERMISSION',
  EROFS: 'PERMISSION',
  ENOSPC: 'DISK_FULL',
  EDQUOT: 'QUOTA',
};

/** The same by their numbers on Linux, which the native part gives. */
const NUMBERS: Record<string, string> = {
  '1': 'PERMISSION',
  '13': 'PERMISSION',
  '28': 'DISK_FULL',
  '30': 'PERMISSION',
  '122': 'QUOTA',
};

/** An `IO` of the native part by what the system said to it; any other error as it is. */
function nativeFileError(error: unknown, fix: string): unknown {
  if (!isVirelError(error) || error.code !== 'IO') return error;
  const [, reason = '', number = ''] = /^(.*) \(os error (\d+)\)$/s.exec(error.message) ?? [];
  const code = NUMBERS[number];
  const { where } = error;
  return code === undefined
    ? error
    : new VirelError(code, reason, { ...(where !== undefined && { where }), fix, cause: error });
}

/** A refused file operation as one of our errors: `PERMISSION`, `DISK_FULL`, `QUOTA`, else `IO`. */
export function fileError(error: unknown, path: string, fix = '--run-dir DIR'): unknown {
  const system = error as NodeJS.ErrnoException;
  if (typeof system?.code !== 'string' || system.syscall === undefined)
    return nativeFileError(error, fix);
  const code = CODES[system.code] ?? 'IO';
  const reason = system.message.replace(/^\w+: /, '').replace(/,.*$/s, '');
  return new VirelError(code, `${path}: ${reason}`, { where: path, fix, cause: error });
}

/**
 * Makes a folder and those above it. Not `mkdirSync` with `recursive`: that never returns where the system answers
 * "no such file" below a folder that exists, as in /proc.
 */
export function makeFolders(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
  const parent = dirname(path);
  if (parent !== path) makeFolders(parent);
  try {
    mkdirSync(path);
  } catch (error) {
    // another process was faster
    if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw error;
  }
}

/** Makes a rename or a new file in a folder survive a loss of power. */
export function syncFolder(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/**
 * Writes a file as a whole: temporary file, synced, renamed over the old one.
 *
 * @throws VirelError as {@link fileError} makes it, with this way out.
 */
export function writeWhole(path: string, content: string | Uint8Array, fix?: string): void {
  const temporary = `${path}.tmp-${process.pid}`;
  try {
    writeFileSync(temporary, content, { flush: true });
    renameSync(temporary, path);
    syncFolder(dirname(path));
  } catch (error) {
    rmSync(temporary, { force: true });
    throw fileError(error, path, fix);
  }
}

/** JSON that a person can read. */
export const pretty = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;

/** Bytes of the largest file that describes a run; ours have some thousands. */
const MOST_BYTES = 64 * 2 ** 20;

/** The key of a file that names its layout, and the layout that this version reads. */
export interface Layout {
  readonly key: string;
  readonly known: number;
}

/**
 * A file of {@link writeWhole} that describes a run, JSON unless `parse` says otherwise.
 *
 * @throws VirelError `RUN_CORRUPT` if it is not there, cannot be parsed, or is not of this shape; it names the file and the
 *   key; `CONFIG_VERSION` if another version wrote it, whatever else is in it. What `parse` throws of ours goes through, as does the system's refusal: `PERMISSION`, `IO`.
 */
export function readRunFile<T>(
  path: string,
  schema: z.ZodType<T>,
  layout?: Layout,
  parse: (bytes: Buffer) => unknown = (bytes) => JSON.parse(bytes.toString()),
): T {
  let value: unknown;
  try {
    value = parse(readPlainFile(path, MOST_BYTES));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw damaged(path, 'missing', error);
    if (error instanceof SyntaxError) throw damaged(path, 'not JSON', error);
    throw fileError(error, path, 'read it as a user who may');
  }
  // before all else: what another version wrote may have any shape
  if (layout !== undefined) refuseLayout(path, (value as never)?.[layout.key], layout.known);
  const checked = schema.safeParse(value);
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  throw damaged(path, `${issue?.path.join('.') || 'content'}: ${issue?.message}`, checked.error);
}

/** Refuses a layout that another version wrote. @throws VirelError `CONFIG_VERSION`. */
function refuseLayout(path: string, got: unknown, known: number): void {
  if (got === known || typeof got !== 'number') return;
  throw new VirelError('CONFIG_VERSION', `${path} has layout ${got}`, {
    where: path,
    expected: `layout ${known}`,
    got: `layout ${got}`,
    fix: 'read the run with the version of virel-native that wrote it, or update this one',
  });
}
