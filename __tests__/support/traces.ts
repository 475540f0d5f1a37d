/** What the reference does on a case, step by step: computed once, compared with every engine. */

import type { Parameters, StepGradients } from '../../src/engine.js';
import {
  createLearner,
  EQUATIONS,
  type Equations,
  type ReferenceConfig,
  type ReferenceLearner,
} from '../../src/reference/index.js';
import { drawOf, drawStepOffKinks, randomScaleParameters, type Step, TASKS } from './cases.js';

/** A case by name; everything else follows from it. */
export interface LearnerCase {
  /** What it shows. */
  name: string;
  /** A task's id, for its sizes. */
  env: string;
  /** Parameters as a new learner has them, or at random scales. */
  networks: 'fresh' | 'random scale';
  rows: number;
  config: ReferenceConfig;
  /** Seed of parameters, batches and noise. */
  seed: number;
  /** Updates of the trace, each on a batch and noise of its own. */
  updates: number;
  /** Temperature given to every step instead of the config's. */
  temperature?: number;
  /** Values of every bias of this name in every network, such as `logStd.bias`, to bring log σ to its clip. */
  bias?: { name: string; value: number };
}

/** The reference's run of a case. */
export interface Trace {
  parameters: Parameters<Float32Array>;
  steps: Step[];
  /** At `parameters`, on the first step. */
  first: StepGradients<Float64Array>;
  /** After all updates. */
  last: Parameters<Float64Array>;
  redrawn: number;
  /** How much cancels in each sum over rows that a single number comes from. */
  cancellation: Cancellation;
}

/**
 * Σ|x_b| / |Σ x_b| over the rows of the first step, by what is summed: the factor by which a sum magnifies its terms' relative
 * rounding. Losses by their equation, gradients by the last bias of a value network.
 */
export type Cancellation = Record<string, number>;

/** `npm test`'s line for a case. */
export function titleOf({ name, env, networks, rows, config }: LearnerCase): string {
  const { hidden, policyHidden } = config.network;
  const widths = [...new Set([hidden.join('x'), policyHidden.join('x')])].join(' and ');
  return `${name}: ${env}, ${widths}, ${rows} rows, ${networks}`;
}

/** The options that the case gives to every step. */
export function optionsOf({ temperature }: LearnerCase): { temperature?: number } {
  return temperature === undefined ? {} : { temperature };
}

/** Parameters of a case as float32. */
function parametersOf(learner: ReferenceLearner, spec: LearnerCase): Parameters<Float32Array> {
  const parameters =
    spec.networks === 'random scale'
      ? randomScaleParameters(learner, drawOf(spec.seed))
      : float32Parameters(learner.parameters());
  for (const [name, { data }] of Object.entries(parameters)) {
    if (spec.bias && name.endsWith(spec.bias.name)) data.fill(spec.bias.value);
  }
  return parameters;
}

/** Runs the reference through the case. */
export function traceOf(spec: LearnerCase): Trace {
  const shape = { task: taskOf(spec), config: spec.config, rows: spec.rows };
  const learner = createLearner(shape.task, spec.config);
  const parameters = parametersOf(learner, spec);
  learner.setParameters(parameters);

  // each batch keeps off the kinks of the parameters that it meets
  const draw = drawOf(spec.seed + 1_000_000);
  const options = optionsOf(spec);
  const steps: Step[] = [];
  let first: StepGradients<Float64Array> | undefined;
  for (let update = 0; update < spec.updates; update++) {
    const step = drawStepOffKinks(learner, shape, draw);
    steps.push(step);
    first ??= learner.gradients(step.batch, step.noise, options);
    learner.update(step.batch, step.noise, options);
  }
  if (first === undefined) throw new Error('a trace needs an update');
  const redrawn = steps.reduce((sum, step) => sum + step.redrawn, 0);
  const cancellation = cancellationOf(spec, parameters, steps[0] as Step);
  return { parameters, steps, first, last: learner.parameters(), redrawn, cancellation };
}

/** Reads the rows' terms off the equations of a reference that takes the first step. */
function cancellationOf(
  spec: LearnerCase,
  parameters: Parameters<Float32Array>,
  { batch, noise }: Step,
): Cancellation {
  const found: Cancellation = {};
  const see = (name: string, terms: Float64Array) => {
    found[name] = Math.max(found[name] ?? 1, cancellation(terms));
  };
  const learner = createLearner(taskOf(spec), spec.config, watched(see));
  learner.setParameters(parameters);
  learner.gradients(batch, noise, optionsOf(spec));
  return found;
}

