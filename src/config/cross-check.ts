/** Checks between keys; every message names both and their values. */
import { VirelError } from '../errors.js';
import type { ResolvedConfig } from './schema.js';

function conflict(message: string, fix: string): VirelError {
  return new VirelError('CONFIG_CONFLICT', message, { fix });
}

/**
 * Refuses combinations that cannot be trained.
 *
 * @throws VirelError `CONFIG_CONFLICT`.
 */
export function crossCheck(config: ResolvedConfig): void {
  const { env, replay, collect, schedule, runtime, steps } = config;
  if (env.taskFile !== null && env.modelFile === null) {
    throw conflict(
      `env.taskFile ${env.taskFile} and env.modelFile null: the task has no model`,
      '--set env.modelFile=FILE',
    );
  }
  if (replay.batchSize > replay.capacity) {
    throw conflict(
      `replay.batchSize ${replay.batchSize} > replay.capacity ${replay.capacity}`,
      `--set replay.capacity=${Math.max(replay.batchSize, 100_000)}`,
    );
  }
  if (collect.startUpdates > replay.capacity) {
    throw conflict(
      `collect.startUpdates ${collect.startUpdates} > replay.capacity ${replay.capacity}: no update would ever run`,
      `--set replay.capacity=${Math.max(collect.startUpdates, 100_000)}`,
    );
  }
  if (schedule.mSteps === 0 && schedule.eSteps === 0) {
    throw conflict(
      'schedule.mSteps 0 and schedule.eSteps 0: nothing would be learned',
      '--set schedule.mSteps=1 --set schedule.eSteps=1',
    );
  }
  if (steps % schedule.envSteps !== 0) {
    const whole = Math.ceil(steps / schedule.envSteps) * schedule.envSteps;
    throw conflict(
      `steps ${steps} is no multiple of schedule.envSteps ${schedule.envSteps}`,
      `--steps ${whole}`,
    );
  }
  if (runtime.engine === 'kernel' && runtime.device !== 'cpu') {
    throw conflict(
      `runtime.engine kernel runs on the cpu, runtime.device is ${runtime.device}`,
      '--engine tensor, or --device cpu',
    );
  }
}
