/**
 * The learner over the reference's equations: parameters by name, checked inputs, a step on a given batch and noise.
 */

import { type Recipe, recipeOf } from '../algorithms/recipe.js';
import type {
  Batch,
  Learner,
  Parameter,
  Parameters,
  StepGradients,
  StepLosses,
  StepOptions,
} from '../engine.js';
import { EQUATIONS, type Equations } from './agents/equations.js';
import { type Parts, partsOf } from './agents/recipe.js';
import type { ReferenceConfig } from './agents/settings.js';
import type { StepInputs, Transitions } from './agents/step-inputs.js';
import {
  applyEStep,
  applyMStep,
  createOptimisers,
  type EStepGradients,
  eStepGradients,
  type MStepGradients,
  mStepGradients,
  type Steppable,
  updateCriticTargets,
  updatePolicyTargets,
} from './gradient-step.js';
import { atLeastOneRow, expectParameter, expectVector, type Vector } from './inputs.js';
import { actionValueForward } from './networks/action-value.js';
import type { Sizes } from './networks/layout.js';
import { slice } from './networks/layout.js';
import {
  createNetworks,
  type DualName,
  type NamedValues,
  type Networks,
  targetValues,
  trainedValues,
} from './networks/networks.js';
import { policyForward } from './networks/policy.js';
import { initialiseStream } from './random.js';
import { followsResidual, temperatureInUse } from './temperature.js';

/** The widths that come from the task. */
export interface TaskSizes {
  /** O. */
  observationSize: number;
  /** A. */
  actionSize: number;
}

/**
 * A learner in float64, and the halves of its step. Inputs are float32 or float64; `noise` is `[B, D, A]`, the draws of a
 * row for s before those for s′ (`noiseDraws`); an empty array where a recipe draws nothing.
 */
export interface ReferenceLearner extends Learner<Float64Array> {
  gradients(
    batch: Batch<Vector>,
    noise: Vector,
    options?: StepOptions,
  ): StepGradients<Float64Array>;
  update(batch: Batch<Vector>, noise: Vector, options?: StepOptions): StepLosses;
  /** The M-step alone: Q, V and ζ on their losses, then the critics' targets. The policy only gives actions. */
  mStep(batch: Batch<Vector>, noise: Vector, options?: StepOptions): MStepGradients['losses'];
  /** The E-step alone: π and a trained temperature on their losses, then the policies' targets. Q is a constant. */
  eStep(batch: Batch<Vector>, noise: Vector, options?: StepOptions): EStepGradients['losses'];
  /**
   * ε_w on the batch, in return²: mean (y − Q_w(s, a))² with the algorithm's own y, of the networks that
   * `residual.stateValue` names (paper.md A7), averaged over two Q; no gradient, no factor ½.
   *
   * @param noise the draws for s′ alone, `[B, D′, A]`; none where the target draws no action.
   */
  residualError(batch: Batch<Vector>, noise?: Vector, options?: StepOptions): number;
  /** Actions in [−1, 1], `[n, A]`: tanh(μ + σξ) with `noise` ξ `[n, A]`, tanh μ without. */
  act(observations: Vector, noise?: Vector): Float64Array;
  /** Q_0(s, a) of each pair, `[n]`, in units of return. */
  actionValue(observations: Vector, actions: Vector): Float64Array;
}

/**
 * A learner with fresh parameters, drawn by `config.seed`.
 *
 * @param task widths of observation and action, such as an entry of `listEnvironments()`.
 * @param config algorithm and constants; a resolved config is one.
 * @param equations what the step calls; tests replace some.
 * @returns a learner whose methods throw VirelError `LENGTH_MISMATCH` naming the argument, `ARGUMENT_TYPE` if it is no
 *   float array, `PARAMETER_SHAPE` on an unknown name or another shape, `NOT_FINITE` on NaN or an infinity; before
 *   anything is changed.
 * @throws VirelError `ALGORITHM_UNKNOWN`.
 */
