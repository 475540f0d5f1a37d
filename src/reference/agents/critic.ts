/** M-step, the parts that train Q: the direct method (m-step.ts), and the projected residual error (projected-residual.ts). */

import type { MStepKind } from '../../algorithms/recipe.js';
import { scaleRegression } from '../m-step.js';
import { actionValueForward, actionValueGradient } from '../networks/action-value.js';
import {
  directionalDerivative,
  directionalDerivativeGradient,
} from '../networks/directional-derivative.js';
import type { Critics } from '../networks/networks.js';
import { type NextValue, nextStates } from './next-value.js';
import { drawActions, type StepInputs } from './step-inputs.js';

/** Losses of Q, and of ζ where there is one, with their gradients by w_i and ζ, flat per network. */
export interface CriticGradients {
  losses: { actionValue: number; auxiliaryWeights?: number };
  actionValues: Float64Array[];
  auxiliaryWeights: Float64Array | undefined;
}

/** The critic's gradients; `next` says what the direct method's target holds. */
export type Critic = (inputs: StepInputs, next: NextValue) => CriticGradients;

/** One function per M-step. */
export const CRITICS: Record<MStepKind, Critic> = { direct, projected };

/** J_Q = Σ_i mean (Q_i(s, a) − y_Q)², y_Q of the target networks and a constant. */
function direct(inputs: StepInputs, next: NextValue): CriticGradients {
  const { equations, networks, config, batch } = inputs;
  const target = bellmanTargetOf(inputs, next(inputs, networks.target));
  const regressions = networks.actionValues.map((network) => {
    const pass = actionValueForward(network, batch.observations, batch.actions, batch.rows);
    const regression = scaleRegression(
      equations.actionValueLoss(pass.values, target),
      config.mStep.lossFactor,
    );
    return {
      loss: regression.loss,
      gradient: actionValueGradient(network, pass, regression.gradient),
    };
  });
  return {
    losses: { actionValue: regressions.reduce((sum, { loss }) => sum + loss, 0) },
    actionValues: regressions.map(({ gradient }) => gradient),
    auxiliaryWeights: undefined,
  };
}

/** L(w, ζ) = mean [β j − ½ j²]: w descends it, ζ ascends it. */
function projected(inputs: StepInputs): CriticGradients {
  const { equations, networks, config, batch } = inputs;
  const network = networks.actionValues[0]!;
  const direction = networks.auxiliaryWeights!.values;

  // β, its target with the online Q at the policy's own next action
  const here = actionValueForward(network, batch.observations, batch.actions, batch.rows);
  const next = drawActions(equations, networks.policy, [network], nextStates(inputs), 1)
    .actionValues[0]!;
  const residual = equations.bellmanResidual(here.values, bellmanTargetOf(inputs, next.values));

  // L
  const tangents = directionalDerivative(network, direction, here.pass);
  const { loss, gradient } = equations.projectedResidualLoss({
    residual,
    derivative: tangents.derivative,
  });

  // ∇_w L = mean [(∇β) j] + mean [(β − j) ∇j],  ∇β = γ(1−d) ∇Q(s′, ã′) − ∇Q(s, a)
  const byNext = equations.bellmanTargetGradient(
    gradient.residual,
    batch.terminated,
    config.discount,
  );
  const parts = [
    actionValueGradient(network, next, byNext),
    actionValueGradient(
      network,
      here,
      gradient.residual.map((value) => -value),
    ),
    directionalDerivativeGradient(network, direction, here.pass, tangents, gradient.derivative),
  ];

  // −∇_ζ L = −mean [(β − j) ∇Q]
  const byDerivative = gradient.derivative.map((value) => -value);
  return {
    losses: { actionValue: loss, auxiliaryWeights: -loss },
    actionValues: [parts.reduce((sum, part) => sum.map((value, i) => value + part[i]!))],
    auxiliaryWeights: actionValueGradient(network, here, byDerivative),
  };
}

function bellmanTargetOf({ equations, config, batch }: StepInputs, next: Float64Array) {
  return equations.bellmanTarget(batch.rewards, batch.terminated, config.discount, next);
}

/** Mean over i of ε of Q_i, by `critics`' next(s′); no gradient. */
export function criticResidualError(inputs: StepInputs, next: NextValue, critics: Critics): number {
  const { equations, networks, batch } = inputs;
  const target = bellmanTargetOf(inputs, next(inputs, critics));
  const errors = networks.actionValues.map((network) => {
    const { values } = actionValueForward(network, batch.observations, batch.actions, batch.rows);
    return equations.residualError(values, target);
  });
  return errors.reduce((sum, error) => sum + error, 0) / errors.length;
}
