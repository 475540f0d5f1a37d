/** The native learner as the loop uses it. Nothing native is loaded before the first call. */
import type { ResolvedConfig } from '../config/schema.js';
import { nativeFacts as facts, type NativeFacts } from '../native/facts.js';
import type { TrainingSession } from './session.js';

/** The native session of a config. */
export async function createNativeSession(config: ResolvedConfig): Promise<TrainingSession> {
  const { Session } = await import('../native/session.js');
  return Session.create(config);
}

/** What the manifest says of the native part. */
export function nativeFacts(config: ResolvedConfig): NativeFacts {
  return facts(config.env.modelDir);
}
