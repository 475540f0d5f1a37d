/** A run's files as they were at a checkpoint: what came later is removed or cut off. */
import { existsSync, readdirSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs';
import { basename, join } from 'node:path';
import { damaged } from '../logging/read-lines.js';
import {
  discard,
  listCheckpoints,
  namedStep,
  parameterFile,
  STEP_NAME,
  stepName,
} from './checkpoint.js';
import { writeWhole } from './files.js';
import type { LoopState } from './loop-state.js';

/** Files that hold what a run did, step by step; its log tells what happened, a stop and a new beginning included. */
const OF_STEPS = /^(metrics\.jsonl|eval\.csv|episodes\.csv|events\.out\.tfevents\..*)$/;

/** Refuses a run where something else lies in the place of a file that would be cut or replaced. @throws VirelError `RUN_CORRUPT`. */
export function requirePlainFiles(runDir: string): void {
  const isWritten = (name: string) => OF_STEPS.test(name) || /^[a-z.]+\.(jsonl?|yaml)$/.test(name);
  for (const name of readdirSync(runDir).filter(isWritten)) {
    const path = join(runDir, name);
    if (!statSync(path).isFile()) throw damaged(path, 'no plain file');
  }
}

/** Removes what belongs to later steps than a checkpoint's; the sizes of the growing files that stay. */
export async function putBack(runDir: string, state: LoopState): Promise<Record<string, number>> {
  const folder = join(runDir, 'checkpoints');
  const name = stepName(state.step);
  for (const entry of readdirSync(folder)) {
    const isLeft = entry.startsWith('.trash-') || entry.includes('.tmp-');
    if (isLeft) rmSync(join(folder, entry), { recursive: true, force: true });
    else if (STEP_NAME.test(entry) && Number(entry) > state.step) discard(folder, entry);
  }
  writeWhole(join(folder, 'latest'), `${name}\n`);
  putBackBest(runDir, state);
  rmSync(join(runDir, 'summary.json'), { force: true });
  const sizes: Record<string, number> = {};
  for (const entry of readdirSync(runDir)) {
    const size = await cut(join(runDir, entry), entry, state.files[entry]);
    if (size !== undefined) sizes[entry] = size;
  }
  return sizes;
}

/** Bytes of a growing file that stay; undefined of any other file, and of one that is gone. */
async function cut(
  path: string,
  name: string,
  recorded: number | undefined,
): Promise<number | undefined> {
  const isLog = name === 'log.jsonl';
  if (!isLog && !OF_STEPS.test(name)) return undefined;
  const bytes = statSync(path).size;
  // what a loss of power took is lost; a log is kept whole
  const whole = isLog ? bytes : Math.min(bytes, recorded ?? 0);
  const size = whole === recorded ? whole : await wholeRecords(path, whole);
  if (size === 0) rmSync(path);
  else if (size < bytes) truncateSync(path, size);
  return size;
}

/** Bytes of the whole records, lines or TensorBoard's, among the first `size`. */
async function wholeRecords(path: string, size: number): Promise<number> {
  const bytes = readFileSync(path).subarray(0, size);
  if (!basename(path).startsWith('events.')) return bytes.lastIndexOf('\n') + 1;
  const { readRecords } = await import('../logging/tensorboard/tfrecord.js');
  return readRecords(bytes).end;
}

/** `best` names the best evaluation of these steps whose checkpoint is there. */
function putBackBest(runDir: string, { evaluations }: LoopState): void {
  const named = namedStep(runDir, 'best');
  const path = join(runDir, 'checkpoints', 'best');
  if (named === undefined || existsSync(parameterFile(runDir, named))) return;
  const present = new Set(listCheckpoints(runDir));
  const best = evaluations
    .filter(({ step }) => present.has(stepName(step)))
    .sort((a, b) => b.returnMean - a.returnMean)[0];
  if (best === undefined) rmSync(path, { force: true });
  else writeWhole(path, `${stepName(best.step)}\n`);
}
