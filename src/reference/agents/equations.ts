/**
 * Every equation that a gradient step calls, by name. The step reads this table and nothing else of the stems, so that a test
 * can put one wrong equation in its place and see that the step shows it.
 */

import { stepAdam } from '../adam.js';
import { bellmanTarget, bellmanTargetGradient, meanNextValue, softNextValue } from '../bellman.js';
import { boltzmannWeights } from '../boltzmann.js';
import {
  covarianceDivergence,
  deterministicLoss,
  meanDivergence,
  meanSquarePenalty,
  priorDivergenceLoss,
  reparameterisedLoss,
  scoreLoss,
  weightedLikelihoodLoss,
} from '../e-step.js';
import {
  actionValueLoss,
  softStateValueTarget,
  stateValueLoss,
  stateValueTarget,
} from '../m-step.js';
import { firstActionValue, minimumActionValue } from '../networks/action-value.js';
import {
  projectedResidualLoss,
  stepAuxiliaryWeights,
  stepProjectedValue,
} from '../projected-residual.js';
import { bellmanResidual, residualError } from '../residual.js';
import {
  sampleTanhGaussian,
  tanhGaussianDensity,
  tanhGaussianDensityGradient,
  tanhGaussianGradient,
  tanhMode,
} from '../tanh-gaussian.js';
import { updateTarget } from '../target-update.js';
import {
  dualTemperatureLoss,
  dualVariable,
  multiplierLoss,
  tunedTemperatureLoss,
} from '../temperature.js';

/** The equations as the paper has them, in the order of a step. */
export const EQUATIONS = {
  // policy: actions with given noise, and densities of given actions
  samplePolicy: sampleTanhGaussian,
  policySampleGradient: tanhGaussianGradient,
  deterministicAction: tanhMode,
  policyDensity: tanhGaussianDensity,
  policyDensityGradient: tanhGaussianDensityGradient,

  // which Q is read where there are two
  firstActionValue,
  minimumActionValue,

  // M-step: J_Q, or L(w, ζ), and J_V
  bellmanTarget,
  bellmanTargetGradient,
  softNextValue,
  meanNextValue,
  actionValueLoss,
  bellmanResidual,
  projectedResidualLoss,
  stateValueTarget,
  softStateValueTarget,
  stateValueLoss,

  // E-step: J_π
  reparameterisedLoss,
  scoreLoss,
  deterministicLoss,
  boltzmannWeights,
  weightedLikelihoodLoss,
  meanDivergence,
  covarianceDivergence,
  priorDivergenceLoss,
  meanSquarePenalty,

  // trained temperatures
  tunedTemperatureLoss,
  dualTemperatureLoss,
  dualVariable,
  multiplierLoss,

  // optimisers and targets
  optimise: stepAdam,
  stepProjectedValue,
  stepAuxiliaryWeights,
  updateTarget,

  // residual error, outside the step
  residualError,
};

/** A table of equations: {@link EQUATIONS}, or some of them replaced. */
export type Equations = typeof EQUATIONS;
