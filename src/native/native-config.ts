/** A resolved config as the flat, all-required structs of the boundary. */
import type {
  NativeConfig,
  NativeExternal,
  NativeProjected,
  NativeRecipe,
  NativeTemperature,
} from '../../index.d.ts';
import { recipeOf } from '../algorithms/recipe.js';
import type { ResolvedConfig } from '../config/schema.js';
import { modelDirectory } from './addon.js';
import { choicesJson } from './choices.js';
import { gemmOf } from './gemm.js';

/** What a part of the struct holds that the config has no use for; the native side checks it and reads it nowhere. */
const UNUSED = 1;
const UNUSED_GEMM = 'own';

/** The struct of `config`; `external` describes an environment that the caller steps, instead of a task. */
export function toNative(config: ResolvedConfig, external?: NativeExternal): NativeConfig {
  const { collect, exploration, network, optim, residual, schedule } = config;
  return {
    environment: config.env.id,
    modelDirectory: external === undefined ? modelDirectory(config.env.modelDir ?? undefined) : '',
    ...(external !== undefined && { external }),
    environmentChoices: external === undefined ? choicesJson(config.env.id, config.env) : '{}',
    maxEpisodeSteps: config.env.maxEpisodeSteps,
    recipe: nativeRecipe(config),
    seed: config.seed,
    discount: config.discount,
    rewardScale: config.rewardScale,
    temperature: nativeTemperature(config.temperature),
    residual: {
      batch: residual.batch,
      half: residual.half,
      warmupValue: residual.warmupValue,
      target: residual.stateValue === 'target',
      every: schedule.residualEvery,
    },
    targetEvery: schedule.targetEvery,
    ...(exploration.kind === 'ornsteinUhlenbeck' && {
      explorationTheta: exploration.theta,
      explorationSigma: exploration.sigma,
    }),
    startUpdates: collect.startUpdates,
    uniformSteps: collect.uniformSteps,
    resetEvery: collect.resetEvery,
    environments: collect.environments,
    replayCapacity: config.replay.capacity,
    batchSize: config.replay.batchSize,
    samples: config.eStep.samples,
    hidden: [...network.hidden],
    policyHidden: [...network.policyHidden],
    actionValues: network.actionValues,
    initialise: network.initialise,
    policyLearningRate: optim.policyLearningRate,
    actionValueLearningRate: optim.actionValueLearningRate,
    stateValueLearningRate: optim.stateValueLearningRate,
    targetUpdateRate: optim.targetUpdateRate,
    valueLossFactor: config.mStep.lossFactor,
    meanRegulariser: config.policyRegulariser.mean,
    logStdRegulariser: config.policyRegulariser.logStd,
    projected: nativeProjected(config.mStep),
    maxUnstablePer10K: config.stability.maxUnstablePer10k,
    engine: config.runtime.engine,
    device: config.runtime.device,
    threads: config.runtime.threads,
    gemm: gemmOf(config) ?? UNUSED_GEMM,
  };
}

function nativeRecipe(config: ResolvedConfig): NativeRecipe {
  const { exploration: _exploration, ...recipe } = recipeOf(config);
  return recipe;
}

function nativeTemperature(temperature: ResolvedConfig['temperature']): NativeTemperature {
  const native = {
    kind: 'fixed',
    value: 0,
    klBound: UNUSED,
    meanKlBound: UNUSED,
    covarianceKlBound: UNUSED,
    learningRate: UNUSED,
    initial: UNUSED,
    initialMeanMultiplier: UNUSED,
    initialCovarianceMultiplier: UNUSED,
  };
  switch (temperature.kind) {
    case 'none':
      return native;
    case 'fixed':
      return { ...native, value: temperature.temperature };
    case 'residual':
      return { ...native, kind: 'residual', value: temperature.temperatureScale };
    case 'residualAuto':
      return { ...native, kind: 'residualAuto' };
    case 'tuned': {
      // null: minus the action size, which a task of the user's own has only once its model is loaded
      const { targetEntropy, ...rest } = temperature;
      return {
        ...native,
        ...rest,
        ...(targetEntropy !== null && { targetEntropy }),
        kind: 'trained',
      };
    }
    case 'dual':
      return { ...native, ...temperature, kind: 'trained' };
  }
}

/** Step sizes of (34) and (35); in the printed order the two sequences are exchanged (docs/paper.md A19). */
function nativeProjected(mStep: ResolvedConfig['mStep']): NativeProjected {
  if (mStep.kind === 'direct') {
    const steps = { valueStep: UNUSED, valueDecay: UNUSED, auxiliaryStep: UNUSED };
    return { ...steps, auxiliaryDecay: UNUSED, scale: UNUSED, radius: UNUSED, leak: 0 };
  }
  const { stepScale, radius, leak, ...own } = mStep;
  const [value, auxiliary] = [
    [own.valueStep, own.valueDecay],
    [own.auxiliaryStep, own.auxiliaryDecay],
  ] as const;
  const [w, zeta] = own.stepOrder === 'printed' ? [auxiliary, value] : [value, auxiliary];
  return {
    valueStep: w[0],
    valueDecay: w[1],
    auxiliaryStep: zeta[0],
    auxiliaryDecay: zeta[1],
    scale: stepScale,
    radius,
    leak,
  };
}
