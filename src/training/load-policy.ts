/** A trained policy by its run. */
import { Policy } from '../native/policy.js';
import { findPolicy } from './checkpoint.js';
import { requireRun } from './find-run.js';

/**
 * The policy of a run's checkpoint: deterministic, actions in environment units.
 *
 * @param runDir The run's folder.
 * @param options `step`: a checkpoint's step, or `best`; the newest by default.
 * @throws VirelError `RUN_NOT_FOUND`, `CHECKPOINT_NONE`, `CHECKPOINT_CORRUPT`, `PARAMETER_SHAPE`, `NATIVE_*`.
 */
export async function loadPolicy(
  runDir: string,
  options: { step?: number | 'latest' | 'best' } = {},
): Promise<Policy> {
  requireRun(runDir);
  const { file, config, ...source } = findPolicy(runDir, options.step);
  return Policy.load(file, config.env, source);
}
