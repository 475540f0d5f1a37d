/**
 * The learner over the reference's equations: parameters by name, checked inputs, a step on a given batch and noise.
 */

import type {
  Batch,
  Learner,
  Parameter,
  Parameters,
  StepGradients,
  StepOptions,
} from '../engine.js';
import type { Recipe } from './agents/recipe.js';
import { VIREL } from './agents/virel.js';
import { bellmanTarget } from './bellman.js';
import type { PolicyRegulariser } from './e-step.js';
import {
  applyEStep,
  applyMStep,
  createOptimisers,
  type EStepGradients,
  eStepGradients,
  type MStepGradients,
  mStepGradients,
  type OptimiserSettings,
  type Optimisers,
  sampleAction,
  type Transitions,
} from './gradient-step.js';
import { atLeastOneRow, expectParameter, expectVector, type Vector } from './inputs.js';
import { actionValueForward } from './networks/action-value.js';
import { type Networks, rlkit } from './networks/initialise.js';
import { type Network, parameterSpecs, type Sizes, slice } from './networks/layout.js';
import { policyForward } from './networks/policy.js';
import { stateValueForward } from './networks/state-value.js';
import { initialiseStream } from './random.js';
import { residualError } from './residual.js';
import { type FixedTemperature, temperatureInUse } from './temperature.js';

/** The widths that come from the task. */
export interface TaskSizes {
  /** O. */
  observationSize: number;
  /** A. */
  actionSize: number;
}

/** What a learner reads of a config; a resolved config of `virel` is one. */
export interface ReferenceConfig {
  /** Seed of the initial parameters. */
  seed: number;
  /** γ. */
  discount: number;
  network: { hidden: readonly number[] };
  optim: OptimiserSettings;
  temperature: FixedTemperature;
  policyRegulariser: PolicyRegulariser;
}

/** A learner in float64, and the halves of its step. Inputs are float32 or float64. */
export interface ReferenceLearner extends Learner<Float64Array> {
  gradients(
    batch: Batch<Vector>,
    noise: Vector,
    options?: StepOptions,
  ): StepGradients<Float64Array>;
  update(
    batch: Batch<Vector>,
    noise: Vector,
    options?: StepOptions,
  ): StepGradients<Float64Array>['losses'];
  /** The M-step alone: Q and V on their losses, then the target. The policy only gives ã. */
  mStep(batch: Batch<Vector>, noise: Vector): { actionValue: number; stateValue: number };
  /** The E-step alone: π on its loss. Q only gives ∂Q/∂ã. */
  eStep(batch: Batch<Vector>, noise: Vector, options?: StepOptions): { policy: number };
  /** ε_w on the batch: mean (r + γ(1−d) V_φ(s′) − Q_w(s, a))², online V (paper.md A7); no gradient, in return². */
  residualError(batch: Batch<Vector>): number;
  /** Actions in [−1, 1], `[n, A]`: tanh(μ + σξ) with `noise` ξ `[n, A]`, tanh μ without. */
  act(observations: Vector, noise?: Vector): Float64Array;
}

/**
 * A learner with fresh parameters (rlkit's scheme, drawn by `config.seed`).
 *
 * @param task widths of observation and action, such as an entry of `listEnvironments()`.
 * @param recipe the algorithm's parts.
 * @returns a learner whose methods throw VirelError `LENGTH_MISMATCH` naming the argument, `ARGUMENT_TYPE` if it is no
 *   float array, `PARAMETER_SHAPE` on an unknown name or another shape, `NOT_FINITE` on NaN or an infinity; before
 *   anything is changed.
 */
export function createLearner(
  task: TaskSizes,
  config: ReferenceConfig,
  recipe: Recipe = VIREL,
): ReferenceLearner {
  const sizes: Sizes = {
    observation: task.observationSize,
    action: task.actionSize,
    hidden: config.network.hidden,
  };
  const networks = rlkit(sizes, initialiseStream(config.seed));
  return learnerOf({ sizes, config, recipe, networks, optimisers: createOptimisers(networks) });
}

/** All that a learner holds. */
interface State {
  sizes: Sizes;
  config: ReferenceConfig;
  recipe: Recipe;
  networks: Networks;
  optimisers: Optimisers;
}

