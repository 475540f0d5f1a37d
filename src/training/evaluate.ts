/** The returns of a run's policy, as the verb `eval` measures them. */
import type { CustomEnvironment } from '../environments/define.js';
import { ensureNative } from '../native/addon.js';
import { Policy } from '../native/policy.js';
import type { EvaluationResult } from '../statistics/evaluation.js';
import { requireRun } from './find-run.js';
import { findEnvironment } from './run-environment.js';
import { findToldPolicy } from './told-policy.js';

/** How {@link evaluate} evaluates. */
export interface EvaluateRunOptions {
  /** A checkpoint's step, `latest` or `best`; `latest` by default. */
  step?: number | 'latest' | 'best' | undefined;
  /** How many; 10 by default. */
  episodes?: number | undefined;
  /** Of the start states; 0 by default. */
  seed?: number | undefined;
  /** Draws the actions, as training does, instead of taking tanh of the mean; false by default. */
  stochastic?: boolean | undefined;
  /** The run's environment, where a program gave it; one of a module is imported again. */
  environment?: CustomEnvironment | undefined;
  /** Sets the native part up first where it is missing, as the verb `setup` does. */
  setup?: boolean | undefined;
  /** Stops it; the promise then rejects with `ABORTED`. */
  signal?: AbortSignal | undefined;
}

/**
 * Whole episodes of the policy of a run's checkpoint, deterministic unless told, in the run's own task with its options and time limit.
 *
 * Where the newest checkpoint is damaged, it is that of the newest whole one, with the process warning `CHECKPOINT_FALLBACK`.
 *
 * @param runDir The run's folder.
 * @throws VirelError `RUN_NOT_FOUND`, `CHECKPOINT_NONE`, `CHECKPOINT_CORRUPT`, `CHECKPOINT_FORMAT`, `CONFIG_RANGE`, `POLICY_DETERMINISTIC`, `ENV_MISSING`, `ENV_INVALID`,
 *   `ENV_FAILED`, `MODEL_*`, `NATIVE_*`, `ABORTED`.
 */
export async function evaluate(
  runDir: string,
  options: EvaluateRunOptions = {},
): Promise<EvaluationResult> {
  requireRun(runDir);
  const { step, episodes = 10, seed = 0, signal } = options;
  if (options.setup) await ensureNative();
  const { file, config, passedOver: _, ...source } = await findToldPolicy(runDir, step);
  const environment = options.environment ?? (await recordedEnvironment(runDir, config.simulator));
  const policy = Policy.load(file, config.env, source);
  try {
    return await policy.evaluate({
      episodes,
      seed,
      stochastic: options.stochastic ?? false,
      maxEpisodeSteps: config.maxEpisodeSteps,
      ...(environment && { environment }),
      ...(signal && { signal }),
    });
  } finally {
    policy.dispose();
  }
}

/** The environment of a run that has one in TypeScript. */
async function recordedEnvironment(
  runDir: string,
  simulator: string | undefined,
): Promise<CustomEnvironment | undefined> {
  if (simulator !== 'typescript') return undefined;
  return (await findEnvironment(runDir, undefined)).environment;
}
