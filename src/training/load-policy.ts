/** A trained policy by its run. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { VirelError } from '../errors.js';
import { Policy } from '../native/policy.js';
import { findPolicy } from './checkpoint.js';

/**
 * The policy of a run's checkpoint: deterministic, actions in environment units.
 *
 * @param runDir The run's folder.
 * @param options `step`: a checkpoint's step; the newest by default.
 * @throws VirelError `RUN_NOT_FOUND`, `CHECKPOINT_NONE`, `CHECKPOINT_CORRUPT`, `PARAMETER_SHAPE`, `NATIVE_*`.
 */
export async function loadPolicy(
  runDir: string,
  options: { step?: number | 'latest' } = {},
): Promise<Policy> {
  if (!existsSync(join(runDir, 'run.json'))) {
    throw new VirelError('RUN_NOT_FOUND', `${runDir} holds no run`, {
      where: runDir,
      expected: 'a folder with run.json, such as the summary names in runDir',
      fix: 'npx virel-native train',
    });
  }
  const { file, config, ...source } = findPolicy(runDir, options.step);
  return Policy.load(file, config.env, source);
}
