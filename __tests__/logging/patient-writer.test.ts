import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  MOST_WAITING,
  PatientWriter,
  RETRY_MILLISECONDS,
} from '../../src/logging/patient-writer.js';

/** A file that may refuse, a clock that is set, and the writer of both. */
function setup() {
  const state = { refuses: false, now: 0, tries: 0, failures: 0, written: [] as number[] };
  const file = {
    append: (record: Uint8Array) => {
      state.tries += 1;
      if (state.refuses) throw new Error('full');
      state.written.push(record[0] as number);
    },
    close: () => {},
    sync: () => {},
    get size() {
      return state.written.length;
    },
  };
  const writer = new PatientWriter(file, {
    clock: () => state.now,
    failed: () => {
      state.failures += 1;
    },
  });
  return { state, writer, write: (value: number) => writer.write(Uint8Array.of(value)) };
}

describe('a writer of a file that refuses', () => {
  it('says so once, keeps what comes, and tries again after 30 s', () => {
    const { state, write } = setup();
    state.refuses = true;
    for (const value of [1, 2, 3]) write(value);
    expect(state).toMatchObject({ failures: 1, tries: 1, written: [] });
    state.refuses = false;
    state.now = RETRY_MILLISECONDS - 1;
    write(4);
    expect(state.written).toEqual([]);
    state.now = RETRY_MILLISECONDS;
    write(5);
    expect(state.written).toEqual([1, 2, 3, 4, 5]);
    write(6);
    expect(state).toMatchObject({ failures: 1, written: [1, 2, 3, 4, 5, 6] });
  });

  it('waits another 30 s after each try', () => {
    const { state, write } = setup();
    state.refuses = true;
    for (state.now = 0; state.now <= 10 * RETRY_MILLISECONDS; state.now += 1000) write(0);
    expect(state).toMatchObject({ failures: 1, tries: 11 });
  });

  it('writes what waits when it is settled, and counts what is lost then, once', () => {
    const { state, writer, write } = setup();
    state.refuses = true;
    for (const value of [1, 2]) write(value);
    state.refuses = false;
    expect(writer.settle()).toBe(0);
    expect(state.written).toEqual([1, 2]);
    state.refuses = true;
    write(3);
    expect([writer.settle(), writer.settle()]).toEqual([1, 0]);
  });

  it('loses the oldest beyond what it keeps, and counts them', () => {
    const { state, writer, write } = setup();
    state.refuses = true;
    for (let index = 0; index < MOST_WAITING + 5; index += 1) write(index);
    state.refuses = false;
    expect(writer.settle()).toBe(5);
    expect(state.written).toHaveLength(MOST_WAITING);
    expect(state.written[0]).toBe(5);
  });

  it('writes everything once and in order, however often the file refuses', () => {
    const steps = fc.array(fc.record({ refuses: fc.boolean(), wait: fc.nat(60_000) }));
    fc.assert(
      fc.property(steps, (given) => {
        const { state, writer, write } = setup();
        for (const [index, { refuses, wait }] of given.entries()) {
          state.refuses = refuses;
          state.now += wait;
          write(index);
        }
        state.refuses = false;
        expect(writer.settle()).toBe(0);
        expect(state.written).toEqual(given.map((_, index) => index % 256));
        expect(state.failures).toBeLessThanOrEqual(1);
      }),
    );
  });
});
