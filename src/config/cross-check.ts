/** Checks between keys; every message names both and their values. */
import type { Algorithm } from '../algorithms/recipe.js';
import { checkAgainstAlgorithm } from './algorithm-check.js';
import { conflict } from './conflict.js';
import type { ResolvedConfig } from './schema.js';

/**
 * Refuses combinations that cannot be trained.
 *
 * @param algorithm The one that the config names.
 * @throws VirelError `CONFIG_CONFLICT`; `RECIPE_UNSUPPORTED` where the chosen engine lacks a part that another has.
 */
export function crossCheck(config: ResolvedConfig, algorithm: Algorithm): void {
  checkTaskFile(config);
  checkBuffer(config);
  checkEnvironments(config);
  checkSchedule(config);
  checkEngine(config);
  checkAgainstAlgorithm(config, algorithm);
  checkTemperature(config);
  checkProjected(config);
}

/** A task of the user's own comes with its model. */
function checkTaskFile({ env }: ResolvedConfig): void {
  if (env.taskFile !== null && env.modelFile === null) {
    throw conflict(
      `env.taskFile ${env.taskFile} and env.modelFile null: the task has no model`,
      '--set env.modelFile=FILE',
    );
  }
}

/** The buffer must come to hold what the steps wait for. */
function checkBuffer({ replay, collect, temperature, residual }: ResolvedConfig): void {
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
  // the residual error is in use once the buffer holds more rows than a batch of it
  if (isResidual(temperature.kind) && residual.batch >= replay.capacity) {
    throw conflict(
      `residual.batch ${residual.batch} >= replay.capacity ${replay.capacity}: temperature.kind ${temperature.kind} would never leave its warm-up`,
      `--set replay.capacity=${Math.max(residual.batch + 1, 100_000)}, or --set residual.batch=${Math.max(1, Math.floor(replay.capacity / 2))}`,
    );
  }
}

/** Environments take turns, and are reset together between two rounds. */
function checkEnvironments({ collect, env }: ResolvedConfig): void {
  const { environments, resetEvery } = collect;
  if (environments > 1 && env.module !== null) {
    throw conflict(
      `collect.environments ${environments} and env.module ${env.module}: an environment in TypeScript collects alone`,
      '--set collect.environments=1',
    );
  }
  if (resetEvery % environments !== 0) {
    throw conflict(
      `collect.resetEvery ${resetEvery} is no multiple of collect.environments ${environments}: all are reset between two rounds`,
      `--set collect.resetEvery=${Math.ceil(resetEvery / environments) * environments}`,
    );
  }
}

const isResidual = (kind: string) => kind === 'residual' || kind === 'residualAuto';

function checkSchedule({ schedule, steps, temperature }: ResolvedConfig): void {
  if ('mSteps' in schedule && schedule.mSteps === 0 && schedule.eSteps === 0) {
    throw conflict(
      'schedule.mSteps 0 and schedule.eSteps 0: nothing would be learned',
      '--set schedule.mSteps=1 --set schedule.eSteps=1',
    );
  }
  const whole = (total: number) => Math.ceil(total / schedule.envSteps) * schedule.envSteps;
  if (steps % schedule.envSteps !== 0) {
    throw conflict(
      `steps ${steps} is no multiple of schedule.envSteps ${schedule.envSteps}`,
      `--steps ${whole(steps)}`,
    );
  }
  if (schedule.kind !== 'incremental') return;
  if (schedule.every % schedule.envSteps !== 0) {
    throw conflict(
      `schedule.every ${schedule.every} is no multiple of schedule.envSteps ${schedule.envSteps}`,
      `--set schedule.every=${whole(schedule.every)}`,
    );
  }
  if (!isResidual(temperature.kind)) {
    throw conflict(
      `schedule.kind incremental adds to the residual error in use, and temperature.kind ${temperature.kind} uses none`,
      '--set temperature.kind=residual, or --set schedule.kind=partial',
    );
  }
}

function checkEngine({ runtime }: ResolvedConfig): void {
  if (runtime.engine === 'kernel' && runtime.device !== 'cpu') {
    throw conflict(
      `runtime.engine kernel runs on the cpu, runtime.device is ${runtime.device}`,
      '--engine tensor, or --device cpu',
    );
  }
}

function checkTemperature({ temperature, policyGradient, discount, eStep }: ResolvedConfig): void {
  if (temperature.kind === 'residualAuto' && discount === 1) {
    throw conflict(
      'temperature.kind residualAuto and discount 1: the temperature (1 - discount) / mean |r| would be 0',
      '--set temperature.kind=residual, or --set discount=0.99',
    );
  }
  if (policyGradient === 'weightedLikelihood') {
    if (temperature.kind === 'fixed' && temperature.temperature === 0) {
      throw conflict(
        'temperature.temperature 0 and policyGradient weightedLikelihood: the weights exp(Q / T) need T > 0',
        '--set temperature.temperature=1',
      );
    }
    if (eStep.samples < 2) {
      throw conflict(
        `eStep.samples ${eStep.samples} and policyGradient weightedLikelihood: the weight of a single action is always 1`,
        '--set eStep.samples=20',
      );
    }
  }
  if (policyGradient === 'priorDivergence' && temperature.kind === 'dual') {
    throw conflict(
      'policyGradient priorDivergence and temperature.kind dual: the dual variable belongs to weights over actions of the prior policy, which this loss does not form',
      '--set temperature.kind=residual, or --set policyGradient=weightedLikelihood',
    );
  }
}

/**
 * The projected M-step: one Q, an engine with second derivatives, and the conditions of the two-time-scale theorem on
 * α(k) = step / (1 + k/stepScale)^decay: Σα = ∞ needs decay <= 1, Σα² < ∞ needs decay > 1/2, and the ratio of the two
 * step sizes must go to 0, which needs valueDecay > auxiliaryDecay. `stepOrder: printed` exchanges the sequences, and
 * with them the side that is the slower; the conditions on the numbers are the same.
 */
function checkProjected({ mStep, network, runtime }: ResolvedConfig): void {
  if (mStep.kind !== 'projected') return;
  if (network.actionValues !== 1) {
    throw conflict(
      `mStep.kind projected is defined for one Q, network.actionValues is ${network.actionValues}`,
      '--set network.actionValues=1, or --set mStep.kind=direct',
    );
  }
  for (const name of ['valueDecay', 'auxiliaryDecay'] as const) {
    const decay = mStep[name];
    if (decay > 0.5 && decay <= 1) continue;
    throw conflict(
      `mStep.kind projected and mStep.${name} ${decay}: ${decay > 1 ? 'the step sizes must sum to infinity (decay <= 1)' : 'the squares of the step sizes must have a finite sum (decay > 0.5)'}`,
      `--set mStep.${name}=${name === 'valueDecay' ? 0.9 : 0.6}`,
    );
  }
  if (mStep.valueDecay <= mStep.auxiliaryDecay) {
    throw conflict(
      `mStep.valueDecay ${mStep.valueDecay} <= mStep.auxiliaryDecay ${mStep.auxiliaryDecay}: the ratio of the step sizes must go to 0`,
      '--set mStep.valueDecay=0.9 --set mStep.auxiliaryDecay=0.6',
    );
  }
  if (runtime.engine === 'kernel') {
    throw conflict(
      'mStep.kind projected needs second derivatives, which runtime.engine kernel does not have',
      '--engine tensor',
      'RECIPE_UNSUPPORTED',
    );
  }
}