function learnerOf(state: State): ReferenceLearner {
  const { sizes, config, recipe, networks, optimisers } = state;

  const bothSteps = (batch: Batch<Vector>, noise: Vector, options?: StepOptions) => {
    const temperature = temperatureInUse(config.temperature, options?.temperature);
    const { transitions, sampled } = sampledBatch(state, batch, noise);
    const m = mStepGradients(recipe, networks, transitions, sampled, config);
    const regulariser = config.policyRegulariser;
    const e = eStepGradients(recipe, networks, sampled, { temperature, regulariser });
    return { m, e, temperature };
  };

  return {
    parameters: () => namedParameters(networks),
    setParameters: (parameters) => setParameters(networks, parameters),
    gradients(batch, noise, options) {
      const { m, e, temperature } = bothSteps(batch, noise, options);
      return { losses: lossesOf(m, e), gradients: namedGradients(networks, m, e), temperature };
    },
    update(batch, noise, options) {
      const { m, e } = bothSteps(batch, noise, options);
      applyMStep(recipe, networks, optimisers, m, config.optim);
      applyEStep(recipe, networks, optimisers, e, config.optim);
      return lossesOf(m, e);
    },
    mStep(batch, noise) {
      const { transitions, sampled } = sampledBatch(state, batch, noise);
      const m = mStepGradients(recipe, networks, transitions, sampled, config);
      applyMStep(recipe, networks, optimisers, m, config.optim);
      return m.losses;
    },
    eStep(batch, noise, options) {
      const temperature = temperatureInUse(config.temperature, options?.temperature);
      const { sampled } = sampledBatch(state, batch, noise);
      const regulariser = config.policyRegulariser;
      const e = eStepGradients(recipe, networks, sampled, { temperature, regulariser });
      applyEStep(recipe, networks, optimisers, e, config.optim);
      return { policy: e.loss };
    },
    residualError: (batch) =>
      batchResidualError(networks, transitionsOf(sizes, batch), config.discount),
    act: (observations, noise) => act(state, observations, noise),
  };
}

/** The checked batch in float64, with the action that its step shares. */
function sampledBatch(state: State, batch: Batch<Vector>, noise: Vector) {
  const { sizes, recipe, networks } = state;
  const transitions = transitionsOf(sizes, batch);
  const checkedNoise = expectVector('noise', noise, transitions.rows * sizes.action);
  return { transitions, sampled: sampleAction(recipe, networks, transitions, checkedNoise) };
}

/** ε_w with the online V. */
function batchResidualError(networks: Networks, batch: Transitions, discount: number): number {
  const next = stateValueForward(networks.stateValue, batch.nextObservations).values;
  const target = bellmanTarget(batch.rewards, batch.terminated, discount, next);
  const { observations, actions, rows } = batch;
  const actionValue = actionValueForward(networks.actionValue, observations, actions, rows);
  return residualError(actionValue.values, target);
}

function act(
  { sizes, recipe, networks }: State,
  observations: Vector,
  noise?: Vector,
): Float64Array {
  const rows = Math.max(1, Math.ceil(observations.length / sizes.observation));
  const checked = expectVector('observations', observations, rows * sizes.observation);
  const { mean, logStd } = policyForward(networks.policy, checked);
  if (noise === undefined) return mean.map(Math.tanh);
  const checkedNoise = expectVector('noise', noise, rows * sizes.action);
  return recipe.samplePolicy(mean, logStd, checkedNoise, rows).action;
}

function transitionsOf(sizes: Sizes, batch: Batch<Vector>): Transitions {
  const rows = atLeastOneRow('rewards', batch.rewards);
  return {
    rows,
    observations: expectVector('observations', batch.observations, rows * sizes.observation),
    actions: expectVector('actions', batch.actions, rows * sizes.action),
    rewards: expectVector('rewards', batch.rewards, rows),
    nextObservations: expectVector(
      'nextObservations',
      batch.nextObservations,
      rows * sizes.observation,
    ),
    terminated: expectVector('terminated', batch.terminated, rows),
  };
}

function lossesOf(m: MStepGradients, e: EStepGradients) {
  return { policy: e.loss, ...m.losses };
}

/** Gradients by parameter name; the target has none. */
function namedGradients(networks: Networks, m: MStepGradients, e: EStepGradients) {
  const gradients: Record<string, Float64Array> = {};
  const add = ({ layout }: Network, gradient: Float64Array) => {
    for (const spec of parameterSpecs(layout)) gradients[spec.name] = slice(gradient, spec).slice();
  };
  add(networks.policy, e.gradient);
  add(networks.actionValue, m.gradients.actionValue);
  add(networks.stateValue, m.gradients.stateValue);
  return gradients;
}

function networksOf({ policy, actionValue, stateValue, targetStateValue }: Networks): Network[] {
  return [policy, actionValue, stateValue, targetStateValue];
}

/** Copies of all parameters by name. */
function namedParameters(networks: Networks): Parameters<Float64Array> {
  const entries = networksOf(networks).flatMap(({ layout, values }) =>
    parameterSpecs(layout).map((spec): [string, Parameter<Float64Array>] => [
      spec.name,
      { shape: spec.shape, data: slice(values, spec).slice() },
    ]),
  );
  return Object.fromEntries(entries);
}

/** Checks all of `parameters`, then writes them. */
function setParameters(networks: Networks, parameters: Parameters<Vector>): void {
  const known = new Map(
    networksOf(networks).flatMap(({ layout, values }) =>
      parameterSpecs(layout).map((spec) => [spec.name, { spec, values: slice(values, spec) }]),
    ),
  );
  const checked = Object.entries(parameters).map(([name, given]) => {
    const target = known.get(name);
    const data = expectParameter(name, given, target?.spec.shape, [...known.keys()]);
    return { data, values: target?.values };
  });
  for (const { data, values } of checked) values?.set(data);
}
