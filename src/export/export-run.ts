/** Takes a run's policy elsewhere: reads it, writes it in another format, puts the files in place. */
import { copyFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { nearest } from '../config/nearest.js';
import { VirelError } from '../errors.js';
import { onnxModel } from './onnx.js';
import { type ExportedFile, placeFiles } from './place.js';
import { openSource, type Source } from './source.js';
import { typescriptModule } from './typescript.js';

/** Formats, by their names. */
export const EXPORT_FORMATS = ['safetensors', 'onnx', 'typescript', 'hub', 'parquet'] as const;
/** One of them. */
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** A format: the names that it may write, and what writes them. */
interface Writer {
  readonly names: readonly string[];
  write(source: Source, folder: string): Promise<void>;
}

/** The writers; libraries that draw or write Parquet are loaded when one is asked for. */
async function writerOf(format: ExportFormat): Promise<Writer> {
  switch (format) {
    case 'safetensors':
      return { names: SAFETENSORS, write: async (source, folder) => copyModel(source, folder) };
    case 'onnx':
      return single('policy.onnx', onnxModel);
    case 'typescript':
      return single('policy.ts', typescriptModule);
    case 'hub': {
      const { HUB_FILES, writeHub } = await import('./hub.js');
      return { names: HUB_FILES, write: writeHub };
    }
    case 'parquet': {
      const { PARQUET_FILES, writeParquet } = await import('./parquet.js');
      return { names: PARQUET_FILES, write: writeParquet };
    }
  }
}

const SAFETENSORS = ['model.safetensors', 'config.json'];

/** The files as the native part wrote them, to the byte: their SHA-256 are those of the checkpoint's manifest. */
function copyModel({ model }: Source, folder: string): void {
  for (const name of SAFETENSORS) copyFileSync(join(model, name), join(folder, name));
}

/** A format of one file. */
const single = (name: string, content: (source: Source) => string | Uint8Array): Writer => ({
  names: [name],
  write: async (source, folder) => writeFileSync(join(folder, name), content(source)),
});

/** What to export, and where to. */
export interface ExportOptions {
  /** What to write. */
  format: ExportFormat;
  /** The folder; `exports/<env>-<algorithm>-seed-<n>/<format>` by default. */
  out?: string | undefined;
  /** A checkpoint's step, or `best`; the newest by default. */
  step?: number | 'latest' | 'best' | undefined;
  /** Replaces files of an earlier export. */
  force?: boolean | undefined;
}

/** What was exported. */
export interface Exported {
  /** What was written. */
  format: ExportFormat;
  /** Task. */
  env: string;
  /** Its public name. */
  algorithm: string;
  /** Environment steps of the checkpoint. */
  step: number;
  /** Absolute. */
  dir: string;
  /** In the order in which they were written. */
  files: ExportedFile[];
  /** What exports had left in the folder that were killed; it was removed. Absent where there was nothing. */
  removed?: readonly string[];
}

function requireFormat(format: string): ExportFormat {
  const known = EXPORT_FORMATS.find((each) => each === format);
  if (known !== undefined) return known;
  const near = nearest(format, EXPORT_FORMATS);
  throw new VirelError('EXPORT_UNSUPPORTED', `no format ${format || '""'}`, {
    where: 'format',
    expected: EXPORT_FORMATS.join(', '),
    got: format,
    fix: near === undefined ? '--format onnx' : `did you mean ${near}?`,
  });
}

/** `exports/Hopper-v5-virel-seed-0/onnx` */
function defaultFolder({ config, run }: Source, format: ExportFormat): string {
  const name = `${config.env}-${config.algorithm}-seed-${run.config.seed}`;
  return join('exports', name, format);
}

/**
 * Exports the policy of a run's checkpoint, or its numbers; works without the native part (docs/exporting.md).
 *
 * @param runDir The run's folder; nothing in it is changed.
 * @returns Files and sizes; all are whole, or none is there.
 * @throws VirelError `EXPORT_UNSUPPORTED`: no such format, or not of this run; `EXPORT_EXISTS`; `RUN_NOT_FOUND`,
 *   `RUN_CORRUPT`, `CHECKPOINT_NONE`, `CHECKPOINT_CORRUPT`, `PARAMETER_SHAPE`; `PERMISSION`, `DISK_FULL`, `QUOTA`, `IO`.
 */
export async function exportRun(runDir: string, options: ExportOptions): Promise<Exported> {
  const format = requireFormat(String(options.format));
  const { names, write } = await writerOf(format);
  const source = await openSource(runDir, options.step);
  const dir = resolve(options.out ?? defaultFolder(source, format));
  const force = options.force === true;
  const place = { folder: dir, names, force };
  const { files, removed } = await placeFiles(place, (folder) => write(source, folder));
  const { env, algorithm, step } = source.config;
  return { format, env, algorithm, step, dir, files, ...(removed.length > 0 && { removed }) };
}
