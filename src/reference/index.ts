/**
 * The pure-TypeScript reference: float64, no dependency, one file per equation; the definition of a gradient step, which
 * both native engines are checked against. Slow by design.
 */

export type { PolicyObjective } from '../algorithms/recipe.js';
export { type AdamState, adamState, stepAdam } from './adam.js';
export { EQUATIONS, type Equations } from './agents/equations.js';
export type { MStepSettings, OptimiserSettings, ReferenceConfig } from './agents/settings.js';
export { bellmanTarget, bellmanTargetGradient, meanNextValue, softNextValue } from './bellman.js';
export { boltzmannWeights, logMeanExponential } from './boltzmann.js';
export {
  covarianceDivergence,
  type Divergence,
  deterministicLoss,
  type GaussianParameters,
  type Loss,
  meanDivergence,
  meanSquarePenalty,
  type PolicyRegulariser,
  type PolicyTerms,
  type PriorDivergenceTerms,
  priorDivergenceLoss,
  reparameterisedLoss,
  type ScoreTerms,
  scoreLoss,
  weightedLikelihoodLoss,
} from './e-step.js';
export type { Vector } from './inputs.js';
export { createLearner, type ReferenceLearner, type TaskSizes } from './learner.js';
export {
  actionValueLoss,
  type Regression,
  softStateValueTarget,
  stateValueLoss,
  stateValueTarget,
} from './m-step.js';
export type { CriticValue } from './networks/action-value.js';
export type { InitialiseScheme } from './networks/initialise.js';
export {
  type ProjectedStep,
  type ProjectedTerms,
  projectedResidualLoss,
  stepAuxiliaryWeights,
  stepProjectedValue,
  stepSizes,
} from './projected-residual.js';
export { bellmanResidual, residualError } from './residual.js';
export {
  sampleTanhGaussian,
  type TanhDensityGradient,
  type TanhGaussianGradient,
  type TanhGaussianSample,
  tanhGaussianDensity,
  tanhGaussianDensityGradient,
  tanhGaussianGradient,
  tanhGaussianLogDensity,
  tanhMode,
} from './tanh-gaussian.js';
export { updateTarget } from './target-update.js';
export {
  type DualTemperature,
  type DualVariable,
  dualStart,
  dualTemperatureLoss,
  dualVariable,
  multiplierLoss,
  type TemperatureInputs,
  type TemperatureSource,
  type TunedTemperature,
  temperatureInUse,
  tunedTemperatureLoss,
} from './temperature.js';
