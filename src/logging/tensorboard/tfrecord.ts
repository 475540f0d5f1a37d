/**
 * TFRecord, the framing of an event file: length (u64), its masked CRC-32C (u32), the data, its masked CRC-32C (u32), all
 * little-endian. Source: tensorflow/tensorboard, tensorboard/data/server/tf_record.rs and masked_crc.rs.
 */
import { crc32c } from '@node-rs/crc32';

const HEAD = 12;
const FOOT = 4;

/** A checksum that is stored beside what it is of: rotated by 15 bits, plus a constant. */
function maskedChecksum(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** The data as one record. */
export function frameRecord(data: Uint8Array): Uint8Array {
  const record = Buffer.alloc(HEAD + data.length + FOOT);
  record.writeBigUInt64LE(BigInt(data.length));
  record.writeUInt32LE(maskedChecksum(record.subarray(0, 8)), 8);
  record.set(data, HEAD);
  record.writeUInt32LE(maskedChecksum(data), HEAD + data.length);
  return record;
}

/** The whole records of a file, and where they end: what lies behind is torn or damaged. */
export interface Records {
  readonly records: readonly Uint8Array[];
  /** Bytes that belong to whole records; the file's size if all do. */
  readonly end: number;
}

/** Reads records up to the first that is torn or damaged. A length that lies reads nothing. */
export function readRecords(file: Uint8Array): Records {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.length);
  const records: Uint8Array[] = [];
  let end = 0;
  for (;;) {
    const data = dataAt(bytes, end);
    if (data === undefined) return { records, end };
    records.push(data);
    end += HEAD + data.length + FOOT;
  }
}

/** The data of the record that begins here; undefined if no whole one does. */
function dataAt(bytes: Buffer, start: number): Uint8Array | undefined {
  if (bytes.length - start < HEAD + FOOT) return undefined;
  const length = bytes.readBigUInt64LE(start);
  const room = BigInt(bytes.length - start - HEAD - FOOT);
  // compared before it is used: nothing is allocated for a length that the file does not have
  if (length > room) return undefined;
  if (maskedChecksum(bytes.subarray(start, start + 8)) !== bytes.readUInt32LE(start + 8))
    return undefined;
  const end = start + HEAD + Number(length);
  const data = bytes.subarray(start + HEAD, end);
  return maskedChecksum(data) === bytes.readUInt32LE(end) ? data : undefined;
}
