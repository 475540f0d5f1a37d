/** A run's numbers as Parquet: metrics, evaluations, and the replay buffer as episodes in the shape of Minari. */
import { dirname, join } from 'node:path';
import {
  type ColumnSource,
  fileWriter,
  ParquetWriter,
  parquetWriteFile,
  type SchemaElement,
} from 'hyparquet-writer';
import type { MetricsRecord } from '../logging/metrics-line.js';
import type { EvaluationRecord } from '../logging/sinks/csv.js';
import type { PolicyConfig } from '../training/checkpoint.js';
import {
  REPLAY_FOLDER,
  readCheckpointManifest,
  verifyCheckpoint,
} from '../training/checkpoint-manifest.js';
import { packageVersion } from '../training/manifest.js';
import { type Episode, Episodes, rowWidth } from './episodes.js';
import { corrupt, readTensors } from './safetensors-file.js';
import { factsOf, type Source } from './source.js';

/** Files of this format, in their order. */
export const PARQUET_FILES = ['metrics.parquet', 'evaluations.parquet', 'replay.parquet'] as const;

/** Numbers of a row group, which is held as lists while it is encoded. */
const GROUP_VALUES = 1_000_000;

const createdBy = () => `virel-native ${packageVersion()}`;
const metadataOf = (source: Source) =>
  Object.entries(factsOf(source)).map(([key, value]) => ({ key, value }));

/** A column for every metric; null at a step that did not measure it. */
function metricColumns(records: readonly MetricsRecord[]): ColumnSource[] {
  const names = [...new Set(records.flatMap(({ m }) => Object.keys(m)))];
  const count = (name: 'step' | 'updates'): ColumnSource => ({
    name,
    type: 'INT64',
    nullable: false,
    data: records.map((record) => BigInt(record[name])),
  });
  return [
    count('step'),
    count('updates'),
    { name: 'wall', type: 'DOUBLE', nullable: false, data: records.map(({ wall }) => wall) },
    ...names.map((name): ColumnSource => {
      const data = records.map(({ m }) => m[name] ?? null);
      return { name, type: 'DOUBLE', data };
    }),
  ];
}

/** The columns of `eval.csv` by their names there. */
function evaluationColumns(records: readonly EvaluationRecord[]): ColumnSource[] {
  const whole = (name: string, of: (record: EvaluationRecord) => number): ColumnSource => ({
    name,
    type: 'INT64',
    nullable: false,
    data: records.map((record) => BigInt(of(record))),
  });
  const real = (name: string, of: (record: EvaluationRecord) => number): ColumnSource => ({
    name,
    type: 'DOUBLE',
    nullable: false,
    data: records.map(of),
  });
  return [
    whole('step', ({ step }) => step),
    whole('episodes', ({ episodes }) => episodes),
    real('return_mean', ({ returnMean }) => returnMean),
    real('return_std', ({ returnStd }) => returnStd),
    real('return_min', ({ returnMin }) => returnMin),
    real('return_max', ({ returnMax }) => returnMax),
    real('length_mean', ({ lengthMean }) => lengthMean),
    real('wall', ({ wall }) => wall),
  ];
}