export function createLearner(
  task: TaskSizes,
  config: ReferenceConfig,
  equations: Equations = EQUATIONS,
): ReferenceLearner {
  const sizes: Sizes = {
    observation: task.observationSize,
    action: task.actionSize,
    hidden: config.network.hidden,
    policyHidden: config.network.policyHidden,
  };
  const recipe = recipeOf(config);
  const networks = createNetworks(sizes, recipe, config, initialiseStream(config.seed));
  return learnerOf({
    sizes,
    config,
    recipe,
    equations,
    parts: partsOf(recipe, config),
    networks,
    optimisers: createOptimisers(networks),
    counts: { mSteps: 0, eSteps: 0 },
  });
}

/** All that a learner holds. */
interface State extends Steppable {
  sizes: Sizes;
  recipe: Recipe;
  parts: Parts;
}

function learnerOf(state: State): ReferenceLearner {
  const { parts, networks } = state;

  const bothSteps = (inputs: StepInputs) => {
    const drawn = parts.drawAtState(inputs);
    return {
      m: mStepGradients(parts, inputs, drawn),
      e: eStepGradients(parts, inputs, drawn),
    };
  };

  return {
    parameters: () => namedParameters(networks),
    setParameters: (parameters) => setParameters(networks, parameters),
    gradients(batch, noise, options) {
      const inputs = stepInputs(state, batch, noise, options);
      const { m, e } = bothSteps(inputs);
      return {
        losses: lossesOf(m, e),
        gradients: namedGradients(networks, m, e),
        temperature: inputs.temperature,
        ...residualErrorInUse(state),
      };
    },
    update(batch, noise, options) {
      const { m, e } = bothSteps(stepInputs(state, batch, noise, options));
      applyMStep(state, m);
      applyEStep(state, e);
      updateCriticTargets(state);
      updatePolicyTargets(state);
      return lossesOf(m, e);
    },
    mStep(batch, noise, options) {
      const inputs = stepInputs(state, batch, noise, options);
      const m = mStepGradients(parts, inputs, parts.drawAtState(inputs));
      applyMStep(state, m);
      updateCriticTargets(state);
      return m.losses;
    },
    eStep(batch, noise, options) {
      const inputs = stepInputs(state, batch, noise, options);
      const e = eStepGradients(parts, inputs, parts.drawAtState(inputs));
      applyEStep(state, e);
      updatePolicyTargets(state);
      return e.losses;
    },
    residualError: (batch, noise = new Float64Array(0), options) =>
      parts.residualError(residualInputs(state, batch, noise, options)),
    act: (observations, noise) => act(state, observations, noise),
    actionValue: (observations, actions) => actionValue(state, observations, actions),
  };
}

/** The checked inputs of a step, in float64. */
function stepInputs(
  state: State,
  batch: Batch<Vector>,
  noise: Vector,
  options?: StepOptions,
): StepInputs {
  const { equations, networks, config, sizes, parts } = state;
  const transitions = transitionsOf(sizes, batch);
  const draws = parts.draws.state + parts.draws.nextState;
  const checked = expectVector('noise', noise, transitions.rows * draws * sizes.action);
  return {
    equations,
    networks,
    config,
    batch: transitions,
    noise: splitColumns(checked, transitions.rows, parts.draws.state * sizes.action),
    temperature: temperatureOf(state, options),
  };
}

/** The same of a residual error, which draws at s′ alone. */
function residualInputs(
  state: State,
  batch: Batch<Vector>,
  noise: Vector,
  options?: StepOptions,
): StepInputs {
  const { equations, networks, config, sizes, parts } = state;
  const transitions = transitionsOf(sizes, batch);
  const length = transitions.rows * parts.draws.nextState * sizes.action;
  const nextState = expectVector('noise', noise, length);
  return {
    equations,
    networks,
    config,
    batch: transitions,
    noise: { state: new Float64Array(0), nextState },
    temperature: temperatureOf(state, options),
  };
}

function temperatureOf({ config, networks }: State, options: StepOptions | undefined): number {
  const inputs = {
    discount: config.discount,
    residualError: config.residual.warmupValue,
    trained: (networks.duals.logTemperature ?? networks.duals.dualTemperature)?.[0] ?? 0,
  };
  return temperatureInUse(config.temperature, inputs, options?.temperature);
}

