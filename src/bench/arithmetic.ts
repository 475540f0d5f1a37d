/**
 * The floor of an update: the floating-point operations that its products cannot do without, counted from the layers; zeros
 * count, though the `kernel` engine leaves many of them out.
 * Shared passes count once, as the `kernel` engine runs them: one ã, one policy pass, one Q(s, ã); what the states give to
 * Q's first layer, for all actions there; of a minimum of two Q, the derivative of the smaller alone.
 */
import { type Recipe, recipeOf } from '../algorithms/recipe.js';
import type { ResolvedConfig } from '../config/schema.js';
import type { TaskSizes } from '../environments/choices.js';

/** Multiply-adds of the passes of one network, for one sample. */
export interface Passes {
  /** Inputs to outputs. */
  forward: number;
  /** Gradients by every weight, from the outputs; none by the inputs. */
  backward: number;
  /** The gradient by `columns` of the inputs alone. */
  backwardTo(columns: number): number;
}

/** Of a network with these widths, inputs first. */
export function passesOf(widths: readonly number[]): Passes {
  const layers = widths.slice(1).map((outputs, index) => (widths[index] as number) * outputs);
  const forward = layers.reduce((sum, each) => sum + each, 0);
  // gradients by hidden activations skip the first layer's inputs
  const inner = forward - (layers[0] as number);
  return {
    forward,
    backward: forward + inner,
    backwardTo: (columns) => inner + columns * (widths[1] as number),
  };
}

/** The networks of a config. */
function networksOf(config: ResolvedConfig, { observationSize, actionSize }: TaskSizes) {
  const { hidden, policyHidden } = config.network;
  const heads = recipeOf(config).policy === 'deterministic' ? actionSize : 2 * actionSize;
  return {
    policy: passesOf([observationSize, ...policyHidden, heads]),
    actionValue: passesOf([observationSize + actionSize, ...hidden, 1]),
    /** Of Q's first layer, whatever the action. */
    states: observationSize * (hidden[0] as number),
    stateValue: passesOf([observationSize, ...hidden, 1]),
  };
}

type Networks = ReturnType<typeof networksOf>;

/** Multiply-adds of the value of s′, for one row. */
function nextValue(
  { actionValueTarget }: Recipe,
  { policy, actionValue, states, stateValue }: Networks,
  { values, samples }: { values: number; samples: number },
): number {
  switch (actionValueTarget) {
    case 'stateValue':
      return stateValue.forward;
    case 'softActionValue':
      return policy.forward + values * actionValue.forward;
    case 'targetPolicy':
      return policy.forward + actionValue.forward;
    case 'priorPolicy':
      return policy.forward + states + samples * (actionValue.forward - states);
  }
}

/** Multiply-adds of the policy's actions, their values and its own gradient, for one row. */
function policyStep(
  recipe: Recipe,
  { policy, actionValue, states }: Networks,
  { values, samples, actionSize }: { values: number; samples: number; actionSize: number },
): number {
  const own = policy.forward + policy.backward;
  const read = recipe.policyCritic === 'minimum' ? values : 1;
  const evaluated = recipe.stateValueTarget === 'none' ? read : values;
  // the M-step's Q(s, a) has passed the states
  const ofActions = actionValue.forward - states;
  const byAction = actionValue.backwardTo(actionSize);
  switch (recipe.policyObjective) {
    case 'reparameterised':
    case 'deterministic':
      return own + evaluated * ofActions + byAction;
    case 'score':
      return own + evaluated * ofActions;
    case 'weightedLikelihood':
      return own + policy.forward + states + samples * ofActions;
    case 'priorDivergence':
      return own + policy.forward + samples * (evaluated * ofActions + byAction);
  }
}

/**
 * Floating-point operations of one update (an M-step and an E-step on one batch, and the residual error where the
 * temperature reads it): two for each multiply-add of a product, biases and everything else left out.
 */
export function updateOperations(config: ResolvedConfig, task: TaskSizes): number {
  const recipe = recipeOf(config);
  const networks = networksOf(config, task);
  const { actionSize } = task;
  const parts = { values: config.network.actionValues, samples: config.eStep.samples, actionSize };
  const next = nextValue(recipe, networks, parts);
  const { actionValue, stateValue } = networks;
  const hasStateValue = recipe.stateValueTarget !== 'none';
  const row =
    policyStep(recipe, networks, parts) +
    next +
    parts.values * (actionValue.forward + actionValue.backward) +
    (hasStateValue ? stateValue.forward + stateValue.backward : 0);
  const measures =
    config.temperature.kind === 'residual' || config.temperature.kind === 'residualAuto';
  const residual = next + parts.values * actionValue.forward;
  const measured = measures
    ? (config.residual.batch * residual) / config.schedule.residualEvery
    : 0;
  return 2 * (config.replay.batchSize * row + measured);
}
