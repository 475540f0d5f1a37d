/** A folder that model hubs take unchanged: parameters, ONNX graph, configs, results and a card. Nothing is uploaded. */
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { VirelError } from '../errors.js';
import type { EvaluationRecord } from '../logging/sinks/csv.js';
import { renderPng } from '../plots/png.js';
import { plotRuns } from '../plots/runs.js';
import { pretty, readRunFile } from '../training/files.js';
import type { Run } from '../training/load-run.js';
import { readContent, singleFile } from '../watch/static-site.js';
import { type Card, modelCard } from './model-card.js';
import { onnxModel } from './onnx.js';
import { allSeeds } from './siblings.js';
import type { Source } from './source.js';

const CURVE = 'curve.png';

/** Files of this format, in their order. */
export const HUB_FILES = [
  'README.md',
  'config.json',
  'results.json',
  'model.safetensors',
  'policy.onnx',
  'train_config.json',
  CURVE,
  'replay.qrec',
  'index.html',
] as const;

/** Files of the checkpoint that go along as they are. */
const COPIED = ['config.json', 'model.safetensors', 'train_config.json'];

/** Layers of a config that are nobody's choice. */
const GIVEN = /^(default|preset)\b/;
/** Keys that say where and how long, not what was trained; files have places on the disk of the author alone. */
const CIRCUMSTANCES =
  /^(algorithm|seed|steps|env\.(id|modelDir|modelFile|taskFile|module)|runtime|logging|checkpoint)(\.|$)/;

/** Keys that a person chose, with their values. */
function chosenKeys({ dir, config }: Run): Card['chosen'] {
  const origin = readRunFile(join(dir, 'config.origin.json'), z.record(z.string(), z.string()));
  const valueAt = (path: string) =>
    path
      .split('.')
      .reduce<unknown>((part, key) => (part as Record<string, unknown> | undefined)?.[key], config);
  return Object.entries(origin)
    .filter(([key, from]) => !GIVEN.test(from) && !CIRCUMSTANCES.test(key))
    .map(([key, from]) => ({ key, value: valueAt(key), origin: layerName(from) }));
}

/** `file /home/me/a.yaml` without the place on its author's disk. */
const layerName = (origin: string) => origin.replace(/^file .*$/s, 'a config file');

/** `results.json`, with the keys of Stable-Baselines3's hub folders; null where the step was not evaluated. */
function resultsOf(card: Card): object {
  const { source, evaluation, seeds } = card;
  return {
    env_id: source.config.env,
    algorithm: source.config.algorithm,
    step: source.config.step,
    mean_reward: evaluation?.returnMean ?? null,
    std_reward: evaluation?.returnStd ?? null,
    is_deterministic: true,
    n_eval_episodes: evaluation?.episodes ?? null,
    seed: source.run.config.seed,
    seeds: seeds.map(({ config, summary }) => ({
      seed: config.seed,
      steps: summary?.steps ?? null,
      final_score: summary?.finalScore ?? null,
      state: summary?.state ?? null,
    })),
    evaluations: source.run.evaluations(),
  };
}

const isAt =
  (step: number) =>
  (record: EvaluationRecord): boolean =>
    record.step === step;

/** Learning curves of all seeds as PNG; undefined where nothing was evaluated. */
async function curveOf(seeds: readonly Run[]): Promise<Buffer | undefined> {
  const drawn = seeds.filter((run) => run.evaluations().length > 0);
  if (drawn.length === 0) return undefined;
  const { svg } = await plotRuns(drawn, { showSeeds: drawn.length > 1 });
  return renderPng(svg);
}

/** A recorded episode of the exported step. */
interface Replay {
  readonly recording: Buffer;
  /** The page that shows it, in one file. */
  readonly page: string;
}

/** The newest recording of a step with its page; undefined where none was made, or the page is not built. */
async function replayOf({ dir }: Run, step: number): Promise<Replay | undefined> {
  const content = await readContent(dir, (entry) => entry.step === step && !entry.cut);
  const recording = [...content.recordings.values()].at(0);
  if (recording === undefined) return undefined;
  try {
    return { recording, page: singleFile(content) };
  } catch (error) {
    if ((error as VirelError).code === 'PAGE_MISSING') return undefined;
    throw error;
  }
}

/**
 * Writes the folder's files.
 *
 * @throws VirelError `EXPORT_UNSUPPORTED` for an environment in TypeScript, which nobody else has; `RUN_CORRUPT`,
 *   `PLATFORM_UNSUPPORTED` where no PNG can be made, `PERMISSION`, `IO`.
 */
export async function writeHub(source: Source, folder: string): Promise<void> {
  const { run, model, config } = source;
  if (config.simulator === 'typescript') {
    throw new VirelError(
      'EXPORT_UNSUPPORTED',
      `hub: the environment ${config.env} is your own, in TypeScript: nobody who finds the card could run or repeat it`,
      {
        where: run.dir,
        expected: 'a run on one of our tasks',
        got: `a run on ${config.env}`,
        fix: '--format onnx, typescript or safetensors take its policy along',
      },
    );
  }
  const seeds = allSeeds(run);
  const picture = await curveOf(seeds);
  const evaluation = run.evaluations().findLast(isAt(config.step));
  const curve = picture && CURVE;
  const replay = await replayOf(run, config.step);
  const isShown = replay !== undefined;
  const card = { source, evaluation, seeds, chosen: chosenKeys(run), curve, isShown };
  for (const name of COPIED) copyFileSync(join(model, name), join(folder, name));
  writeFileSync(join(folder, 'policy.onnx'), onnxModel(source));
  writeFileSync(join(folder, 'results.json'), pretty(resultsOf(card)));
  writeFileSync(join(folder, 'README.md'), modelCard(card));
  if (picture !== undefined) writeFileSync(join(folder, CURVE), picture);
  if (replay === undefined) return;
  writeFileSync(join(folder, 'replay.qrec'), replay.recording);
  writeFileSync(join(folder, 'index.html'), replay.page);
}
