/**
 * The order of a gradient step (Algorithm 1; paper.md A28): every loss and every gradient at the same parameters, then the
 * optimisers of Q, V, ζ, π and a trained temperature, then the targets that are due, which read stepped networks
 * alone. The native learners follow this definition. Of `virel`:
 *
 *   (s, a, r, s′, d) ~ D;  ã = tanh(μ(s) + σ(s)ξ)                        one ã, shared by both steps
 *   y_Q = r + γ(1−d) V_φ̄(s′)      J_Q = mean (Q(s, a) − y_Q)²             M-step
 *   y_V = Q(s, ã)                 J_V = mean (V(s) − y_V)²
 *   J_π = mean [T log π(ã|s) − Q(s, ã)] + regulariser                     E-step
 *
 * Other recipes put other functions in the same places (agents/recipe.ts).
 *
 * Gradient paths: w from J_Q alone, φ from J_V alone, θ from J_π alone (through ã into Q, whose weights are constants), a
 * trained temperature from J_T alone. What has a bar, and MPO's prior policy, gets none.
 */

import { type AdamState, adamState } from './adam.js';
import type { Equations } from './agents/equations.js';
import type { Parts } from './agents/recipe.js';
import type { ReferenceConfig } from './agents/settings.js';
import type { Drawn, StepInputs } from './agents/step-inputs.js';
import type { TemperatureGradients } from './agents/trained-temperature.js';
import { scaleRegression } from './m-step.js';
import type { Network } from './networks/layout.js';
import type { DualName, Networks } from './networks/networks.js';
import { policyGradient } from './networks/policy.js';
import { stateValueForward, stateValueGradient } from './networks/state-value.js';
import { stepSizes } from './projected-residual.js';

/** The M-step's losses and gradients, flat per network. */
export interface MStepGradients {
  losses: { actionValue: number; stateValue?: number; auxiliaryWeights?: number };
  actionValues: Float64Array[];
  stateValue: Float64Array | undefined;
  auxiliaryWeights: Float64Array | undefined;
}

/** The E-step's losses and gradients: π, and what is trained of a temperature. */
export interface EStepGradients {
  losses: { policy: number } & TemperatureGradients['losses'];
  policy: Float64Array;
  duals: TemperatureGradients['gradients'];
}

/** Q's and V's losses with their gradients; targets and the drawn actions are constants. */
export function mStepGradients(parts: Parts, inputs: StepInputs, drawn: Drawn): MStepGradients {
  const critic = parts.critic(inputs);
  const stateValueTarget = parts.stateValueTarget(inputs, drawn);
  if (stateValueTarget === undefined) return { ...critic, stateValue: undefined };

  const { equations, networks, config, batch } = inputs;
  const stateValue = networks.stateValue!;
  const pass = stateValueForward(stateValue, batch.observations);
  const { loss, gradient } = scaleRegression(
    equations.stateValueLoss(pass.values, stateValueTarget),
    config.mStep.lossFactor,
  );
  return {
    ...critic,
    losses: { ...critic.losses, stateValue: loss },
    stateValue: stateValueGradient(stateValue, pass, gradient),
  };
}

/** J_π with its gradient by θ, and J_T with its own by what is trained of T. */
export function eStepGradients(parts: Parts, inputs: StepInputs, drawn: Drawn): EStepGradients {
  const { equations, networks, config } = inputs;
  const { policy } = drawn;
  const objective = parts.objective(inputs, drawn);
  const mean = equations.meanSquarePenalty(policy.mean, config.policyRegulariser.mean);
  const logStd = equations.meanSquarePenalty(policy.logStd, config.policyRegulariser.logStd);
  const temperature = parts.temperature(inputs, drawn);
  return {
    losses: { policy: objective.loss + mean.loss + logStd.loss, ...temperature.losses },
    policy: policyGradient(
      networks.policy,
      policy,
      objective.mean.map((value, i) => value + mean.gradient[i]!),
      objective.logStd.map((value, i) => value + logStd.gradient[i]!),
    ),
    duals: temperature.gradients,
  };
}

