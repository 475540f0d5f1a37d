/** The native learner as the loop uses it. Nothing native is loaded before the first call. */
import type { ResolvedConfig } from '../config/schema.js';
import type { CustomEnvironment } from '../environments/define.js';
import { nativeFacts as facts, type NativeFacts } from '../native/facts.js';
import type { TrainingSession } from './session.js';

/** The native session of a config. */
export async function createNativeSession(
  config: ResolvedConfig,
  environment: CustomEnvironment | undefined,
): Promise<TrainingSession> {
  const { Session } = await import('../native/session.js');
  return Session.open(config, environment);
}

/** What the manifest says of the native part; MuJoCo's models have no part in an environment in TypeScript. */
export function nativeFacts(
  config: ResolvedConfig,
  environment: CustomEnvironment | undefined,
): NativeFacts {
  const models = environment === undefined ? config.env : 'without MuJoCo';
  return facts(config, models);
}
