/** A trained policy by its run. */
import { ensureNative } from '../native/addon.js';
import { Policy } from '../native/policy.js';
import { requireRun } from './find-run.js';
import { findToldPolicy } from './told-policy.js';

/**
 * The policy of a run's checkpoint: deterministic, actions in environment units.
 *
 * @param runDir The run's folder.
 * @param options `step`: a checkpoint's step, or `best`; the newest by default. `setup`: sets the native part up first where
 *   it is missing, as the verb does.
 * Where the newest checkpoint is damaged, it is that of the newest whole one, with the process warning `CHECKPOINT_FALLBACK`.
 *
 * @throws VirelError `RUN_NOT_FOUND`, `CHECKPOINT_NONE`, `CHECKPOINT_CORRUPT`, `CHECKPOINT_FORMAT`, `PARAMETER_SHAPE`,
 *   `NATIVE_*`.
 */
export async function loadPolicy(
  runDir: string,
  options: { step?: number | 'latest' | 'best'; setup?: boolean } = {},
): Promise<Policy> {
  requireRun(runDir);
  if (options.setup) await ensureNative();
  const { file, config, passedOver: _, ...source } = await findToldPolicy(runDir, options.step);
  return Policy.load(file, config.env, source);
}
