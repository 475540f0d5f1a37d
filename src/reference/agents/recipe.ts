/**
 * From the names of a recipe to the functions that a gradient step calls: one table per part, no copy per algorithm. A new part
 * is a name in src/algorithms/recipe.ts and a function in one of these tables.
 */

import type { Recipe } from '../../algorithms/recipe.js';
import type { Critics, Networks } from '../networks/networks.js';
import { CRITICS, type CriticGradients, criticResidualError } from './critic.js';
import { type DrawCounts, drawAtState, drawCounts } from './draws.js';
import { NEXT_VALUES, sampledNextValue } from './next-value.js';
import { OBJECTIVES, type ObjectiveGradient } from './policy-objective.js';
import type { ReferenceConfig } from './settings.js';
import { STATE_VALUE_TARGETS, type StateValueTargetPart } from './state-value-target.js';
import type { Drawn, StepInputs } from './step-inputs.js';
import { TRAINED_TEMPERATURES, type TrainedTemperaturePart } from './trained-temperature.js';

/** A recipe as functions, in the order of a step. */
export interface Parts {
  /** Noise that a row of a step takes. */
  draws: DrawCounts;
  /** ε_w, outside the step. */
  residualError(inputs: StepInputs): number;
  /** The actions at s. */
  drawAtState(inputs: StepInputs): Drawn;
  /** M-step: J_Q, or L(w, ζ). */
  critic(inputs: StepInputs): CriticGradients;
  /** M-step: y_V. */
  stateValueTarget: StateValueTargetPart;
  /** E-step: J_π without its regulariser. */
  objective(inputs: StepInputs, drawn: Drawn): ObjectiveGradient;
  /** E-step: J_T. */
  temperature: TrainedTemperaturePart;
}

/** The functions of `recipe`. */
export function partsOf(recipe: Recipe, config: ReferenceConfig): Parts {
  const nextValue = NEXT_VALUES[recipe.actionValueTarget];
  const residualNextValue = recipe.mStep === 'projected' ? sampledNextValue : nextValue;
  const critic = CRITICS[recipe.mStep];
  const objective = OBJECTIVES[recipe.policyObjective];
  return {
    draws: drawCounts(recipe, config.eStep.samples),
    residualError: (inputs) =>
      criticResidualError(inputs, residualNextValue, residualCritics(inputs.networks, config)),
    drawAtState: (inputs) => drawAtState(recipe, inputs),
    critic: (inputs) => critic(inputs, nextValue),
    stateValueTarget: STATE_VALUE_TARGETS[recipe.stateValueTarget],
    objective: (inputs, drawn) => objective(inputs, drawn, recipe.policyCritic),
    temperature: TRAINED_TEMPERATURES[recipe.trainedTemperature],
  };
}

/** The networks of the residual error's target (A7). */
function residualCritics(networks: Networks, { residual }: ReferenceConfig): Critics {
  return residual.stateValue === 'online' ? networks : networks.target;
}
