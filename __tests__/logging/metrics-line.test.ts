import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  type MetricsRecord,
  metricsLine,
  readMetrics,
  readMetricsLine,
} from '../../src/logging/metrics-line.js';
import { crcOf } from '../support/crc.js';

/** Polynomial of CRC-32, bits reversed (IEEE 802.3). */
const zlibCrc = crcOf(0xedb88320);

const number = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);
const record: fc.Arbitrary<MetricsRecord> = fc.record({
  step: fc.nat(),
  updates: fc.nat(),
  wall: number,
  m: fc.dictionary(fc.string({ unit: 'grapheme' }), number, { noNullPrototype: true }),
});
/** What JSON keeps: a zero without its sign, own keys. */
const asJson = (value: unknown) => JSON.parse(JSON.stringify(value));
const text = (records: readonly MetricsRecord[]) =>
  records.map((each) => `${metricsLine(each)}\n`).join('');

describe('a line of metrics.jsonl', () => {
  it('is the JSON of the record with the CRC-32 of the JSON without it', () => {
    const line = metricsLine({ step: 1, updates: 2, wall: 0.5, m: { 'time/fps': 3 } });
    const body = '{"v":1,"step":1,"updates":2,"wall":0.5,"m":{"time/fps":3}}';
    const crc = zlibCrc(Buffer.from(body)).toString(16).padStart(8, '0');
    expect(line).toBe(`${body.slice(0, -1)},"crc":"${crc}"}`);
  });

  it('comes back as it was written', () => {
    fc.assert(
      fc.property(record, (given) => {
        expect(readMetricsLine(metricsLine(given))).toEqual(asJson(given));
      }),
    );
  });

  it('is refused with any one character changed', () => {
    fc.assert(
      fc.property(record, fc.nat(), fc.string({ minLength: 1, maxLength: 1 }), (given, at, by) => {
        const line = metricsLine(given);
        const index = at % line.length;
        fc.pre(line[index] !== by);
        const changed = line.slice(0, index) + by + line.slice(index + 1);
        expect(readMetricsLine(changed)).toBeUndefined();
      }),
    );
  });

  it.each(['', '{}', 'null', '{"v":1}', '{"v":1,"crc":"00000000"}', `${'['.repeat(1e5)}`])(
    'is refused where it is %.20s',
    (line) => expect(readMetricsLine(line)).toBeUndefined(),
  );

  it('is refused in another version, checksum or not', () => {
    const body = '{"v":2,"step":1}';
    const crc = zlibCrc(Buffer.from(body)).toString(16).padStart(8, '0');
    expect(readMetricsLine(`${body.slice(0, -1)},"crc":"${crc}"}`)).toBeUndefined();
  });
});

describe('metrics.jsonl', () => {
  it('gives every whole line after any cut, and names the torn one', () => {
    fc.assert(
      fc.property(fc.array(record, { maxLength: 5 }), fc.nat(), (given, at) => {
        const whole = text(given);
        const cut = whole.slice(0, at % (whole.length + 1));
        const { records, damaged } = readMetrics(cut);
        // a line may lack its end and be whole
        const lines = cut.split('\n');
        const last = given[lines.length - 1];
        const lastIsWhole = last !== undefined && lines.at(-1) === metricsLine(last);
        const count = lines.length - 1 + (lastIsWhole ? 1 : 0);
        expect(records).toEqual(asJson(given.slice(0, count)));
        const torn = lines.at(-1) !== '' && !lastIsWhole;
        expect(damaged).toEqual(torn ? [lines.length] : []);
      }),
    );
  });

  it('gives the lines around a damaged one', () => {
    const of = (step: number) => ({ step, updates: 0, wall: 0, m: {} });
    const damaged = text([of(1), of(2), of(3)]).replace('"step":2', '"step":9');
    expect(readMetrics(damaged)).toEqual({ records: [of(1), of(3)], damaged: [2] });
  });
});
