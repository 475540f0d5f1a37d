/** What a run left, without what a clock says: equal runs leave equal ones. */
import { readFileSync } from 'node:fs';
import { METRICS } from '../../src/logging/metrics.js';

const clocks = new Set(METRICS.filter(({ wallClock }) => wallClock).map(({ name }) => name));

/** The lines of a text file. */
export const lines = (path: string) => readFileSync(path, 'utf8').trimEnd().split('\n');

/** The records of a `metrics.jsonl`, with their metrics in the order of the file. */
export const untimedMetrics = (path: string) =>
  lines(path).map((line) => {
    const { step, updates, m } = JSON.parse(line) as {
      step: number;
      updates: number;
      m: Record<string, number>;
    };
    return { step, updates, m: Object.entries(m).filter(([name]) => !clocks.has(name)) };
  });

/** The rows of an `eval.csv` or `episodes.csv`, whose last column is the time; its first line has another time in it. */
export const untimedRows = (path: string) =>
  lines(path)
    .slice(1)
    .map((line) => line.slice(0, line.lastIndexOf(',')));
