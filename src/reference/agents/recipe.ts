/**
 * The vocabulary of parts: an algorithm is the choice of one function per part. The gradient step calls parts and never
 * asks which agent they serve.
 */

import type { stepAdam } from '../adam.js';
import type { bellmanTarget } from '../bellman.js';
import type { policyLoss } from '../e-step.js';
import type { actionValueLoss, stateValueLoss, stateValueTarget } from '../m-step.js';
import type { sampleTanhGaussian, tanhGaussianGradient } from '../tanh-gaussian.js';
import type { updateTarget } from '../target-update.js';

/** An algorithm, as parts. */
export interface Recipe {
  /** Policy: ã and log π(ã|s) from μ, log σ and noise. */
  samplePolicy: typeof sampleTanhGaussian;
  /** Policy: their gradient by μ and log σ. */
  policySampleGradient: typeof tanhGaussianGradient;
  /** M-step, Q: what Q_w is regressed on. */
  actionValueTarget: typeof bellmanTarget;
  /** M-step, Q: J_Q. */
  actionValueLoss: typeof actionValueLoss;
  /** M-step, V: what V_φ is regressed on. */
  stateValueTarget: typeof stateValueTarget;
  /** M-step, V: J_V. */
  stateValueLoss: typeof stateValueLoss;
  /** E-step: J_π. */
  policyLoss: typeof policyLoss;
  /** Optimiser of every network. */
  optimise: typeof stepAdam;
  /** Target update of V_φ̄. */
  updateTarget: typeof updateTarget;
}
