/** `metrics.jsonl` and `log.jsonl`: one JSON object per line. */
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { VirelError } from '../../errors.js';
import type { MetricsEvent } from '../events.js';
import type { Sink } from '../logger.js';
import { damaged, type Line, openLines, readLines } from './lines.js';

/** A record of `metrics.jsonl`; names and formulas are in `logging/metrics.ts`. */
export type MetricsRecord = Omit<MetricsEvent, 'event' | 'seed'>;

const METRICS_FILE = 'metrics.jsonl';
/** Version of a line's layout. */
const VERSION = 1;

const checksum = (text: string) => crc32(text).toString(16).padStart(8, '0');

/** A line of `metrics.jsonl`; `crc` is the CRC-32, in hexadecimal, of the line's JSON without `crc`. */
export function metricsLine({ step, updates, wall, m }: MetricsRecord): string {
  const record = { v: VERSION, step, updates, wall, m };
  return JSON.stringify({ ...record, crc: checksum(JSON.stringify(record)) });
}

/** The end of a line, which its own checksum does not cover. */
const CHECKSUM = /,"crc":"([0-9a-f]{8})"\}$/;

/** Reads what {@link metricsLine} wrote. */
function metricsOf({ where, text }: Line): MetricsRecord {
  const [end, crc] = CHECKSUM.exec(text) ?? [];
  if (end === undefined) throw damaged(where, 'not a whole record of metrics');
  const record = `${text.slice(0, -end.length)}}`;
  if (checksum(record) !== crc) throw damaged(where, `its CRC-32 is not ${crc}`);
  const { v, ...rest } = JSON.parse(record);
  if (v !== VERSION) {
    throw new VirelError('CONFIG_VERSION', `${where}: layout ${v} of the metrics`, {
      where,
      expected: `layout ${VERSION}`,
      got: `layout ${v}`,
      fix: 'read the run with the version of virel-native that wrote it, or update this one',
    });
  }
  return { ...rest, m: withNaN(rest.m) };
}

/** JSON has no NaN and no infinity: they are written as null. */
const withNaN = (m: Record<string, number | null>): Record<string, number> =>
  Object.fromEntries(Object.entries(m).map(([name, value]) => [name, value ?? Number.NaN]));

/**
 * Reads `metrics.jsonl`, also while it is written; NaN stands where a number was not finite.
 *
 * @throws VirelError `RUN_CORRUPT` with the line whose checksum does not fit; `CONFIG_VERSION`.
 */
export const readMetrics = (directory: string): MetricsRecord[] =>
  readLines(join(directory, METRICS_FILE)).map(metricsOf);

/** Writes `metrics.jsonl`. */
export function metricsSink(directory: string): Sink {
  const name = METRICS_FILE;
  const lines = openLines(join(directory, name));
  return {
    name,
    write: (event) => {
      if (event.event === 'metrics') lines.append(metricsLine(event));
    },
    close: lines.close,
  };
}

/** Writes `log.jsonl`: what happened and when, without the numbers that have files of their own. */
export function logSink(directory: string, now: () => Date): Sink {
  const name = 'log.jsonl';
  const lines = openLines(join(directory, name));
  const elsewhere = new Set(['metrics', 'progress', 'episode']);
  return {
    name,
    write: (event) => {
      if (elsewhere.has(event.event)) return;
      const level = event.event === 'error' || event.event === 'warning' ? event.event : 'info';
      lines.append(JSON.stringify({ time: now().toISOString(), level, ...event }));
    },
    close: lines.close,
  };
}
