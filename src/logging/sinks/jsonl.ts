/** `metrics.jsonl` and `log.jsonl`: one JSON object per line. */
import type { TrainEvent } from '../events.js';
import type { Sink } from '../logger.js';
import { METRICS_FILE, metricsLine } from '../metrics-line.js';

/** `metrics.jsonl`: every record of the metrics. */
export const metricsSink: Sink = {
  name: METRICS_FILE,
  head: '',
  encode: (event) => (event.event === 'metrics' ? `${metricsLine(event)}\n` : undefined),
};

/** Events whose numbers have files of their own. */
const ELSEWHERE: ReadonlySet<string> = new Set(['metrics', 'progress', 'episode']);

function levelOf({ event }: TrainEvent): 'info' | 'warning' | 'error' {
  if (event === 'error' || event === 'warning') return event;
  return event === 'unstable' ? 'warning' : 'info';
}

/**
 * `log.jsonl`: what happened and when. Written here and not by a logging library: the lines share the writer of all files
 * of a run, which cuts torn lines off and waits out a full disk.
 */
export const logSink = (now: () => Date): Sink => ({
  name: 'log.jsonl',
  head: '',
  encode: (event) => {
    if (ELSEWHERE.has(event.event)) return undefined;
    return `${JSON.stringify({ time: now().toISOString(), level: levelOf(event), ...event })}\n`;
  },
});
