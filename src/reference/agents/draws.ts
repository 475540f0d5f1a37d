/** The parts that draw a step's actions at s, and how much noise they take. */

import {
  noiseDraws,
  type PolicyKind,
  type PolicyObjective,
  type Recipe,
} from '../../algorithms/recipe.js';
import { policyForward } from '../networks/policy.js';
import {
  type Drawn,
  type DrawnActions,
  drawActions,
  modeActions,
  type StepInputs,
} from './step-inputs.js';

/** Standard normals per row in action widths A: at s, then at s′. */
export interface DrawCounts {
  state: number;
  nextState: number;
}

/** Draws of a row of a step's noise; K is `samples`. */
export function drawCounts(recipe: Recipe, samples: number): DrawCounts {
  const state =
    recipe.policy === 'deterministic'
      ? 0
      : recipe.actionValueTarget === 'priorPolicy'
        ? samples
        : 1;
  return { state, nextState: noiseDraws(recipe, samples) - state };
}

/** The actions at s that a recipe's losses read. */
export function drawAtState(recipe: Recipe, inputs: StepInputs): Drawn {
  const readsOwn = recipe.policyObjective !== 'weightedLikelihood';
  const readsPrior = !readsOwn || recipe.trainedTemperature === 'dual';
  const own = readsOwn
    ? OWN_ACTIONS[recipe.policy](inputs, ownSamples(recipe.policyObjective, inputs))
    : undefined;
  return {
    policy: own?.policy ?? policyForward(inputs.networks.policy, inputs.batch.observations),
    own,
    prior: readsPrior ? priorActions(inputs) : undefined,
  };
}

/** π_θ's own actions, with the online Q_i. */
const OWN_ACTIONS: Record<PolicyKind, (inputs: StepInputs, samples: number) => DrawnActions> = {
  tanhGaussian: (inputs, samples) =>
    drawActions(
      inputs.equations,
      inputs.networks.policy,
      inputs.networks.actionValues,
      statesOf(inputs),
      samples,
    ),
  deterministic: (inputs) =>
    modeActions(
      inputs.equations,
      inputs.networks.policy,
      inputs.networks.actionValues,
      statesOf(inputs),
    ),
};

/** π_φ's K actions, with Q̄_1. */
function priorActions(inputs: StepInputs): DrawnActions {
  const { equations, networks, config } = inputs;
  const critics = networks.target.actionValues.slice(0, 1);
  return drawActions(
    equations,
    networks.priorPolicy!,
    critics,
    statesOf(inputs),
    config.eStep.samples,
  );
}

function ownSamples(objective: PolicyObjective, { config }: StepInputs): number {
  return objective === 'priorDivergence' ? config.eStep.samples : 1;
}

function statesOf({ batch, noise }: StepInputs) {
  return { rows: batch.rows, observations: batch.observations, noise: noise.state };
}
