/** Hands every event to every sink, each of which has a file. A file that fails neither stops nor slows training. */
import { openSync } from 'node:fs';
import { join } from 'node:path';
import type { TrainEvent } from './events.js';
import { PatientWriter } from './patient-writer.js';
import { RecordFile } from './record-file.js';

/** A file of a run that grows: pure data, the logger writes it. */
export interface Sink {
  /** The file's name. */
  readonly name: string;
  /** What the file begins with. */
  readonly head: string | Uint8Array;
  /** The record that an event adds; undefined where it adds none. */
  encode(event: TrainEvent): string | Uint8Array | undefined;
}

/** What a logger works with. */
export interface LoggerControl {
  /** Bytes that files hold already, by name; those of a run that is taken up. */
  readonly sizes?: Readonly<Record<string, number>>;
  /** Milliseconds, from any origin. */
  clock(): number;
  /** Told of the first failure of a file; it waits in memory and is tried again. */
  failed(name: string, error: unknown): void;
  /** Told how many records a file lacks at the end. */
  lost(name: string, records: number): void;
}

interface OpenSink {
  readonly sink: Sink;
  readonly writer: PatientWriter;
  readonly failed: (error: unknown) => void;
}

const bytes = (record: string | Uint8Array) =>
  typeof record === 'string' ? Buffer.from(record) : record;

/** The growing files of one run folder; the only writer of each. No method throws. */
export class Logger {
  readonly #sinks: readonly OpenSink[];
  readonly #control: LoggerControl;

  constructor(sinks: readonly Sink[], directory: string, control: LoggerControl) {
    this.#control = control;
    this.#sinks = sinks.map((sink) => {
      const failed = (error: unknown) => control.failed(sink.name, error);
      const size = control.sizes?.[sink.name] ?? 0;
      const open = () => openSync(join(directory, sink.name), size === 0 ? 'wx' : 'r+');
      const file = new RecordFile(open, bytes(sink.head), size);
      const writer = new PatientWriter(file, { clock: () => control.clock(), failed });
      return { sink, writer, failed };
    });
  }

  /** Makes every file. */
  open(): void {
    for (const { writer } of this.#sinks) writer.write(new Uint8Array());
  }

  write(event: TrainEvent): void {
    for (const each of this.#sinks) {
      const record = encode(each, event);
      if (record !== undefined) each.writer.write(bytes(record));
    }
  }

  /** Bytes of each file, by name; all of them are on the disk. */
  sizes(): Record<string, number> {
    return Object.fromEntries(
      this.#sinks.map(({ sink, writer }) => [sink.name, writer.settledSize()]),
    );
  }

  /** Tries what waits once more, and reports what stays lost. Events may still follow. */
  settle(): void {
    for (const { sink, writer } of this.#sinks) {
      const records = writer.settle();
      if (records > 0) this.#control.lost(sink.name, records);
    }
  }

  close(): void {
    for (const { writer } of this.#sinks) writer.close();
  }
}

/** A record that cannot be made is a defect of ours, which the run survives. */
function encode({ sink, failed }: OpenSink, event: TrainEvent): string | Uint8Array | undefined {
  try {
    return sink.encode(event);
  } catch (error) {
    failed(error);
    return undefined;
  }
}