/** A list of float32 in each row. */
const floatList = (name: string): SchemaElement[] => [
  { name, repetition_type: 'REQUIRED', converted_type: 'LIST', num_children: 1 },
  { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
  { name: 'element', type: 'FLOAT', repetition_type: 'REQUIRED' },
];

/** Minari's columns; an episode of T steps has T + 1 rows. */
const EPISODE_SCHEMA: SchemaElement[] = [
  { name: 'root', num_children: 6 },
  { name: 'episode_id', type: 'INT32', repetition_type: 'REQUIRED' },
  ...floatList('observations'),
  ...floatList('actions'),
  { name: 'rewards', type: 'DOUBLE', repetition_type: 'REQUIRED' },
  { name: 'terminations', type: 'BOOLEAN', repetition_type: 'REQUIRED' },
  { name: 'truncations', type: 'BOOLEAN', repetition_type: 'REQUIRED' },
];

/** What turns rows of the buffer into the environment's own units. */
interface Units {
  readonly config: PolicyConfig;
  readonly rewardScale: number;
}

/** a in [−1, 1] to the environment's units, as the learner's actions went there. */
function rawAction(action: Float32Array, { actionLow, actionHigh }: PolicyConfig): Float32Array {
  return action.map((value, i) => {
    const [low, high] = [actionLow[i] as number, actionHigh[i] as number];
    return Math.min(Math.max(low + 0.5 * (value + 1) * (high - low), low), high);
  });
}

/** Real numbers seldom come twice: a dictionary of them is dropped again, after half of the time that an export takes. */
const NO_DICTIONARY = { encoding: 'PLAIN' } as const;

/** Rows of some episodes, numbered from `first`; the last of each holds the final observation, and zeros. */
function episodeColumns(episodes: readonly Episode[], first: number, units: Units): ColumnSource[] {
  const { config, rewardScale } = units;
  const nothing = new Float32Array(config.actionSize);
  const flags = (end: Episode['end']) =>
    episodes.flatMap(({ rewards, end: how }) => [
      ...rewards.map((_, step) => how === end && step === rewards.length - 1),
      false,
    ]);
  return [
    {
      name: 'episode_id',
      data: episodes.flatMap(({ rewards }, index) =>
        Array<number>(rewards.length + 1).fill(first + index),
      ),
    },
    {
      name: 'observations',
      ...NO_DICTIONARY,
      data: episodes.flatMap(({ observations, final }) =>
        [...observations, final].map((values) => [...values]),
      ),
    },
    {
      name: 'actions',
      ...NO_DICTIONARY,
      data: episodes.flatMap(({ actions }) =>
        [...actions.map((action) => rawAction(action, config)), nothing].map((each) => [...each]),
      ),
    },
    {
      name: 'rewards',
      data: episodes.flatMap(({ rewards }) => [...rewards.map((r) => r / rewardScale), 0]),
    },
    { name: 'terminations', data: flags('terminated') },
    { name: 'truncations', data: flags('truncated') },
  ];
}

/** The rows of a checkpoint's replay buffer, a file at a time. @throws VirelError `CHECKPOINT_CORRUPT`, `IO`. */
function* bufferRows(source: Source, files: readonly string[]): Generator<Float32Array> {
  const { observationSize: observation, actionSize: action } = source.config;
  const width = rowWidth({ observation, action });
  for (const name of files) {
    const path = join(source.run.dir, REPLAY_FOLDER, name);
    const rows = readTensors(path).tensors.get('rows');
    if (rows?.shape.length !== 2 || rows.shape[1] !== width) {
      throw corrupt(path, `expected rows of ${width} values`);
    }
    for (let at = 0; at < rows.data.length; at += width) yield rows.data.subarray(at, at + width);
  }
}

/** Writes episodes as they end; memory holds a group of rows and the episodes that are open. */
async function writeReplay(source: Source, path: string, files: readonly string[]): Promise<void> {
  const { config, run } = source;
  const units = { config, rewardScale: run.config.rewardScale ?? 1 };
  const environments = run.config.collect?.environments ?? 1;
  const sizes = { observation: config.observationSize, action: config.actionSize };
  const most = GROUP_VALUES / (sizes.observation + sizes.action);
  const episodes = new Episodes(sizes, environments);
  const writer = new ParquetWriter({
    writer: fileWriter(path),
    schema: EPISODE_SCHEMA,
    kvMetadata: metadataOf(source),
    createdBy: createdBy(),
  });
  let [written, rows]: [number, number] = [0, 0];
  let waiting: Episode[] = [];
  const flush = async () => {
    if (rows > 0) {
      const columnData = episodeColumns(waiting, written, units);
      await writer.write({ columnData, rowGroupSize: rows });
    }
    written += waiting.length;
    [waiting, rows] = [[], 0];
  };
  const take = async (ended: readonly Episode[]) => {
    for (const episode of ended) {
      waiting.push(episode);
      rows += episode.rewards.length + 1;
      if (rows >= most) await flush();
    }
  };
  for (const row of bufferRows(source, files)) await take(episodes.add(row));
  await take(episodes.rest());
  await flush();
  await writer.finish();
}

/**
 * Writes the files into a folder; `replay.parquet` only where the checkpoint keeps its replay buffer.
 *
 * @throws VirelError `RUN_CORRUPT`, `CHECKPOINT_CORRUPT`, `PERMISSION`, `IO`.
 */
export async function writeParquet(source: Source, folder: string): Promise<void> {
  const [metrics, evaluations, replay] = PARQUET_FILES.map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const about = { kvMetadata: metadataOf(source), createdBy: createdBy() };
  const measured = metricColumns(source.run.metrics());
  parquetWriteFile({ filename: metrics, columnData: measured, ...about });
  const evaluated = evaluationColumns(source.run.evaluations());
  parquetWriteFile({ filename: evaluations, columnData: evaluated, ...about });
  const checkpoint = dirname(source.model);
  const read = readCheckpointManifest(checkpoint);
  const kept = 'manifest' in read ? read.manifest.replay : undefined;
  const files = kept?.map(({ file }) => file) ?? [];
  if (files.length === 0) return;
  const verified = await verifyCheckpoint(source.run.dir, checkpoint);
  if ('reason' in verified) throw corrupt(checkpoint, verified.reason);
  await writeReplay(source, replay, files);
}
