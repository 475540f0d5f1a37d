import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { resolveOptions } from '../../src/config/resolve.js';
import type { TrainEvent } from '../../src/logging/events.js';
import { readMetrics } from '../../src/logging/metrics-line.js';
import { readRecords } from '../../src/logging/tensorboard/tfrecord.js';
import { listCheckpoints } from '../../src/training/checkpoint.js';
import { startTraining } from '../../src/training/in-process.js';
import { fillDisk, noTmpfs, type SmallDisk, smallDisk } from '../support/small-disk.js';
import { type Behaviour, MemorySession } from './memory-session.js';

const test = noTmpfs === undefined ? it : it.skip;
const title = (fact: string) => (noTmpfs === undefined ? fact : `${fact} (${noTmpfs})`);

let disk: SmallDisk;
beforeEach(() => {
  if (noTmpfs === undefined) disk = smallDisk('1m');
});
afterEach(() => {
  if (noTmpfs === undefined) disk.remove();
});

/** Trains on the small disk; everything that is said, and how it ended. */
async function run(behaviour: Behaviour, every: number | null, waits: () => void = () => {}) {
  const runDir = join(disk.path, 'run');
  const running = startTraining(
    resolveOptions({
      env: 'Hopper-v5',
      steps: 2000,
      logging: { every: 5 },
      evaluation: { every: 100, episodes: 2 },
      collect: { startUpdates: 10 },
      checkpoint: { every, keep: 1 },
      // what it will need has room at first
      network: { hidden: [8] },
    }).resolution,
    { runDir },
    {
      createSession: () => new MemorySession(behaviour),
      nativeFacts: () => undefined,
      wait: async () => waits(),
    },
  );
  const events: TrainEvent[] = [];
  for await (const event of running) events.push(event);
  const [ended] = await Promise.allSettled([running.finished]);
  const warnings = events.filter((event) => event.event === 'warning');
  const read = (name: string) => readFileSync(join(runDir, name), 'utf8');
  const eventFile = readdirSync(runDir).find((name) => name.startsWith('events.')) as string;
  return { runDir, events, ended, warnings, read, eventFile };
}

/** Fills the disk once `from` steps are done, and frees it once `until` are. */
function fills(from: number, until: number): Behaviour {
  let free: (() => void) | undefined;
  let isOver = false;
  const onAdvance = (step: number) => {
    if (step >= from && !isOver) free ??= fillDisk(disk.path, 0);
    if (step < until || isOver) return;
    isOver = true;
    free?.();
  };
  // the first evaluation is the best: no checkpoint for its sake later on
  return { onAdvance, returnAt: (step) => -step };
}

describe('a disk that is full while a run logs', () => {
  test(title('pauses the files with one warning; all is written once there is room'), async () => {
    const { ended, warnings, read, runDir, eventFile } = await run(fills(500, 1500), null);
    expect(ended).toMatchObject({ status: 'fulfilled', value: { state: 'finished', steps: 2000 } });
    expect(warnings).toMatchObject([
      {
        code: 'DISK_FULL',
        message: expect.stringMatching(/: no space left on device; training goes on/),
      },
    ]);
    const { records, damaged } = readMetrics(read('metrics.jsonl'));
    expect(damaged).toEqual([]);
    expect(records.map(({ step }) => step)).toEqual(
      Array.from({ length: 400 }, (_, index) => 5 * (index + 1)),
    );
    expect(read('eval.csv').trimEnd().split('\n')).toHaveLength(1 + 20);
    expect(read('episodes.csv').trimEnd().split('\n')).toHaveLength(2 + 40);
    const file = readFileSync(join(runDir, eventFile));
    const framed = readRecords(file);
    expect(framed.records).toHaveLength(2 + 400);
    expect(framed.end).toBe(file.length);
    const log = read('log.jsonl').trimEnd().split('\n');
    expect(log.map((line) => JSON.parse(line).event)).toContain('warning');
  });

  test(title('to the end keeps what was whole: files, checkpoint; the run says so'), async () => {
    const { ended, events, warnings, read, runDir, eventFile } = await run(
      fills(500, Infinity),
      300,
    );
    expect(ended).toMatchObject({ status: 'rejected', reason: { code: 'DISK_FULL' } });
    expect(events.at(-1)).toMatchObject({ event: 'summary', state: 'failed', code: 'DISK_FULL' });
    // it trained on
    expect(events.at(-1)).toMatchObject({ steps: 2000 });
    expect(listCheckpoints(runDir)).toEqual(['000000000100', '000000000300']);
    const { records, damaged } = readMetrics(read('metrics.jsonl'));
    expect(damaged).toEqual([]);
    expect(records.length).toBeGreaterThanOrEqual(100);
    const file = readFileSync(join(runDir, eventFile));
    expect(readRecords(file).end).toBe(file.length);
    for (const line of read('log.jsonl').trimEnd().split('\n')) JSON.parse(line);
    expect(readdirSync(runDir).filter((name) => name.includes('tmp'))).toEqual([]);
    // what is missing is counted
    const lost = warnings.filter(({ message }) => message.includes('lacks'));
    expect(lost.map(({ message }) => message.split(' ')[0])).toContain('metrics.jsonl');
  });

  test(
    title('at the last checkpoint is waited for, and nothing is lost once there is room'),
    async () => {
      let [free, waited]: [(() => void) | undefined, number] = [undefined, 0];
      const behaviour: Behaviour = {
        onAdvance: (step) => {
          if (step >= 1900) free ??= fillDisk(disk.path, 0);
        },
        returnAt: (step) => -step,
      };
      const { ended, runDir, warnings } = await run(behaviour, null, () => {
        waited += 1;
        if (waited === 3) free?.();
      });
      expect(ended).toMatchObject({
        status: 'fulfilled',
        value: { state: 'finished', steps: 2000 },
      });
      expect(waited).toBe(3);
      expect(listCheckpoints(runDir).at(-1)).toBe('000000002000');
      expect(warnings.map(({ message }) => message).join()).toContain('waits for room');
    },
  );

  test(title('beyond ten minutes is an error'), async () => {
    let waited = 0;
    const { ended } = await run(fills(1900, Infinity), null, () => {
      waited += 1;
    });
    expect(ended).toMatchObject({ status: 'rejected', reason: { code: 'DISK_FULL' } });
    expect(waited).toBe(20);
  });
});
