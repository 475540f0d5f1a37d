/**
 * Rows whose numbers lie so near a kink that float32 may take its other side: ReLUs, the clip of log σ, and the minimum of
 * two Q, over all passes that a recipe makes.
 */

import { recipeOf } from '../../src/algorithms/recipe.js';
import type { Parameters } from '../../src/engine.js';
import { drawCounts } from '../../src/reference/agents/draws.js';
import {
  type ReferenceConfig,
  sampleTanhGaussian,
  type TaskSizes,
} from '../../src/reference/index.js';
import { actionValueForward } from '../../src/reference/networks/action-value.js';
import type { Network } from '../../src/reference/networks/layout.js';
import type { Pass } from '../../src/reference/networks/multilayer-perceptron.js';
import {
  createNetworks,
  type Networks,
  targetValues,
  trainedValues,
} from '../../src/reference/networks/networks.js';
import { LOG_STD_BOUNDS, policyForward } from '../../src/reference/networks/policy.js';
import { repeatRows } from '../../src/reference/networks/repeat.js';
import { stateValueForward } from '../../src/reference/networks/state-value.js';
import type { Step } from './cases.js';
import { norm } from './tolerance.js';

/** Distance from a kink within which float32 may take its other side, in units of 1 or of the layer's own size if larger. */
export const KINK_MARGIN = 1e-5;

/** The networks of a learner, at its parameters. */
export function networksOf(
  task: TaskSizes,
  config: ReferenceConfig,
  parameters: Parameters<Float64Array>,
): Networks {
  const sizes = {
    observation: task.observationSize,
    action: task.actionSize,
    hidden: config.network.hidden,
    policyHidden: config.network.policyHidden,
  };
  const networks = createNetworks(sizes, recipeOf(config), config, () => 0);
  for (const { specs, values } of [...trainedValues(networks), ...targetValues(networks)]) {
    for (const { name, offset } of specs) values.set(parameters[name]?.data ?? [], offset);
  }
  return networks;
}

/** Numbers with a kink each, several rows of them for each row of the batch where actions were drawn K times. */
interface Kinked {
  values: Float64Array;
  kink: number;
}

/** Rows within `margin` of a kink. */
export function rowsNearKinks(
  networks: Networks,
  config: ReferenceConfig,
  step: Step,
  rows: number,
  margin: number,
): number[] {
  const near = new Set<number>();
  for (const { values, kink } of kinksOf(networks, config, step, rows)) {
    const size = Math.max(1, norm(values) / Math.sqrt(values.length));
    const width = values.length / rows;
    values.forEach((value, i) => {
      if (Math.abs(value - kink) < margin * size) near.add(Math.floor(i / width));
    });
  }
  return [...near];
}

/** All kinks that the losses of `config` meet on `step`. */
function kinksOf(
  networks: Networks,
  config: ReferenceConfig,
  { batch, noise }: Step,
  rows: number,
): Kinked[] {
  const recipe = recipeOf(config);
  const observations = Float64Array.from(batch.observations);
  const nextObservations = Float64Array.from(batch.nextObservations);
  const actions = Float64Array.from(batch.actions);
  const { state } = drawCounts(recipe, config.eStep.samples);
  const { own: noiseHere, next: noiseThere } = splitNoise(
    noise,
    rows,
    state * (actions.length / rows),
  );
  const at = (policy: Network | undefined, states: Float64Array, xi: Float64Array) =>
    actionsOf(policy as Network, states, xi, rows);

  // what the losses of V and Q regress
  const kinks = networks.actionValues.flatMap((q) =>
    reluKinks(actionValueForward(q, observations, actions, rows).pass),
  );
  if (networks.stateValue) {
    kinks.push(...reluKinks(stateValueForward(networks.stateValue, observations).pass));
  }

  // actions at s
  const own = at(networks.policy, observations, noiseHere);
  kinks.push(...own.kinks);
  if (recipe.policyObjective === 'weightedLikelihood') {
    const prior = at(networks.priorPolicy, observations, noiseHere);
    const critics = networks.target.actionValues;
    kinks.push(...prior.kinks, ...criticKinks(critics, observations, prior, rows));
  } else {
    kinks.push(...criticKinks(networks.actionValues, observations, own, rows));
    if (networks.priorPolicy)
      kinks.push(...at(networks.priorPolicy, observations, noiseHere).kinks);
  }

  // what the targets read at s′
  const critics =
    recipe.mStep === 'projected' ? networks.actionValues : networks.target.actionValues;
  if (recipe.mStep !== 'projected' && networks.target.stateValue) {
    kinks.push(...reluKinks(stateValueForward(networks.target.stateValue, nextObservations).pass));
  } else {
    const policy = networks.priorPolicy ?? networks.target.policy ?? networks.policy;
    const next = at(policy, nextObservations, noiseThere);
    kinks.push(...next.kinks, ...criticKinks(critics, nextObservations, next, rows));
  }
  return kinks;
}

/** K actions at each state, and the kinks of the policy's pass. */
interface Actions {
  action: Float64Array;
  samples: number;
  kinks: Kinked[];
}

/** Actions of a policy, K for K columns of noise; tanh μ where it is deterministic. */
function actionsOf(
  policy: Network,
  observations: Float64Array,
  noise: Float64Array,
  rows: number,
): Actions {
  const { pass, mean, logStd, unclippedLogStd } = policyForward(policy, observations);
  const relus = reluKinks(pass);
  if (logStd.length === 0) return { action: mean.map(Math.tanh), samples: 1, kinks: relus };
  const clips = Object.values(LOG_STD_BOUNDS).map((kink) => ({ values: unclippedLogStd, kink }));
  const samples = noise.length / mean.length;
  const repeated = (values: Float64Array) => repeatRows(values, rows, samples);
  const { action } = sampleTanhGaussian(repeated(mean), repeated(logStd), noise, rows * samples);
  return { action, samples, kinks: [...relus, ...clips] };
}

/** ReLUs of each Q, and the minimum of two. */
function criticKinks(
  critics: readonly Network[],
  observations: Float64Array,
  { action, samples }: Actions,
  rows: number,
): Kinked[] {
  const passes = critics.map((q) =>
    actionValueForward(q, repeatRows(observations, rows, samples), action, rows * samples),
  );
  const [one, two] = passes.map(({ values }) => values);
  const tie = one && two ? [{ values: one.map((q, i) => q - (two[i] as number)), kink: 0 }] : [];
  return [...passes.flatMap(({ pass }) => reluKinks(pass)), ...tie];
}

function reluKinks({ preActivations }: Pass): Kinked[] {
  return preActivations.map((values) => ({ values, kink: 0 }));
}

/** The first `width` values of each row, for s, and the others, for s′. */
function splitNoise(noise: Float32Array, rows: number, width: number) {
  const stride = noise.length / rows;
  const columns = (from: number, to: number) =>
    Float64Array.from({ length: rows * (to - from) }, (_, i) => {
      const row = Math.floor(i / (to - from));
      return noise[row * stride + from + (i % (to - from))] as number;
    });
  return { own: columns(0, width), next: columns(width, stride) };
}
