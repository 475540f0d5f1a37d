/**
 * The networks of a recipe, in the order of their files: policy, action values, state value, auxiliary weights, what is trained
 * of a temperature, then what receives no gradient: targets and MPO's prior policy, which start as copies.
 */

import type { Recipe } from '../../algorithms/recipe.js';
import type { ReferenceConfig } from '../agents/settings.js';
import { dualStart } from '../temperature.js';
import { constantVector, copyOf, freshNetwork } from './initialise.js';
import {
  actionValueLayout,
  type Network,
  type NetworkLayout,
  type ParameterSpec,
  parameterSpecs,
  policyLayout,
  type Sizes,
  stateValueLayout,
  vectorSpec,
} from './layout.js';

/**
 * What is trained of a temperature, by its parameters' names: log T of a tuned one, one value; of a dual one the numbers that
 * softplus makes T, one value, and the multipliers of, A values each.
 */
export type DualName =
  | 'logTemperature'
  | 'dualTemperature'
  | 'meanMultiplier'
  | 'covarianceMultiplier';

/** What a step reads of a set of critics, online or target. */
export interface Critics {
  /** Q_1, Q_2, or their targets. */
  actionValues: Network[];
  /** V, or its target. */
  stateValue: Network | undefined;
  /** π_θ, or its target. */
  policy: Network | undefined;
}

/** All networks of a learner; those that its recipe does not have are undefined, or an empty list. */
export interface Networks extends Critics {
  /** π_θ. */
  policy: Network;
  /** ζ, of the shape of w. */
  auxiliaryWeights: Network | undefined;
  /** What is trained of a temperature. */
  duals: Partial<Record<DualName, Float64Array>>;
  /** Parameters with a bar: they follow the online ones, without gradient. */
  target: Critics;
  /** π_φ. */
  priorPolicy: Network | undefined;
}

/** Named slices of one buffer. */
export interface NamedValues {
  specs: ParameterSpec[];
  values: Float64Array;
}

/** Fresh networks; `uniform` draws from [0, 1), in file order. ζ starts at 0, a temperature where the config says. */
export function createNetworks(
  sizes: Sizes,
  recipe: Recipe,
  config: ReferenceConfig,
  uniform: () => number,
): Networks {
  const fresh = (layout: NetworkLayout) => freshNetwork(layout, config.network.initialise, uniform);

  // drawn, in file order
  const policy = fresh(policyLayout(sizes, recipe.policy));
  const actionValues = Array.from({ length: config.network.actionValues }, (_, i) =>
    fresh(actionValueLayout(sizes, `actionValue.${i}`)),
  );
  const stateValue =
    recipe.stateValueTarget === 'none' ? undefined : fresh(stateValueLayout(sizes));

  return {
    policy,
    actionValues,
    stateValue,
    auxiliaryWeights: recipe.mStep === 'projected' ? zeroWeights(sizes) : undefined,
    duals: initialDuals(sizes, config),
    target: targetsOf(sizes, recipe, { policy, actionValues, stateValue }),
    priorPolicy:
      recipe.actionValueTarget === 'priorPolicy'
        ? copyOf(policy, policyLayout(sizes, recipe.policy, 'priorPolicy'))
        : undefined,
  };
}

function zeroWeights(sizes: Sizes): Network {
  const layout = actionValueLayout(sizes, 'auxiliaryWeights');
  return { layout, values: new Float64Array(layout.length) };
}

function initialDuals({ action }: Sizes, { temperature }: ReferenceConfig): Networks['duals'] {
  const vector = (name: DualName, length: number, value: number) =>
    constantVector(vectorSpec(name, length), value);
  if (temperature.kind === 'tuned') {
    return { logTemperature: vector('logTemperature', 1, Math.log(temperature.initial)) };
  }
  if (temperature.kind !== 'dual') return {};
  const { initial, initialMeanMultiplier, initialCovarianceMultiplier } = temperature;
  const start = (name: DualName, length: number, value: number) =>
    vector(name, length, dualStart(value));
  return {
    dualTemperature: start('dualTemperature', 1, initial),
    meanMultiplier: start('meanMultiplier', action, initialMeanMultiplier),
    covarianceMultiplier: start('covarianceMultiplier', action, initialCovarianceMultiplier),
  };
}

/** The copies that the recipe's targets read. */
function targetsOf(
  sizes: Sizes,
  { actionValueTarget, policy: kind }: Recipe,
  { policy, actionValues, stateValue }: { policy: Network } & Critics,
): Critics {
  const readsState = actionValueTarget === 'stateValue' && stateValue !== undefined;
  const readsPolicy = actionValueTarget === 'targetPolicy';
  return {
    stateValue: readsState
      ? copyOf(stateValue, stateValueLayout(sizes, 'target.stateValue'))
      : undefined,
    actionValues:
      actionValueTarget === 'stateValue'
        ? []
        : actionValues.map((network, i) =>
            copyOf(network, actionValueLayout(sizes, `target.actionValue.${i}`)),
          ),
    policy: readsPolicy ? copyOf(policy, policyLayout(sizes, kind, 'target.policy')) : undefined,
  };
}

/** What receives gradient, in file order. */
export function trainedValues(networks: Networks): NamedValues[] {
  const { policy, actionValues, stateValue, auxiliaryWeights, duals } = networks;
  const vectors = Object.entries(duals).map(([name, values]) => ({
    specs: [vectorSpec(name, values.length)],
    values,
  }));
  return [...named([policy, ...actionValues, stateValue, auxiliaryWeights]), ...vectors];
}

/** What receives none, in file order. */
export function targetValues({ target, priorPolicy }: Networks): NamedValues[] {
  return named([target.stateValue, ...target.actionValues, target.policy, priorPolicy]);
}

function named(networks: readonly (Network | undefined)[]): NamedValues[] {
  return networks
    .filter((network) => network !== undefined)
    .map(({ layout, values }) => ({ specs: parameterSpecs(layout), values }));
}
