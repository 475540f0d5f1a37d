/** `metrics.jsonl` and `log.jsonl`: one JSON object per line. */
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { MetricsEvent } from '../events.js';
import type { Sink } from '../logger.js';
import { openLines } from './lines.js';

/** A line of `metrics.jsonl`; `crc` is the CRC-32, in hexadecimal, of the line's JSON without `crc`. */
export function metricsLine({ step, updates, wall, m }: MetricsEvent): string {
  const record = { v: 1, step, updates, wall, m };
  const crc = crc32(JSON.stringify(record)).toString(16).padStart(8, '0');
  return JSON.stringify({ ...record, crc });
}

/** Writes `metrics.jsonl`. */
export function metricsSink(directory: string): Sink {
  const name = 'metrics.jsonl';
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
