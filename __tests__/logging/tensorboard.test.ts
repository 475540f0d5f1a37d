import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { resolveConfig } from '../../src/config/resolve.js';
import type { MetricsEvent, TrainEvent } from '../../src/logging/events.js';
import { METRICS } from '../../src/logging/metrics.js';
import { hyperParameters, tensorboardSink } from '../../src/logging/sinks/tensorboard.js';
import { decodeEvent, fieldsOf, unframe } from '../support/event-file.js';

const config = resolveConfig({ env: 'Hopper-v5', algorithm: 'beta' });
const started = new Date('2026-01-02T03:04:05.500Z');
const start = started.getTime() / 1000;
const sink = tensorboardSink(config, { host: 'node17', pid: 4121, started });

/** Every metric, twice, at steps that a 32-bit number holds and does not hold. */
const events: MetricsEvent[] = [1000, 5_000_000_000].map((step) => ({
  event: 'metrics',
  seed: 0,
  step,
  updates: step,
  wall: step / 1000,
  m: Object.fromEntries(METRICS.map(({ name }, index) => [name, (index - 3) / 7])),
}));
const records = (given: readonly TrainEvent[]) =>
  given.map((event) => sink.encode(event)).filter((record) => record !== undefined);
const file = Buffer.concat([sink.head as Uint8Array, ...(records(events) as Uint8Array[])]);

describe('an event file', () => {
  it('has the name that TensorBoard looks for', () => {
    expect(sink.name).toBe('events.out.tfevents.1767323045.node17.4121.0');
  });

  it('begins with its version, then the hyper-parameters once', () => {
    const decoded = unframe(Buffer.from(sink.head as Uint8Array)).map(decodeEvent);
    expect(decoded).toEqual([
      { wallTime: start, step: 0, fileVersion: 'brain.Event:2', scalars: {}, others: [] },
      {
        wallTime: start,
        step: 0,
        fileVersion: undefined,
        scalars: {},
        others: ['_hparams_/session_start_info'],
      },
    ]);
  });

  it('holds every metric as float32, at its environment step and time', () => {
    const decoded = unframe(file).slice(2).map(decodeEvent);
    expect(decoded).toHaveLength(events.length);
    for (const [index, { step, wall, m }] of events.entries()) {
      const scalars = Object.fromEntries(
        Object.entries(m).map(([name, value]) => [name, Math.fround(value)]),
      );
      expect(decoded[index]).toEqual({
        wallTime: start + wall,
        step,
        fileVersion: undefined,
        scalars,
        others: [],
      });
    }
  });

  it('says nothing of other events', () => {
    expect(
      records([{ event: 'episode', seed: 0, step: 1, return: 2, length: 3, wall: 4 }]),
    ).toEqual([]);
  });
});

describe('hyper-parameters', () => {
  it('are the leaves of the config that have a value', () => {
    const parameters = hyperParameters(config);
    expect(parameters).toMatchObject({
      algorithm: 'beta',
      'env.id': 'Hopper-v5',
      rewardScale: 5,
      'network.hidden': '300, 300',
      'temperature.temperatureScale': 4e-3,
      'residual.half': false,
    });
    expect(Object.keys(parameters)).not.toContain('env.modelFile');
    expect(Object.values(parameters).every((value) => typeof value !== 'object')).toBe(true);
  });

  it('are stored with their types', () => {
    const [, event] = unframe(Buffer.from(sink.head as Uint8Array)) as [Buffer, Buffer];
    const text = event.toString('latin1');
    for (const name of Object.keys(hyperParameters(config))) expect(text).toContain(name);
    expect(fieldsOf(event).map(([number]) => number)).toEqual(expect.arrayContaining([1, 5]));
  });
});

/** What Python's TensorBoard reads of the files in a folder. */
const PROGRAM = `
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import plugin_data_pb2
read = EventAccumulator(sys.argv[1], size_guidance={'scalars': 0})
read.Reload()
scalars = {tag: [[e.step, e.wall_time, e.value] for e in read.Scalars(tag)] for tag in read.Tags()['scalars']}
plugin = read.SummaryMetadata('_hparams_/session_start_info').plugin_data
info = plugin_data_pb2.HParamsPluginData.FromString(plugin.content).session_start_info
hparams = {name: getattr(value, value.WhichOneof('kind')) for name, value in info.hparams.items()}
print(json.dumps({'first': read.FirstEventTimestamp(), 'scalars': scalars, 'plugin': plugin.plugin_name, 'hparams': hparams}))
`;

/** A Python with TensorBoard: `VIREL_PYTHON`, or the one on the path. */
function findPython(): string | undefined {
  return [process.env['VIREL_PYTHON'] || 'python3'].find((python) => {
    try {
      execFileSync(python, ['-c', 'import tensorboard'], { stdio: 'pipe' });
      return true;
    } catch {
      return false;
    }
  });
}

const python = findPython();
const folder = mkdtempSync(join(tmpdir(), 'virel-tensorboard-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe("Python's TensorBoard", () => {
  const title = 'reads every scalar and hyper-parameter';
  const reason = 'no Python with tensorboard; VIREL_PYTHON may name one';
  const test = python === undefined ? it.skip : it;
  test(python === undefined ? `${title} (${reason})` : title, () => {
    writeFileSync(join(folder, sink.name), file);
    const read = JSON.parse(
      execFileSync(python ?? '', ['-c', PROGRAM, folder], { encoding: 'utf8', stdio: 'pipe' }),
    );
    expect(read.first).toBe(start);
    const expected = METRICS.map(({ name }) => [
      name,
      events.map(({ step, wall, m }) => [step, start + wall, Math.fround(m[name] as number)]),
    ]);
    expect(read.scalars).toEqual(Object.fromEntries(expected));
    expect(read.plugin).toBe('hparams');
    expect(read.hparams).toEqual(hyperParameters(config));
  }, 120_000);
});