/** The equations, with the terms of each sum shown to `see`. */
function watched(see: (name: string, terms: Float64Array) => void): Equations {
  return {
    ...EQUATIONS,
    actionValueLoss(values, target) {
      const regression = EQUATIONS.actionValueLoss(values, target);
      see('bias of Q', regression.gradient);
      return regression;
    },
    projectedResidualLoss(terms) {
      const { residual, derivative } = terms;
      see(
        'L',
        residual.map((beta, b) => beta * at(derivative, b) - at(derivative, b) ** 2 / 2),
      );
      const projected = EQUATIONS.projectedResidualLoss(terms);
      see('bias of ζ', projected.gradient.derivative);
      return projected;
    },
    bellmanTargetGradient(targetGradient, terminated, discount) {
      const byNext = EQUATIONS.bellmanTargetGradient(targetGradient, terminated, discount);
      see('bias of Q', joined(byNext, scaled(targetGradient, -1)));
      return byNext;
    },
    stateValueLoss(values, target) {
      const regression = EQUATIONS.stateValueLoss(values, target);
      see('bias of V', regression.gradient);
      return regression;
    },
    reparameterisedLoss(terms, temperature) {
      const { logDensity, sampledActionValue } = terms;
      see('J_π', joined(scaled(logDensity, temperature), scaled(sampledActionValue, -1)));
      return EQUATIONS.reparameterisedLoss(terms, temperature);
    },
    scoreLoss(terms, temperature) {
      const { logDensity } = terms;
      const { gradient } = EQUATIONS.scoreLoss(terms, temperature);
      see(
        'J_π',
        logDensity.map((logPi, b) => logPi * at(gradient.logDensity, b)),
      );
      return EQUATIONS.scoreLoss(terms, temperature);
    },
    deterministicLoss(actionValue) {
      see('J_π', actionValue);
      return EQUATIONS.deterministicLoss(actionValue);
    },
    weightedLikelihoodLoss(logDensity, weights, samples) {
      see(
        'J_π',
        logDensity.map((logPi, i) => logPi * at(weights, i)),
      );
      return EQUATIONS.weightedLikelihoodLoss(logDensity, weights, samples);
    },
    priorDivergenceLoss(terms, temperature) {
      const { logDensity, priorLogDensity, sampledActionValue } = terms;
      see(
        'J_π',
        joined(
          scaled(logDensity, temperature),
          scaled(priorLogDensity, -temperature),
          scaled(sampledActionValue, -1),
        ),
      );
      return EQUATIONS.priorDivergenceLoss(terms, temperature);
    },
    tunedTemperatureLoss(logDensity, temperature, targetEntropy) {
      see(
        'J_T',
        logDensity.map((logPi) => logPi + targetEntropy),
      );
      return EQUATIONS.tunedTemperatureLoss(logDensity, temperature, targetEntropy);
    },
    dualTemperatureLoss(actionValue, temperature, samples, klBound) {
      const dual = EQUATIONS.dualTemperatureLoss(actionValue, temperature, samples, klBound);
      // the gradient is what is left of the bound and of a divergence
      see('T', Float64Array.of(klBound, dual.gradient - klBound));
      return dual;
    },
    multiplierLoss(multiplier, divergence, bound) {
      const { loss, gradient } = EQUATIONS.multiplierLoss(multiplier, divergence, bound);
      see(
        'J_m',
        gradient.map((value, i) => at(multiplier, i) * value),
      );
      return { loss, gradient };
    },
  };
}

function scaled(values: Float64Array, factor: number): Float64Array {
  return values.map((value) => factor * value);
}

/** Several terms of one sum: what cancels within a row counts too. */
function joined(...terms: Float64Array[]): Float64Array {
  return Float64Array.from(terms.flatMap((values) => [...values]));
}

function at(values: Float64Array, i: number): number {
  return values[i] as number;
}

function cancellation(terms: Float64Array): number {
  const sum = terms.reduce((total, term) => total + term, 0);
  return terms.reduce((total, term) => total + Math.abs(term), 0) / Math.abs(sum);
}

/** The sizes of a case's task. */
export function taskOf({ env }: Pick<LearnerCase, 'env'>) {
  const task = TASKS[env];
  if (task === undefined) throw new Error(`no sizes for ${env}`);
  return task;
}

function float32Parameters(parameters: Parameters<Float64Array>): Parameters<Float32Array> {
  return Object.fromEntries(
    Object.entries(parameters).map(([name, { shape, data }]) => [
      name,
      { shape, data: Float32Array.from(data) },
    ]),
  );
}
