/** TensorBoard's event files, read by a decoder that shares nothing with the writer. */
import { crcOf } from './crc.js';

const crc32c = crcOf(0x82f63b78);
/** Rotated right by 15 bits, plus a constant, without bit operations. */
const masked = (bytes: Uint8Array) => {
  const crc = crc32c(bytes);
  const high = (crc % 2 ** 15) * 2 ** 17;
  return (Math.floor(crc / 2 ** 15) + high + 0xa282ead8) % 2 ** 32;
};

/** The data of every record; throws where a checksum or a length is wrong. */
export function unframe(file: Uint8Array): Buffer[] {
  const records: Buffer[] = [];
  const bytes = Buffer.from(file);
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUInt32LE(at);
    if (bytes.readUInt32LE(at + 4) !== 0) throw new Error('longer than 4 GiB');
    const data = bytes.subarray(at + 12, at + 12 + length);
    if (bytes.readUInt32LE(at + 8) !== masked(bytes.subarray(at, at + 8)))
      throw new Error(`checksum of the length at ${at}`);
    if (bytes.readUInt32LE(at + 12 + length) !== masked(data))
      throw new Error(`checksum of the data at ${at}`);
    records.push(data);
    at += 16 + length;
  }
  return records;
}

/** A field of a message: its number, and a number, double, float or bytes as its wire type has it. */
type Field = [number: number, value: number | Buffer];

/** The fields of a message in the wire format of protocol buffers. */
export function fieldsOf(message: Buffer): Field[] {
  const fields: Field[] = [];
  let at = 0;
  const varint = () => {
    let [value, factor] = [0, 1];
    for (;;) {
      const byte = message.readUInt8(at);
      at += 1;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
      factor *= 128;
    }
  };
  while (at < message.length) {
    const key = varint();
    const [number, wire] = [Math.floor(key / 8), key % 8];
    if (wire === 0) fields.push([number, varint()]);
    else if (wire === 1) {
      fields.push([number, message.readDoubleLE(at)]);
      at += 8;
    } else if (wire === 5) {
      fields.push([number, message.readFloatLE(at)]);
      at += 4;
    } else if (wire === 2) {
      const length = varint();
      fields.push([number, message.subarray(at, at + length)]);
      at += length;
    } else throw new Error(`wire type ${wire}`);
  }
  return fields;
}

/** An event: wall time, step, and what it holds. */
export interface DecodedEvent {
  wallTime: number;
  step: number;
  fileVersion: string | undefined;
  scalars: Record<string, number>;
  /** Tags of values that are no scalars. */
  others: string[];
}

const first = (fields: readonly Field[], number: number) =>
  fields.find(([each]) => each === number)?.[1];

/** An `Event` of event.proto. */
export function decodeEvent(data: Buffer): DecodedEvent {
  const fields = fieldsOf(data);
  const summary = first(fields, 5);
  const values = summary === undefined ? [] : fieldsOf(summary as Buffer);
  const decoded: DecodedEvent = {
    wallTime: (first(fields, 1) as number | undefined) ?? 0,
    step: (first(fields, 2) as number | undefined) ?? 0,
    fileVersion: (first(fields, 3) as Buffer | undefined)?.toString(),
    scalars: {},
    others: [],
  };
  for (const [, value] of values) {
    const inner = fieldsOf(value as Buffer);
    const tag = String(first(inner, 1));
    const scalar = first(inner, 2);
    if (scalar === undefined) decoded.others.push(tag);
    else decoded.scalars[tag] = scalar as number;
  }
  return decoded;
}
