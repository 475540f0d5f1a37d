import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { TrainEvent } from '../../src/logging/events.js';
import { Logger, type Sink } from '../../src/logging/logger.js';
import { METRICS, metricsPage } from '../../src/logging/metrics.js';

const event: TrainEvent = { event: 'episode', seed: 0, step: 1, return: 2, length: 3, wall: 4 };

/** A sink that remembers, and may fail from the n-th write on. */
function memory(
  name: string,
  failsFrom = Infinity,
): Sink & { written: TrainEvent[]; closed: number } {
  const sink = {
    name,
    written: [] as TrainEvent[],
    closed: 0,
    write: (each: TrainEvent) => {
      if (sink.written.length >= failsFrom) throw new Error('disk full');
      sink.written.push(each);
    },
    close: () => {
      sink.closed += 1;
    },
  };
  return sink;
}

describe('logger', () => {
  it('leaves a failing sink out, says so once, and writes the others', () => {
    const [good, bad] = [memory('good'), memory('bad', 1)];
    const failures: string[] = [];
    const logger = new Logger([bad, good], (name) => failures.push(name));
    for (let time = 0; time < 3; time += 1) logger.write(event);
    expect(good.written).toHaveLength(3);
    expect(bad.written).toHaveLength(1);
    expect(failures).toEqual(['bad']);
  });

  it('lets the report of a failure reach the sinks that are left', () => {
    const [good, bad] = [memory('good'), memory('bad', 0)];
    const logger: Logger = new Logger([bad, good], (name) =>
      logger.write({ event: 'warning', seed: 0, code: 'SINK_FAILED', message: name }),
    );
    logger.write(event);
    expect(good.written.map((each) => each.event)).toEqual(['warning', 'episode']);
  });

  it('closes every sink once', () => {
    const sink = memory('one');
    const logger = new Logger([sink], () => {});
    logger.close();
    logger.close();
    expect(sink.closed).toBe(1);
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