/** ε_w in use where the temperature follows it: without a buffer it is the value of the warm-up. */
function residualErrorInUse({ config }: State): { residualError?: number } {
  return followsResidual(config.temperature) ? { residualError: config.residual.warmupValue } : {};
}

/** The first `width` columns of each row for s, the others for s′. */
function splitColumns(noise: Float64Array, rows: number, width: number) {
  const stride = noise.length / rows;
  const state = new Float64Array(rows * width);
  const nextState = new Float64Array(rows * (stride - width));
  for (let row = 0; row < rows; row++) {
    const own = noise.subarray(row * stride, (row + 1) * stride);
    state.set(own.subarray(0, width), row * width);
    nextState.set(own.subarray(width), row * (stride - width));
  }
  return { state, nextState };
}

function act(
  { sizes, equations, recipe, networks }: State,
  observations: Vector,
  noise?: Vector,
): Float64Array {
  const rows = rowsOf(observations, sizes.observation);
  const checked = expectVector('observations', observations, rows * sizes.observation);
  const { mean, logStd } = policyForward(networks.policy, checked);
  if (noise === undefined) return mean.map(Math.tanh);
  if (recipe.policy === 'deterministic') {
    expectVector('noise', noise, 0);
    return equations.deterministicAction(mean, rows).action;
  }
  const checkedNoise = expectVector('noise', noise, rows * sizes.action);
  return equations.samplePolicy(mean, logStd, checkedNoise, rows).action;
}

function actionValue(
  { sizes, networks }: State,
  observations: Vector,
  actions: Vector,
): Float64Array {
  const rows = rowsOf(observations, sizes.observation);
  const states = expectVector('observations', observations, rows * sizes.observation);
  const checked = expectVector('actions', actions, rows * sizes.action);
  return actionValueForward(networks.actionValues[0]!, states, checked, rows).values;
}

/** Rows that `values` begins; at least 1, so that a wrong length is told as such. */
function rowsOf(values: Vector, width: number): number {
  return Math.max(1, Math.ceil(values.length / width));
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

function lossesOf(m: MStepGradients, e: EStepGradients): StepLosses {
  const { policy, ...temperatures } = e.losses;
  return { policy, ...m.losses, ...temperatures };
}

/** Gradients by parameter name, in file order; targets have none. */
function namedGradients(networks: Networks, m: MStepGradients, e: EStepGradients) {
  const inFileOrder = [
    e.policy,
    ...m.actionValues,
    m.stateValue,
    m.auxiliaryWeights,
    ...Object.keys(networks.duals).map((name) => e.duals[name as DualName]),
  ].filter((gradient) => gradient !== undefined);

  const gradients: Record<string, Float64Array> = {};
  trainedValues(networks).forEach(({ specs }, i) => {
    for (const spec of specs) gradients[spec.name] = slice(inFileOrder[i]!, spec).slice();
  });
  return gradients;
}

function allValues(networks: Networks): NamedValues[] {
  return [...trainedValues(networks), ...targetValues(networks)];
}

/** Copies of all parameters by name. */
function namedParameters(networks: Networks): Parameters<Float64Array> {
  const entries = allValues(networks).flatMap(({ specs, values }) =>
    specs.map((spec): [string, Parameter<Float64Array>] => [
      spec.name,
      { shape: spec.shape, data: slice(values, spec).slice() },
    ]),
  );
  return Object.fromEntries(entries);
}

/** Checks all of `parameters`, then writes them. */
function setParameters(networks: Networks, parameters: Parameters<Vector>): void {
  const known = new Map(
    allValues(networks).flatMap(({ specs, values }) =>
      specs.map((spec) => [spec.name, { spec, values: slice(values, spec) }]),
    ),
  );
  const checked = Object.entries(parameters).map(([name, given]) => {
    const target = known.get(name);
    const data = expectParameter(name, given, target?.spec.shape, [...known.keys()]);
    return { data, values: target?.values };
  });
  for (const { data, values } of checked) values?.set(data);
}
