/**
 * The pure-TypeScript reference: float64, no dependency, one file per equation; the definition of a gradient step, which
 * both native engines are checked against. Slow by design.
 */

export { type AdamState, adamState, stepAdam } from './adam.js';
export type { Recipe } from './agents/recipe.js';
export { VIREL } from './agents/virel.js';
export { bellmanTarget } from './bellman.js';
export { type PolicyLoss, type PolicyRegulariser, type PolicyTerms, policyLoss } from './e-step.js';
export {
  createLearner,
  type ReferenceConfig,
  type ReferenceLearner,
  type TaskSizes,
} from './learner.js';
export { actionValueLoss, type Regression, stateValueLoss, stateValueTarget } from './m-step.js';
export { bellmanResidual, residualError } from './residual.js';
export {
  sampleTanhGaussian,
  type TanhGaussianGradient,
  type TanhGaussianSample,
  tanhGaussianGradient,
  tanhGaussianLogDensity,
} from './tanh-gaussian.js';
export { updateTarget } from './target-update.js';
export { type FixedTemperature, temperatureInUse } from './temperature.js';
