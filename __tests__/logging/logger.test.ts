import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { TrainEvent } from '../../src/logging/events.js';
import { Logger, type Sink } from '../../src/logging/logger.js';
import { METRICS, metricsPage } from '../../src/logging/metrics.js';

const event: TrainEvent = { event: 'episode', seed: 0, step: 1, return: 2, length: 3, wall: 4 };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'virel-logger-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** A sink that writes the names of events. */
const names = (name: string): Sink => ({
  name,
  head: 'head\n',
  encode: (each) => (each.event === 'progress' ? undefined : `${each.event}\n`),
});
const read = (name: string) => readFileSync(join(folder, name), 'utf8');

/** A logger that notes what fails and what is lost. */
function logger(sinks: readonly Sink[], onFailure: (name: string) => void = () => {}) {
  const failures: string[] = [];
  const lost: [string, number][] = [];
  const made = new Logger(sinks, folder, {
    clock: () => 0,
    failed: (name) => {
      failures.push(name);
      onFailure(name);
    },
    lost: (...each) => lost.push(each),
  });
  return { made, failures, lost };
}

describe('logger', () => {
  it('makes every file with its head, then adds what each sink says of an event', () => {
    const { made, failures } = logger([names('one'), names('other')]);
    made.open();
    expect(readdirSync(folder).sort()).toEqual(['one', 'other']);
    expect(read('one')).toBe('head\n');
    made.write(event);
    made.close();
    expect([read('one'), read('other')]).toEqual(['head\nepisode\n', 'head\nepisode\n']);
    expect(failures).toEqual([]);
  });

  it('says once of a file that fails, writes the others, and counts what is lost', () => {
    // a folder has the name of the file
    mkdirSync(join(folder, 'bad'));
    const { made, failures, lost } = logger([names('bad'), names('good')]);
    made.open();
    for (let time = 0; time < 3; time += 1) made.write(event);
    made.settle();
    made.close();
    expect(read('good')).toBe(`head\n${'episode\n'.repeat(3)}`);
    expect(failures).toEqual(['bad']);
    // the three events; making the file is none
    expect(lost).toEqual([['bad', 3]]);
  });

  it('writes to the file of another run never', () => {
    const first = logger([names('one')]);
    first.made.write(event);
    first.made.close();
    const second = logger([names('one')]);
    second.made.write(event);
    expect(second.failures).toEqual(['one']);
    expect(read('one')).toBe('head\nepisode\n');
  });

  it('lets the report of a failure reach every file, the failed one when it is mended', () => {
    mkdirSync(join(folder, 'bad'));
    const { made } = logger([names('bad'), names('good')], () =>
      made.write({ event: 'warning', seed: 0, code: 'SINK_FAILED', message: '' }),
    );
    made.write(event);
    expect(read('good')).toBe('head\nwarning\nepisode\n');
    rmSync(join(folder, 'bad'), { recursive: true });
    made.settle();
    expect(read('bad')).toBe('head\nepisode\nwarning\n');
  });

  it('survives a sink that cannot make its record', () => {
    const broken: Sink = {
      ...names('broken'),
      encode: () => {
        throw new Error('defect');
      },
    };
    const { made, failures } = logger([broken, names('good')]);
    made.open();
    made.write(event);
    expect(read('good')).toBe('head\nepisode\n');
    expect(failures).toEqual(['broken']);
  });
});

describe('metrics', () => {
  it('have unique names, a formula and a unit', () => {
    expect(new Set(METRICS.map(({ name }) => name)).size).toBe(METRICS.length);
    expect(METRICS.filter(({ formula, unit }) => formula === '' || unit === '')).toEqual([]);
  });

  it('are what docs/metrics.md lists', () => {
    const page = new URL('../../docs/metrics.md', import.meta.url);
    expect(readFileSync(page, 'utf8')).toBe(metricsPage());
  });

  it('include every name in the native sources', () => {
    const root = new URL('../../native/engine/src/', import.meta.url).pathname;
    const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((file) =>
      file.endsWith('.rs'),
    );
    const names = files.flatMap((file) => {
      const text = readFileSync(join(root, file), 'utf8');
      return [
        ...text.matchAll(
          /"((?:losses|virel|schedule|mpo|gradients|updates|replay|policy|env|q|train)\/[a-z0-9_]+)"/g,
        ),
      ].map((match) => match[1]);
    });
    const known = new Set(METRICS.map(({ name }) => name));
    expect(names.filter((name) => !known.has(name as string))).toEqual([]);
  });
});
