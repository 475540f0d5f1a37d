/**
 * Cases of the learner's tests: sizes, parameters, batches and noise from named seeds. A case knows no engine.
 *
 * Every number is a float32 number held in a Float32Array, so that learners of both precisions read the same inputs.
 */

import type { Batch, Parameters } from '../../src/engine.js';
import type { ReferenceConfig, ReferenceLearner, TaskSizes } from '../../src/reference/index.js';
import { actionValueForward } from '../../src/reference/networks/action-value.js';
import {
  actionValueLayout,
  type Network,
  type NetworkLayout,
  parameterSpecs,
  policyLayout,
  type Sizes,
  stateValueLayout,
  targetStateValueLayout,
} from '../../src/reference/networks/layout.js';
import type { Pass } from '../../src/reference/networks/multilayer-perceptron.js';
import { LOG_STD_BOUNDS, policyForward } from '../../src/reference/networks/policy.js';
import { stateValueForward } from '../../src/reference/networks/state-value.js';
import { initialiseStream } from '../../src/reference/random.js';
import { norm } from './tolerance.js';

/** Draws of a case. */
export interface Draw {
  /** Uniform on [0, 1). */
  uniform(): number;
  /** Uniform on [low, high). */
  between(low: number, high: number): number;
  /** Standard normal. */
  normal(): number;
}

/** One batch with its noise. */
export interface Step {
  batch: Batch<Float32Array>;
  noise: Float32Array;
  /** Rows drawn again because float32 might have taken the other side of a kink. */
  redrawn: number;
}

/** Sizes of the four tasks that the package ships. */
export const TASKS: Record<string, TaskSizes> = {
  'HalfCheetah-v5': { observationSize: 17, actionSize: 6 },
  'Hopper-v5': { observationSize: 11, actionSize: 3 },
  'Walker2d-v5': { observationSize: 17, actionSize: 6 },
  'InvertedPendulum-v5': { observationSize: 4, actionSize: 1 },
};

/** The `paper` preset's values for what a learner reads. */
export const PAPER: ReferenceConfig = {
  seed: 0,
  discount: 0.99,
  network: { hidden: [300, 300] },
  optim: {
    policyLearningRate: 3e-4,
    actionValueLearningRate: 3e-4,
    stateValueLearningRate: 3e-4,
    targetUpdateRate: 1e-3,
  },
  temperature: { kind: 'fixed', temperature: 1 },
  policyRegulariser: { mean: 1e-3, logStd: 1e-3 },
};

/** The `paper` preset's batch. */
export const PAPER_ROWS = 128;

/** Draws that depend on `seed` alone. */
export function drawOf(seed: number): Draw {
  const uniform = initialiseStream(seed);
  return {
    uniform,
    between: (low, high) => low + (high - low) * uniform(),
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
  };
}

/**
 * Parameters at random scales: each layer's weights have standard deviation g/√in, its biases g/3, with log₂ g uniform on
 * [−1, 1]. Unlike a fresh head, near zero, no layer hides the errors of those behind it; the target differs from V.
 */
export function randomScaleParameters(sizes: Sizes, draw: Draw): Parameters<Float32Array> {
  const parameters: Parameters<Float32Array> = {};
  for (const layout of layoutsOf(sizes)) {
    for (const [weight, bias] of pairs(parameterSpecs(layout))) {
      const gain = 2 ** draw.between(-1, 1);
      const deviation = gain / Math.sqrt(weight.shape[1] ?? 1);
      parameters[weight.name] = {
        shape: weight.shape,
        data: normals(weight.length, draw, deviation),
      };
      parameters[bias.name] = { shape: bias.shape, data: normals(bias.length, draw, gain / 3) };
    }
  }
  return parameters;
}

/** A batch and noise as training has them: observations and noise N(0, 1), actions U(±1), rewards N(1, 2²), d = 1 in 10 %. */
export function drawStep(task: TaskSizes, rows: number, draw: Draw): Step {
  const batch = {
    observations: normals(rows * task.observationSize, draw, 1),
    actions: Float32Array.from({ length: rows * task.actionSize }, () => draw.between(-1, 1)),
    rewards: normals(rows, draw, 2).map((reward) => 1 + reward),
    nextObservations: normals(rows * task.observationSize, draw, 1),
    terminated: Float32Array.from({ length: rows }, () => (draw.uniform() < 0.1 ? 1 : 0)),
  };
  return { batch, noise: normals(rows * task.actionSize, draw, 1), redrawn: 0 };
}

/**
 * As {@link drawStep}, with each row drawn again until all that `learner` computes from it stays {@link KINK_MARGIN}
 * away from every ReLU's kink and from log σ's clip.
 *
 * By row, not by batch: 128 rows through 3,000 units meet a kink nearly always, one row in some twenty.
 */
