/** Files that grow, are torn, replaced or put back, as a page is told of them. */
import {
  appendFileSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { hasRecording, listRecordings } from '../../src/watch/recordings.js';
import { addColumns, addRecord, MOST_POINTS, noColumns } from '../../src/watch/shared/columns.js';
import { eventId, progressOf } from '../../src/watch/stream.js';
import { Updates } from '../../src/watch/updates.js';
import { addRecording, addStep, fakeRun } from './fake-runs.js';

const folder = mkdtempSync(join(tmpdir(), 'virel-updates-'));
afterAll(() => rmSync(folder, { recursive: true }));
let count = 0;
let dir = '';
beforeEach(() => {
  count += 1;
  dir = fakeRun(folder, `run-${count}`);
});
const file = (name: string) => join(dir, name);

describe('updates of a run', () => {
  it('tell all at first, then what is new, then nothing', async () => {
    const updates = new Updates(dir, 'run');
    const first = await updates.next();
    expect(first?.metrics?.step).toEqual([1000, 2000]);
    expect(first?.metrics?.m['virel/temperature']).toEqual([0.001, 0.002]);
    expect(first?.evaluations?.m).toEqual({
      mean: [100, 200],
      std: [1, 1],
      min: [50, 100],
      max: [200, 400],
      length: [50, 50],
    });
    expect(first?.entry).toMatchObject({ state: 'running', step: 2000 });
    addStep(dir, 3000);
    const second = await updates.next();
    expect([second?.metrics?.step, second?.evaluations?.step]).toEqual([[3000], [3000]]);
    expect(second?.reset).toBeUndefined();
    expect(await updates.next()).toBeUndefined();
  });

  it('leave out a line until it is whole', async () => {
    const updates = new Updates(dir, 'run');
    await updates.next();
    addStep(dir, 3000);
    const whole = readFileSync(file('metrics.jsonl'));
    const evaluations = readFileSync(file('eval.csv'));
    const cut = whole.length - 20;
    // in place: another file would be read from its start
    writeFileSync(file('metrics.jsonl'), whole.subarray(0, cut));
    writeFileSync(file('eval.csv'), evaluations.subarray(0, evaluations.length - 4));
    expect(await updates.next()).toBeUndefined();
    appendFileSync(file('metrics.jsonl'), whole.subarray(cut));
    expect((await updates.next())?.metrics?.step).toEqual([3000]);
  });

  it('count damaged lines and go on behind them', async () => {
    appendFileSync(file('metrics.jsonl'), '{"v":1,"step":2500,"m":{},"crc":"00000000"}\n');
    appendFileSync(file('eval.csv'), '2500,oops\n');
    addStep(dir, 3000);
    const first = await new Updates(dir, 'run').next();
    expect([first?.damaged, first?.metrics?.step]).toEqual([2, [1000, 2000, 3000]]);
  });

  it('tell everything again after a file was put back to an earlier step', async () => {
    const updates = new Updates(dir, 'run');
    await updates.next();
    const [head = '', line = ''] = readFileSync(file('metrics.jsonl'), 'utf8').split('\n');
    writeFileSync(file('metrics.jsonl'), `${head}\n`);
    const again = await updates.next();
    expect([again?.reset, again?.metrics?.step]).toEqual([true, [1000]]);
    writeFileSync(file('other'), `${head}\n${line}\n`);
    renameSync(file('other'), file('metrics.jsonl'));
    const replaced = await updates.next();
    expect([replaced?.reset, replaced?.metrics?.step]).toEqual([true, [1000, 2000]]);
  });

  it('go on where an event was, and from the start after an id that is none', async () => {
    const updates = new Updates(dir, 'run');
    await updates.next();
    const id = eventId(updates.progress);
    addStep(dir, 3000);
    const later = await new Updates(dir, 'run', progressOf(id)).next();
    expect([later?.metrics?.step, later?.evaluations?.step]).toEqual([[3000], [3000]]);
    for (const wrong of [undefined, '', '1-2-3', '-1-0-0-0', '9e9-1-1-1', `${id}0000000000000`]) {
      const all = await new Updates(dir, 'run', progressOf(wrong)).next();
      expect([wrong, all?.metrics?.step]).toEqual([wrong, [1000, 2000, 3000]]);
    }
  });

  it('list recordings, say which are cut short, and leave out what is none', async () => {
    const id = addRecording(dir, 1000);
    const cut = addRecording(dir, 2000);
    const path = file(`recordings/${cut}.qrec`);
    writeFileSync(path, readFileSync(path).subarray(0, -3));
    writeFileSync(file('recordings/000000003000-s0.qrec'), 'not one');
    writeFileSync(file('recordings/..qrec'), 'not one');
    const { recordings } = (await new Updates(dir, 'run').next()) ?? {};
    expect(recordings).toEqual([
      { id, step: 1000, seed: 0, steps: 1, return: 2, cut: false },
      { id: cut, step: 2000, seed: 0, steps: 0, return: 2, cut: true },
    ]);
  });

  it('list them at the first look, at every tenth, and after a reset', async () => {
    const updates = new Updates(dir, 'run');
    const looks = async (count: number) => {
      const told: (number[] | undefined)[] = [];
      for (let look = 0; look < count; look += 1) {
        told.push((await updates.next())?.recordings?.map(({ step }) => step));
      }
      return told;
    };
    const nothing = (count: number) => new Array<undefined>(count).fill(undefined);
    addRecording(dir, 1000);
    expect(await looks(1)).toEqual([[1000]]);
    addRecording(dir, 2000);
    expect(await looks(10)).toEqual([...nothing(9), [1000, 2000]]);
    addRecording(dir, 3000);
    const [head] = readFileSync(file('metrics.jsonl'), 'utf8').split('\n');
    writeFileSync(file('metrics.jsonl'), `${head}\n`);
    expect(await looks(11)).toEqual([[1000, 2000, 3000], ...nothing(10)]);
  });

  it('open no recording again whose file is the same', async () => {
    const known = new Map();
    const steps = async () => (await listRecordings(dir, known)).map(({ step }) => step);
    const path = file(`recordings/${addRecording(dir, 1000)}.qrec`);
    utimesSync(path, 1000, 1000);
    const [bytes, { ino }] = [readFileSync(path), statSync(path)];
    expect(await steps()).toEqual([1000]);
    // with nothing in it, but of the same size and time
    writeFileSync(path, Buffer.alloc(bytes.length));
    utimesSync(path, 1000, 1000);
    expect([await steps(), statSync(path).ino]).toEqual([[1000], ino]);
    utimesSync(path, 1001, 1001);
    expect(await steps()).toEqual([]);
    writeFileSync(path, bytes);
    expect(await steps()).toEqual([1000]);
    addRecording(dir, 2000);
    rmSync(path);
    expect([await steps(), [...known.keys()]]).toEqual([[2000], ['000000002000-s0']]);
  });

  it('know whether a checkpoint has a recording that can be shown', async () => {
    expect(await hasRecording(dir, 1000)).toBe(false);
    addRecording(dir, 1000);
    // as a loss of power leaves them
    writeFileSync(file('recordings/000000003000-s0.qrec'), '');
    writeFileSync(file('recordings/000000003000-s1.qrec'), 'not one');
    writeFileSync(file('recordings/000000004000-s0.qrec.tmp-1'), 'not whole');
    const steps = [1000, 3000, 1, 100, 10_000, 4000];
    const recorded = () => Promise.all(steps.map((step) => hasRecording(dir, step)));
    expect(await recorded()).toEqual([true, false, false, false, false, false]);
    addRecording(dir, 3000);
    expect(await recorded()).toEqual([true, true, false, false, false, false]);
  });

  it('say of a run that is silent for minutes that it is lost', async () => {
    const status = { state: 'running', step: 5, heartbeat: '2026-01-01T00:00:00.000Z' };
    writeFileSync(file('status.json'), JSON.stringify(status));
    expect((await new Updates(dir, 'run').next())?.entry?.state).toBe('lost');
  });
});

describe('columns', () => {
  /** Every so many-th step up to a number of them. */
  const every = (stride: number, count: number) =>
    Array.from({ length: Math.floor(count / stride) }, (_, index) => (index + 1) * stride);

  it('hold at most 5,000 records, evenly thinned, the last of each group', () => {
    const columns = noColumns();
    for (let step = 1; step <= 100_000; step += 1) addRecord(columns, step, { a: step });
    expect(columns.step.length).toBeLessThanOrEqual(MOST_POINTS);
    expect([columns.stride, columns.step]).toEqual([32, every(32, 100_000)]);
    expect(columns.m['a']).toEqual(columns.step);
  });

  it('lose nothing of what some records alone have, wherever in a group they stand', () => {
    for (const first of [1, 2, 3, 10]) {
      const columns = noColumns();
      const isRare = (step: number) => step % 10 === first % 10;
      for (let step = 1; step <= 12_000; step += 1) {
        addRecord(columns, step, { a: step, ...(isRare(step) && { rare: step }) });
      }
      const kept = every(4, 12_000);
      expect([columns.stride, columns.step, columns.m['a']]).toEqual([4, kept, kept]);
      const group = (end: number) => [end, end - 1, end - 2, end - 3];
      expect(columns.m['rare']).toEqual(kept.map((end) => group(end).find(isRare) ?? null));
      expect(columns.m['rare']?.filter((value) => value !== null)).toHaveLength(1200);
    }
  });

  it('keep what some records alone have when others are added', () => {
    const [all, columns] = [noColumns(), noColumns()];
    let live = noColumns();
    for (let step = 1; step <= 30_001; step += 1) {
      const values = { a: step, ...(step % 7 === 3 && { rare: step }) };
      addRecord(all, step, values);
      addRecord(live, step, values);
      // the first part is thinned before it is added
      if (step < 7003 || step % 5 !== 3) continue;
      addColumns(columns, live);
      live = noColumns();
    }
    addColumns(columns, live);
    expect([all.stride, columns]).toEqual([8, all]);
  });

  it('go on after columns that were thinned, with even gaps', () => {
    const told = noColumns();
    for (let step = 1; step <= 12_001; step += 1) addRecord(told, step, { a: step });
    const columns = noColumns();
    addColumns(columns, told);
    expect(columns).toEqual(told);
    for (let step = 12_002; step <= 60_000; step += 1) {
      const live = noColumns();
      addRecord(live, step, { a: step });
      addColumns(columns, live);
    }
    // as if all had come one by one
    expect([columns.count, columns.stride, columns.step]).toEqual([60_000, 16, every(16, 60_000)]);
    expect(told.step).toEqual(every(4, 12_001));
  });

  it('become as sparse as columns that are added, with even gaps', () => {
    const columns = noColumns();
    for (let step = 1; step <= 4000; step += 1) addRecord(columns, step, { a: step });
    const more = noColumns();
    for (let step = 4001; step <= 16_000; step += 1) addRecord(more, step, { a: step });
    addColumns(columns, more);
    expect([more.stride, columns.count, columns.stride]).toEqual([4, 16_000, 4]);
    expect(columns.step).toEqual(every(4, 16_000));
  });

  it('have gaps where a record lacks a column or it is not finite, and take any name', () => {
    const columns = noColumns();
    addRecord(columns, 1, { a: 1 });
    addRecord(columns, 2, JSON.parse('{"__proto__": 5, "a": null}'));
    addRecord(columns, 3, { a: Number.NaN });
    const more = noColumns();
    addColumns(more, columns);
    expect(Object.entries(more.m)).toEqual([
      ['a', [1, null, null]],
      ['__proto__', [null, 5, null]],
    ]);
  });
});
