/** A line of `metrics.jsonl`: how it is made, and how a reader tells a whole one from a torn or damaged one. */
import { crc32 } from 'node:zlib';
import type { MetricsEvent } from './events.js';

/** What a line holds besides its version and checksum. */
export type MetricsRecord = Pick<MetricsEvent, 'step' | 'updates' | 'wall' | 'm'>;

/** The whole records of a file, and the numbers, from 1, of the lines that are none. */
export interface MetricsFile {
  readonly records: readonly MetricsRecord[];
  readonly damaged: readonly number[];
}

/** CRC-32 (zlib's) of the UTF-8 text, eight hexadecimal digits. */
const checksum = (text: string) => crc32(text).toString(16).padStart(8, '0');

/** The line, without its end; `crc` is the checksum of the line as it would be without `crc`. */
export function metricsLine({ step, updates, wall, m }: MetricsRecord): string {
  const body = JSON.stringify({ v: 1, step, updates, wall, m });
  return `${body.slice(0, -1)},"crc":"${checksum(body)}"}`;
}

/** The record of a line; undefined if the line is torn, damaged, or of another version. */
export function readMetricsLine(line: string): MetricsRecord | undefined {
  const [, body, crc] = /^(\{.*),"crc":"([0-9a-f]{8})"\}$/s.exec(line) ?? [];
  if (body === undefined || checksum(`${body}}`) !== crc) return undefined;
  // the checksum holds, so that this is what a writer wrote
  const { v, ...record } = JSON.parse(`${body}}`) as MetricsRecord & { v: number };
  return v === 1 ? record : undefined;
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
