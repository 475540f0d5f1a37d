/** A line of `metrics.jsonl`: how it is made, and how a reader tells a whole one from a torn or damaged one. */
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { VirelError } from '../errors.js';
import type { MetricsEvent } from './events.js';
import { damaged, readLines } from './read-lines.js';

/** The file's name, and the layout of its lines. */
export const METRICS_FILE = 'metrics.jsonl';
const VERSION = 1;

/** What a line holds besides its version and checksum. */
export type MetricsRecord = Pick<MetricsEvent, 'step' | 'updates' | 'wall' | 'm'>;

/** The whole records of a file, and the numbers, from 1, of the lines that are none. */
export interface MetricsFile {
  /** In the order of the file. */
  readonly records: readonly MetricsRecord[];
  /** Line numbers, from 1. */
  readonly damaged: readonly number[];
}

/** CRC-32 (zlib's) of the UTF-8 text, eight hexadecimal digits. */
const checksum = (text: string) => crc32(text).toString(16).padStart(8, '0');

/** The line, without its end; `crc` is the checksum of the line as it would be without `crc`. */
export function metricsLine({ step, updates, wall, m }: MetricsRecord): string {
  const body = JSON.stringify({ v: VERSION, step, updates, wall, m });
  return `${body.slice(0, -1)},"crc":"${checksum(body)}"}`;
}

/** What a writer wrote, with the version of its layout; undefined if the line is torn or damaged. */
function parseLine(line: string): (MetricsRecord & { v: number }) | undefined {
  const [, body, crc] = /^(\{.*),"crc":"([0-9a-f]{8})"\}$/s.exec(line) ?? [];
  if (body === undefined || checksum(`${body}}`) !== crc) return undefined;
  const record = JSON.parse(`${body}}`) as MetricsRecord & { v: number };
  return { ...record, m: withNaN(record.m) };
}

/** JSON has no NaN and no infinity: they are written as null. */
const withNaN = (m: Readonly<Record<string, number | null>>): Record<string, number> =>
  Object.fromEntries(Object.entries(m ?? {}).map(([name, value]) => [name, value ?? Number.NaN]));

/** The record of a line; undefined if the line is torn, damaged, or of another version. */
export function readMetricsLine(line: string): MetricsRecord | undefined {
  const { v, ...record } = parseLine(line) ?? { v: undefined };
  return v === VERSION ? (record as MetricsRecord) : undefined;
}

/**
 * Reads the `metrics.jsonl` of a run's folder, also while it is written; NaN stands where a number was not finite.
 *
 * @throws VirelError `RUN_CORRUPT` with the line whose checksum does not fit; `CONFIG_VERSION`.
 */
export function readMetricsFile(directory: string): MetricsRecord[] {
  return readLines(join(directory, METRICS_FILE)).map(({ where, text }) => {
    const parsed = parseLine(text);
    if (parsed === undefined) throw damaged(where, 'not a whole record of metrics with its CRC-32');
    const { v, ...record } = parsed;
    if (v === VERSION) return record;
    throw new VirelError('CONFIG_VERSION', `${where}: layout ${v} of the metrics`, {
      where,
      expected: `layout ${VERSION}`,
      got: `layout ${v}`,
      fix: 'read the run with the version of virel-native that wrote it, or update this one',
    });
  });
}

/**
 * Reads the text of a `metrics.jsonl`, one that is being written or was cut anywhere included.
 *
 * @returns Every whole record in order; lines that are none are left out and named.
 */
export function readMetrics(text: string): MetricsFile {
  const records: MetricsRecord[] = [];
  const damaged: number[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line === '') continue;
    const record = readMetricsLine(line);
    if (record === undefined) damaged.push(index + 1);
    else records.push(record);
  }
  return { records, damaged };
}
