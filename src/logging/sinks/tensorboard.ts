/** `events.out.tfevents.*`: the metrics for TensorBoard, and for every tracker that reads its files. */
import { leavesOf } from '../../config/leaves.js';
import type { ResolvedConfig } from '../../config/schema.js';
import type { Sink } from '../logger.js';
import {
  encodeEvent,
  type HyperParameter,
  hyperParameterSummary,
} from '../tensorboard/messages.js';
import { frameRecord } from '../tensorboard/tfrecord.js';

/** What TensorBoard's readers expect of the first event of a file. */
const FILE_VERSION = 'brain.Event:2';

/** Who writes a file, and when it was begun; both are in its name. */
export interface EventFileOrigin {
  readonly host: string;
  readonly pid: number;
  /** Start of the run; wall times of the events are this plus the run's own clock. */
  readonly started: Date;
}

/** `events.out.tfevents.<seconds since 1970, ten digits>.<host>.<pid>.0`, as TensorFlow and PyTorch name theirs. */
function eventFileName({ host, pid, started }: EventFileOrigin): string {
  const seconds = String(Math.floor(started.getTime() / 1000)).padStart(10, '0');
  return `events.out.tfevents.${seconds}.${host}.${pid}.0`;
}

/** The leaves of a config by dotted path; a list as its text, nothing for a null. */
export function hyperParameters(config: ResolvedConfig): Record<string, HyperParameter> {
  const known = [...leavesOf(config)].filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(
    known.map(([path, value]) => [
      path,
      Array.isArray(value) ? value.join(', ') : (value as HyperParameter),
    ]),
  );
}

/** Event file of a run: version, hyper-parameters, then one event per record of the metrics (evaluations are in them). */
export function tensorboardSink(config: ResolvedConfig, origin: EventFileOrigin): Sink {
  const start = origin.started.getTime() / 1000;
  const parameters = hyperParameterSummary(hyperParameters(config), start);
  return {
    name: eventFileName(origin),
    head: Buffer.concat([
      frameRecord(encodeEvent({ wallTime: start, fileVersion: FILE_VERSION })),
      frameRecord(encodeEvent({ wallTime: start, step: 0, summary: { value: [parameters] } })),
    ]),
    encode: (event) => {
      if (event.event !== 'metrics') return undefined;
      const value = Object.entries(event.m).map(([tag, simpleValue]) => ({ tag, simpleValue }));
      const { step, wall } = event;
      return frameRecord(encodeEvent({ wallTime: start + wall, step, summary: { value } }));
    },
  };
}
