/**
 * The networks of a recipe, in the order of their files: policy, action values, state value, auxiliary weights, the logs of a
 * trained temperature, then what receives no gradient: targets and MPO's prior policy, which start as copies.
 */

import type { Recipe } from '../../algorithms/recipe.js';
import type { ReferenceConfig } from '../agents/settings.js';
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

/** The logs of a trained temperature and of MPO's multipliers, by their parameters' names; one value, A, A. */
export type LogName = 'logTemperature' | 'logMeanMultiplier' | 'logCovarianceMultiplier';

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
  /** Logs that are trained. */
  logs: Partial<Record<LogName, Float64Array>>;
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

/** Fresh networks; `uniform` draws from [0, 1), in file order. ζ starts at 0, logs at what the config says. */
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
    logs: initialLogs(sizes, config),
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

function initialLogs({ action }: Sizes, { temperature }: ReferenceConfig): Networks['logs'] {
  if (temperature.kind !== 'tuned' && temperature.kind !== 'dual') return {};
  const vector = (name: LogName, length: number, initial: number) =>
    constantVector(vectorSpec(name, length), Math.log(initial));
  const logTemperature = vector('logTemperature', 1, temperature.initial);
  if (temperature.kind === 'tuned') return { logTemperature };
  const { initialMeanMultiplier, initialCovarianceMultiplier } = temperature;
  return {
    logTemperature,
    logMeanMultiplier: vector('logMeanMultiplier', action, initialMeanMultiplier),
    logCovarianceMultiplier: vector('logCovarianceMultiplier', action, initialCovarianceMultiplier),
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
  const { policy, actionValues, stateValue, auxiliaryWeights, logs } = networks;
  const vectors = Object.entries(logs).map(([name, values]) => ({
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
