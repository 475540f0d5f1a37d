/**
 * The order of a gradient step (Algorithm 1; paper.md A28): every loss and every gradient at the same parameters, then the
 * optimisers of Q, V and π, then the target, which reads the stepped V alone. The native learners follow this definition.
 *
 *   (s, a, r, s′, d) ~ D;  ã = tanh(μ(s) + σ(s)ξ)                        one ã, shared by both steps
 *   y_Q = r + γ(1−d) V_φ̄(s′)      J_Q = mean (Q(s, a) − y_Q)²             M-step
 *   y_V = Q(s, ã)                 J_V = mean (V(s) − y_V)²
 *   J_π = mean [T log π(ã|s) − Q(s, ã)] + regulariser                     E-step
 *
 * Gradient paths: w from J_Q alone, φ from J_V alone, θ from J_π alone (through ã into Q, whose weights are constants).
 */

import { type AdamState, adamState } from './adam.js';
import type { Recipe } from './agents/recipe.js';
import type { PolicyRegulariser } from './e-step.js';
import {
  type ActionValuePass,
  actionGradient,
  actionValueForward,
  actionValueGradient,
} from './networks/action-value.js';
import type { Networks } from './networks/initialise.js';
import { type PolicyPass, policyForward, policyGradient } from './networks/policy.js';
import { stateValueForward, stateValueGradient } from './networks/state-value.js';
import type { TanhGaussianSample } from './tanh-gaussian.js';

/** A minibatch in float64, B rows. */
export interface Transitions {
  rows: number;
  /** s, `[B, O]`. */
  observations: Float64Array;
  /** a, `[B, A]`. */
  actions: Float64Array;
  /** r, `[B]`. */
  rewards: Float64Array;
  /** s′, `[B, O]`. */
  nextObservations: Float64Array;
  /** d in {0, 1}, `[B]`. */
  terminated: Float64Array;
}

/** Constants of the M-step. */
export interface MStepSettings {
  /** γ. */
  discount: number;
}

/** Constants of the E-step. */
export interface EStepSettings {
  /** T. */
  temperature: number;
  regulariser: PolicyRegulariser;
}

/** Constants of the optimisers and of the target. */
export interface OptimiserSettings {
  /** λ_π. */
  policyLearningRate: number;
  /** λ_Q. */
  actionValueLearningRate: number;
  /** λ_V. */
  stateValueLearningRate: number;
  /** τ. */
  targetUpdateRate: number;
}

/** Adam's state, one per trained network. */
export interface Optimisers {
  policy: AdamState;
  actionValue: AdamState;
  stateValue: AdamState;
}

/** The reparametrised action of a step, and the values that both its halves read. */
export interface SampledAction {
  policy: PolicyPass;
  /** ã and log π(ã|s). */
  sample: TanhGaussianSample;
  /** Q_w(s, ã). */
  actionValue: ActionValuePass;
}

/** The M-step's losses and gradients, flat per network. */
export interface MStepGradients {
  losses: { actionValue: number; stateValue: number };
  gradients: { actionValue: Float64Array; stateValue: Float64Array };
}

/** The E-step's loss and gradient. */
export interface EStepGradients {
  loss: number;
  gradient: Float64Array;
}

/** Optimisers before their first step. */
export function createOptimisers(networks: Networks): Optimisers {
  return {
    policy: adamState(networks.policy.values.length),
    actionValue: adamState(networks.actionValue.values.length),
    stateValue: adamState(networks.stateValue.values.length),
  };
}

/** ã = tanh(μ(s) + σ(s)ξ), log π(ã|s) and Q_w(s, ã); `noise` ξ is `[B, A]`. */
export function sampleAction(
  recipe: Recipe,
  networks: Networks,
  { observations, rows }: Transitions,
  noise: Float64Array,
): SampledAction {
  const policy = policyForward(networks.policy, observations);
  const sample = recipe.samplePolicy(policy.mean, policy.logStd, noise, rows);
  const actionValue = actionValueForward(networks.actionValue, observations, sample.action, rows);
  return { policy, sample, actionValue };
}

/** J_Q and J_V with their gradients by w and φ; targets and ã are constants. */
export function mStepGradients(
  recipe: Recipe,
  networks: Networks,
  batch: Transitions,
  sampled: SampledAction,
  { discount }: MStepSettings,
): MStepGradients {
  const { observations, actions, rewards, nextObservations, terminated, rows } = batch;

  // J_Q
  const next = stateValueForward(networks.targetStateValue, nextObservations).values;
  const actionValueTarget = recipe.actionValueTarget(rewards, terminated, discount, next);
  const actionValue = actionValueForward(networks.actionValue, observations, actions, rows);
  const actionValueLoss = recipe.actionValueLoss(actionValue.values, actionValueTarget);

  // J_V
  const stateValueTarget = recipe.stateValueTarget(sampled.actionValue.values);
  const stateValue = stateValueForward(networks.stateValue, observations);
  const stateValueLoss = recipe.stateValueLoss(stateValue.values, stateValueTarget);

  return {
    losses: { actionValue: actionValueLoss.loss, stateValue: stateValueLoss.loss },
    gradients: {
      actionValue: actionValueGradient(networks.actionValue, actionValue, actionValueLoss.gradient),
      stateValue: stateValueGradient(networks.stateValue, stateValue, stateValueLoss.gradient),
    },
  };
}

/** J_π with its gradient by θ; Q's weights are constants, its gradient by ã is not. */
export function eStepGradients(
  recipe: Recipe,
  networks: Networks,
  sampled: SampledAction,
  { temperature, regulariser }: EStepSettings,
): EStepGradients {
  const { policy, sample, actionValue } = sampled;
  const { mean, logStd } = policy;
  const terms = {
    logDensity: sample.logDensity,
    sampledActionValue: actionValue.values,
    mean,
    logStd,
  };
  const { loss, gradient } = recipe.policyLoss(terms, temperature, regulariser);

  // through Q into ã, then through ã and log π into μ and log σ, then the regulariser's own part
  const actionSize = mean.length / sample.logDensity.length;
  const byAction = actionGradient(
    networks.actionValue,
    actionValue,
    gradient.sampledActionValue,
    actionSize,
  );
  const bySample = recipe.policySampleGradient(sample, gradient.logDensity, byAction);
  const meanGradient = bySample.mean.map((value, i) => value + gradient.mean[i]!);
  const logStdGradient = bySample.logStd.map((value, i) => value + gradient.logStd[i]!);
  return {
    loss,
    gradient: policyGradient(networks.policy, policy, meanGradient, logStdGradient),
  };
}

/** The M-step's optimisers: Q, V, then the target. */
export function applyMStep(
  recipe: Recipe,
  networks: Networks,
  optimisers: Optimisers,
  { gradients }: MStepGradients,
  settings: OptimiserSettings,
): void {
  const { actionValue, stateValue, targetStateValue } = networks;
  recipe.optimise(
    actionValue.values,
    gradients.actionValue,
    optimisers.actionValue,
    settings.actionValueLearningRate,
  );
  recipe.optimise(
    stateValue.values,
    gradients.stateValue,
    optimisers.stateValue,
    settings.stateValueLearningRate,
  );
  recipe.updateTarget(targetStateValue.values, stateValue.values, settings.targetUpdateRate);
}

/** The E-step's optimiser: π. */
export function applyEStep(
  recipe: Recipe,
  networks: Networks,
  optimisers: Optimisers,
  { gradient }: EStepGradients,
  settings: OptimiserSettings,
): void {
  recipe.optimise(networks.policy.values, gradient, optimisers.policy, settings.policyLearningRate);
}
