/** A policy of a run for a program: where a damaged checkpoint was passed over, a warning of the process says so. */
import { findPolicy, type SavedPolicy } from './checkpoint.js';

/**
 * As `findPolicy`; every newer checkpoint that it passed over is the process warning `CHECKPOINT_FALLBACK`.
 *
 * @throws VirelError as `findPolicy`.
 */
export async function findToldPolicy(
  runDir: string,
  step?: number | 'latest' | 'best',
): Promise<SavedPolicy> {
  const policy = await findPolicy(runDir, step);
  for (const reason of policy.passedOver)
    process.emitWarning(reason, { type: 'VirelWarning', code: 'CHECKPOINT_FALLBACK' });
  return policy;
}
