/**
 * Cases of the learner's tests: sizes, parameters, batches and noise from named seeds. A case knows no engine.
 *
 * Every number is a float32 number held in a Float32Array, so that learners of both precisions read the same inputs.
 */

import { noiseDraws, recipeOf } from '../../src/algorithms/recipe.js';
import type { Batch, Parameters } from '../../src/engine.js';
import type { ReferenceConfig, ReferenceLearner, TaskSizes } from '../../src/reference/index.js';
import { initialiseStream } from '../../src/reference/random.js';
import { KINK_MARGIN, networksOf, rowsNearKinks } from './kinks.js';

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

/** Sizes of tasks, from the smallest to the largest that the package ships. */
export const TASKS: Record<string, TaskSizes> = {
  'InvertedPendulum-v5': { observationSize: 4, actionSize: 1 },
  'Reacher-v5': { observationSize: 10, actionSize: 2 },
  'Hopper-v5': { observationSize: 11, actionSize: 3 },
  'HalfCheetah-v5': { observationSize: 17, actionSize: 6 },
  'Walker2d-v5': { observationSize: 17, actionSize: 6 },
  'Pusher-v5': { observationSize: 23, actionSize: 7 },
  'Ant-v5': { observationSize: 105, actionSize: 8 },
  'Humanoid-v5': { observationSize: 348, actionSize: 17 },
};

/** Draws that depend on `seed` alone. */
export function drawOf(seed: number): Draw {
  const uniform = initialiseStream(seed);
  return {
    uniform,
    between: (low, high) => low + (high - low) * uniform(),
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
  };
}

/** How far MPO's prior policy lies from the policy, in the policy's own scales: as after some tens of steps. */
const PRIOR_DISTANCE = 0.03;

/**
 * Parameters at random scales for a learner: each layer's weights have standard deviation g/√in, its biases g/3, with log₂ g
 * uniform on [−1, 1]. Unlike a fresh head, near zero, no layer hides the errors of those behind it; targets differ from what
 * they follow, but MPO's prior policy lies near the policy, and a trained temperature near where it starts.
 */
export function randomScaleParameters(
  learner: ReferenceLearner,
  draw: Draw,
): Parameters<Float32Array> {
  const parameters: Parameters<Float32Array> = {};
  let gain = 1;
  for (const [name, { shape, data }] of Object.entries(learner.parameters())) {
    // a weight, then the bias of the same layer
    if (name.endsWith('.weight')) gain = 2 ** draw.between(-1, 1);
    const deviation = name.endsWith('.weight') ? gain / Math.sqrt(shape[1] ?? 1) : gain / 3;
    const drawn = normals(data.length, draw, deviation);
    parameters[name] = { shape, data: drawn };
    if (isDual(name)) parameters[name].data = drawn.map((x, i) => x / 3 + (data[i] ?? 0));
    const followed = parameters[name.replace(/^priorPolicy/, 'policy')]?.data as Float32Array;
    if (name.startsWith('priorPolicy')) {
      parameters[name].data = drawn.map((x, i) => (followed[i] as number) + PRIOR_DISTANCE * x);
    }
  }
  return parameters;
}

/** Whether a parameter is what is trained of a temperature. */
function isDual(name: string): boolean {
  return name.endsWith('Temperature') || name.endsWith('Multiplier');
}

/** What a batch with its noise depends on. */
export interface StepShape {
  task: TaskSizes;
  config: ReferenceConfig;
  rows: number;
}

/** A batch and noise as training has them: observations and noise N(0, 1), actions U(±1), rewards N(1, 2²), d = 1 in 10 %. */
export function drawStep({ task, config, rows }: StepShape, draw: Draw): Step {
  const batch = {
    observations: normals(rows * task.observationSize, draw, 1),
    actions: Float32Array.from({ length: rows * task.actionSize }, () => draw.between(-1, 1)),
    rewards: normals(rows, draw, 2).map((reward) => 1 + reward),
    nextObservations: normals(rows * task.observationSize, draw, 1),
    terminated: Float32Array.from({ length: rows }, () => (draw.uniform() < 0.1 ? 1 : 0)),
  };
  return { batch, noise: normals(rows * noiseWidth(task, config), draw, 1), redrawn: 0 };
}

/** Values of a row's noise. */
export function noiseWidth(task: TaskSizes, config: ReferenceConfig): number {
  return noiseDraws(recipeOf(config), config.eStep.samples) * task.actionSize;
}

/**
 * As {@link drawStep}, with each row drawn again until all that `learner` computes from it stays `margin` away from every
 * ReLU's kink, from log σ's clip and from a tie of two Q.
 *
 * By row, not by batch: 128 rows through 3,000 units meet a kink nearly always, one row in some twenty.
 */
export function drawStepOffKinks(
  learner: ReferenceLearner,
  shape: StepShape,
  draw: Draw,
  margin = KINK_MARGIN,
): Step {
  const { task, config, rows } = shape;
  const networks = networksOf(task, config, learner.parameters());
  const step = drawStep(shape, draw);
  let near = rowsNearKinks(networks, config, step, rows, margin);
  while (near.length > 0) {
    step.redrawn += near.length;
    if (step.redrawn > 20 * rows) throw new Error(`kinks everywhere: ${step.redrawn} rows redrawn`);
    const fresh = drawStep({ ...shape, rows: near.length }, draw);
    const again = rowsNearKinks(networks, config, fresh, near.length, margin);
    near.forEach((row, i) => {
      copyRow(step, row, fresh, i, shape);
    });
    near = again.map((i) => near[i] as number);
  }
  return step;
}

function copyRow(
  into: Step,
  row: number,
  from: Step,
  fromRow: number,
  { task, config }: StepShape,
): void {
  const copy = (target: Float32Array, source: Float32Array, width: number) => {
    target.set(source.subarray(fromRow * width, (fromRow + 1) * width), row * width);
  };
  copy(into.batch.observations, from.batch.observations, task.observationSize);
  copy(into.batch.actions, from.batch.actions, task.actionSize);
  copy(into.batch.rewards, from.batch.rewards, 1);
  copy(into.batch.nextObservations, from.batch.nextObservations, task.observationSize);
  copy(into.batch.terminated, from.batch.terminated, 1);
  copy(into.noise, from.noise, noiseWidth(task, config));
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
