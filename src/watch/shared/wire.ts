/** What the page is told, as JSON: by the server, or by a site without one. */
import type { Columns } from './columns.js';

/** How a run stands; `lost`: it says that it runs, and gave no sign of life for minutes. */
export type RunState =
  | 'starting'
  | 'running'
  | 'stopping'
  | 'saved'
  | 'stopped'
  | 'finished'
  | 'diverged'
  | 'failed'
  | 'lost'
  | 'unknown';

/** A run in the list. */
export interface RunEntry {
  /** Of the page's own making, never a path. */
  readonly id: string;
  /** Its folder below the folder of all runs. */
  readonly name: string;
  readonly env: string;
  readonly algorithm: string;
  readonly seed: number | null;
  /** UTC, ISO 8601. */
  readonly created: string;
  readonly state: RunState;
  readonly step: number | null;
  /** Mean return in the last tenth of its steps, once it ended. */
  readonly score: number | null;
}

/** A part of the list. */
export interface RunList {
  readonly runs: readonly RunEntry[];
  /** How many fit the words searched for. */
  readonly total: number;
  /** Whether folders are still being read. */
  readonly searching: boolean;
}

/** A recorded episode of a run. */
export interface RecordingEntry {
  readonly id: string;
  readonly step: number;
  readonly seed: number;
  /** Steps that the file holds whole. */
  readonly steps: number;
  readonly return: number;
  /** Whether less of it is there than was recorded. */
  readonly cut: boolean;
}

/** A key of the config, its value as text, and what decided it. */
export type ConfigRow = readonly [key: string, value: string, origin: string];

/** What never changes about a run. */
export interface RunFacts {
  readonly entry: RunEntry;
  /** Steps it is trained for; null where its config cannot be read. */
  readonly steps: number | null;
  readonly config: readonly ConfigRow[];
  readonly versions: readonly (readonly [name: string, version: string])[];
  /** What of its folder could not be read, one sentence each. */
  readonly problems: readonly string[];
}

/** What came since the last update; the first brings all there is. */
export interface RunUpdate {
  /** What was sent before no longer holds: the files were put back to an earlier step. */
  readonly reset?: boolean;
  readonly metrics?: Columns;
  /** Columns `mean`, `std`, `min`, `max`, `length` of the evaluations. */
  readonly evaluations?: Columns;
  /** Lines that are damaged and were left out. */
  readonly damaged?: number;
  readonly entry?: RunEntry;
  readonly recordings?: readonly RecordingEntry[];
  /** Why there is no newer recording, in a sentence. */
  readonly note?: string;
}

/** A file that a model needs beside itself. */
export interface ModelAsset {
  /** What the model calls it. */
  readonly name: string;
  /** What it can be asked for by. */
  readonly file: string;
}

/** All that a site without a server shows, beside the model and the recordings. */
export interface Snapshot {
  readonly facts: RunFacts;
  readonly update: RunUpdate;
  readonly assets: readonly ModelAsset[];
  /** When it was written. */
  readonly taken: string;
}