export function drawStepOffKinks(
  learner: ReferenceLearner,
  sizes: Sizes,
  rows: number,
  draw: Draw,
  margin = KINK_MARGIN,
): Step {
  const task = { observationSize: sizes.observation, actionSize: sizes.action };
  const networks = networksOf(learner.parameters(), sizes);
  const step = drawStep(task, rows, draw);
  let near = rowsNearKinks(networks, sizes, step, rows, margin);
  while (near.length > 0) {
    step.redrawn += near.length;
    if (step.redrawn > 20 * rows) throw new Error(`kinks everywhere: ${step.redrawn} rows redrawn`);
    const fresh = drawStep(task, near.length, draw);
    const again = rowsNearKinks(networks, sizes, fresh, near.length, margin);
    near.forEach((row, i) => {
      copyRow(step, row, fresh, i, sizes);
    });
    near = again.map((i) => near[i] as number);
  }
  return step;
}

/** Distance from a kink within which float32 may take its other side, in units of 1 or of the layer's own size if larger. */
export const KINK_MARGIN = 1e-5;

function rowsNearKinks(
  { policy, actionValue, stateValue, targetStateValue }: ReturnType<typeof networksOf>,
  sizes: Sizes,
  { batch, noise }: Step,
  rows: number,
  margin: number,
): number[] {
  const observations = Float64Array.from(batch.observations);
  const actions = Float64Array.from(batch.actions);
  const nextObservations = Float64Array.from(batch.nextObservations);

  const pi = policyForward(policy, observations);
  const action = pi.mean.map((mean, i) =>
    Math.tanh(mean + Math.exp(pi.logStd[i] as number) * (noise[i] as number)),
  );
  const passes: Pass[] = [
    pi.pass,
    actionValueForward(actionValue, observations, actions, rows).pass,
    actionValueForward(actionValue, observations, action, rows).pass,
    stateValueForward(stateValue, observations).pass,
    stateValueForward(targetStateValue, nextObservations).pass,
  ];

  const near = new Set<number>();
  const mark = (values: Float64Array, kink: number, width: number) => {
    const size = Math.max(1, norm(values) / Math.sqrt(values.length));
    values.forEach((value, i) => {
      if (Math.abs(value - kink) < margin * size) near.add(Math.floor(i / width));
    });
  };
  for (const { preActivations } of passes) {
    for (const values of preActivations) mark(values, 0, values.length / rows);
  }
  mark(pi.unclippedLogStd, LOG_STD_BOUNDS.low, sizes.action);
  mark(pi.unclippedLogStd, LOG_STD_BOUNDS.high, sizes.action);
  return [...near];
}

function copyRow(into: Step, row: number, from: Step, fromRow: number, sizes: Sizes): void {
  const copy = (target: Float32Array, source: Float32Array, width: number) => {
    target.set(source.subarray(fromRow * width, (fromRow + 1) * width), row * width);
  };
  copy(into.batch.observations, from.batch.observations, sizes.observation);
  copy(into.batch.actions, from.batch.actions, sizes.action);
  copy(into.batch.rewards, from.batch.rewards, 1);
  copy(into.batch.nextObservations, from.batch.nextObservations, sizes.observation);
  copy(into.batch.terminated, from.batch.terminated, 1);
  copy(into.noise, from.noise, sizes.action);
}

/** The networks behind named parameters. */
function networksOf(parameters: Parameters<Float64Array>, sizes: Sizes) {
  const networkOf = (layout: NetworkLayout): Network => {
    const values = new Float64Array(layout.length);
    for (const { name, offset } of parameterSpecs(layout)) {
      values.set(parameters[name]?.data ?? [], offset);
    }
    return { layout, values };
  };
  return {
    policy: networkOf(policyLayout(sizes)),
    actionValue: networkOf(actionValueLayout(sizes)),
    stateValue: networkOf(stateValueLayout(sizes)),
    targetStateValue: networkOf(targetStateValueLayout(sizes)),
  };
}

function layoutsOf(sizes: Sizes): NetworkLayout[] {
  return [
    policyLayout(sizes),
    actionValueLayout(sizes),
    stateValueLayout(sizes),
    targetStateValueLayout(sizes),
  ];
}

/** [a, b, c, d] as [[a, b], [c, d]]. */
function pairs<T>(values: readonly T[]): [T, T][] {
  return values.flatMap((value, i) =>
    i % 2 === 0 ? [[value, values[i + 1] as T] satisfies [T, T]] : [],
  );
}

function normals(length: number, draw: Draw, deviation: number): Float32Array {
  return Float32Array.from({ length }, () => deviation * draw.normal());
}

/** The data of named parameters, for comparison. */
export function dataOf(
  parameters: Parameters<Float32Array> | Parameters<Float64Array>,
): Record<string, ArrayLike<number>> {
  return Object.fromEntries(Object.entries(parameters).map(([name, { data }]) => [name, data]));
}