/** Adam's states, one per trained network and dual; ζ and a projected w have none. */
export interface Optimisers {
  policy: AdamState;
  actionValues: AdamState[];
  stateValue: AdamState | undefined;
  duals: Partial<Record<DualName, AdamState>>;
}

/** Steps taken since the start: what targets and decaying step sizes depend on. */
export interface StepCounts {
  mSteps: number;
  eSteps: number;
}

/** All that optimisers and targets read and change. */
export interface Steppable {
  equations: Equations;
  config: ReferenceConfig;
  networks: Networks;
  optimisers: Optimisers;
  counts: StepCounts;
}

/** Optimisers before their first step. */
export function createOptimisers({
  policy,
  actionValues,
  stateValue,
  duals,
}: Networks): Optimisers {
  const stateOf = (network: Network) => adamState(network.values.length);
  return {
    policy: stateOf(policy),
    actionValues: actionValues.map(stateOf),
    stateValue: stateValue && stateOf(stateValue),
    duals: Object.fromEntries(
      Object.entries(duals).map(([name, values]) => [name, adamState(values.length)]),
    ),
  };
}

/** The M-step's optimisers: Q, V, ζ. */
export function applyMStep(state: Steppable, gradients: MStepGradients): void {
  const { equations, config, networks, optimisers, counts } = state;
  const { actionValueLearningRate, stateValueLearningRate } = config.optim;
  if (config.mStep.kind === 'direct') {
    networks.actionValues.forEach(({ values }, i) => {
      const gradient = gradients.actionValues[i]!;
      equations.optimise(values, gradient, optimisers.actionValues[i]!, actionValueLearningRate);
    });
  }
  if (networks.stateValue !== undefined) {
    const { values } = networks.stateValue;
    equations.optimise(
      values,
      gradients.stateValue!,
      optimisers.stateValue!,
      stateValueLearningRate,
    );
  }
  if (config.mStep.kind === 'projected') {
    const { radius, leak } = config.mStep;
    const sizes = stepSizes(config.mStep, counts.mSteps);
    const w = networks.actionValues[0]!.values;
    const zeta = networks.auxiliaryWeights!.values;
    equations.stepProjectedValue(w, gradients.actionValues[0]!, sizes.value, radius);
    equations.stepAuxiliaryWeights(zeta, gradients.auxiliaryWeights!, sizes.auxiliary, leak);
  }
  counts.mSteps += 1;
}

/** The E-step's optimisers: π, then a trained temperature. */
export function applyEStep(state: Steppable, gradients: EStepGradients): void {
  const { equations, config, networks, optimisers, counts } = state;
  const { policyLearningRate } = config.optim;
  equations.optimise(
    networks.policy.values,
    gradients.policy,
    optimisers.policy,
    policyLearningRate,
  );
  const { temperature } = config;
  if (temperature.kind === 'tuned' || temperature.kind === 'dual') {
    for (const [name, values] of Object.entries(networks.duals)) {
      const dual = name as DualName;
      equations.optimise(
        values,
        gradients.duals[dual]!,
        optimisers.duals[dual]!,
        temperature.learningRate,
      );
    }
  }
  counts.eSteps += 1;
}

/** Targets of V and Q, after every `targetEvery`-th M-step. */
export function updateCriticTargets({ equations, config, networks, counts }: Steppable): void {
  if (counts.mSteps % config.schedule.targetEvery !== 0) return;
  const { target, stateValue, actionValues } = networks;
  const rate = config.optim.targetUpdateRate;
  target.actionValues.forEach(({ values }, i) => {
    equations.updateTarget(values, actionValues[i]!.values, rate);
  });
  if (target.stateValue === undefined) return;
  equations.updateTarget(target.stateValue.values, stateValue!.values, rate);
}

/** The policy's target and MPO's prior policy, after every `targetEvery`-th E-step. */
export function updatePolicyTargets({ equations, config, networks, counts }: Steppable): void {
  if (counts.eSteps % config.schedule.targetEvery !== 0) return;
  const { target, priorPolicy, policy } = networks;
  for (const follower of [target.policy, priorPolicy]) {
    if (follower === undefined) continue;
    equations.updateTarget(follower.values, policy.values, config.optim.targetUpdateRate);
  }
}
