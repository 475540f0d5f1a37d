/** Algorithm 1 of the paper, with its authors' reading of what is left open (docs/paper.md). */

import { stepAdam } from '../adam.js';
import { bellmanTarget } from '../bellman.js';
import { policyLoss } from '../e-step.js';
import { actionValueLoss, stateValueLoss, stateValueTarget } from '../m-step.js';
import { sampleTanhGaussian, tanhGaussianGradient } from '../tanh-gaussian.js';
import { updateTarget } from '../target-update.js';
import type { Recipe } from './recipe.js';

/** Variational EM with the temperature as a constant. */
export const VIREL: Recipe = {
  samplePolicy: sampleTanhGaussian,
  policySampleGradient: tanhGaussianGradient,
  actionValueTarget: bellmanTarget,
  actionValueLoss,
  stateValueTarget,
  stateValueLoss,
  policyLoss,
  optimise: stepAdam,
  updateTarget,
};
