/** What the reference does on a case, step by step: computed once, compared with every engine. */

import type { Parameters, StepGradients } from '../../src/engine.js';
import {
  createLearner,
  type ReferenceConfig,
  type ReferenceLearner,
  VIREL,
} from '../../src/reference/index.js';
import { drawOf, drawStepOffKinks, randomScaleParameters, type Step, TASKS } from './cases.js';

/** A case by name; everything else follows from it. */
export interface LearnerCase {
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
  /** Value of every `policy.logStd.bias`, to bring log σ to its clip. */
  logStdBias?: number;
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

/** Σ|x_b| / |Σ x_b| over the rows of the first step: the factor by which a sum magnifies its terms' relative rounding. */
export interface Cancellation {
  /** J_π without its regulariser. */
  policyLoss: number;
  /** ∂J_Q by the last bias of Q. */
  actionValueBias: number;
  /** ∂J_V by the last bias of V. */
  stateValueBias: number;
}

/** `npm test`'s line for a case. */
export function titleOf({
  env,
  networks,
  rows,
  config,
  temperature,
  logStdBias,
}: LearnerCase): string {
  const given = temperature === undefined ? '' : `, temperature ${temperature}`;
  const clip = logStdBias === undefined ? '' : `, log σ near ${logStdBias}`;
  return `${env}, ${config.network.hidden.join('x')}, ${rows} rows, ${networks}${given}${clip}`;
}

/** The options that the case gives to every step. */
export function optionsOf({ temperature }: LearnerCase): { temperature?: number } {
  return temperature === undefined ? {} : { temperature };
}

/** Parameters of a case as float32. */
function parametersOf(learner: ReferenceLearner, spec: LearnerCase): Parameters<Float32Array> {
  const task = taskOf(spec);
  const sizes = {
    observation: task.observationSize,
    action: task.actionSize,
    hidden: spec.config.network.hidden,
  };
  const parameters =
    spec.networks === 'random scale'
      ? randomScaleParameters(sizes, drawOf(spec.seed))
      : float32Parameters(learner.parameters());
  if (spec.logStdBias !== undefined) parameters['policy.logStd.bias']?.data.fill(spec.logStdBias);
  return parameters;
}

/** Runs the reference through the case. */
export function traceOf(spec: LearnerCase): Trace {
  const task = taskOf(spec);
  const learner = createLearner(task, spec.config);
  const parameters = parametersOf(learner, spec);
  learner.setParameters(parameters);

  // each batch keeps off the kinks of the parameters that it meets
  const draw = drawOf(spec.seed + 1_000_000);
  const sizes = {
    observation: task.observationSize,
    action: task.actionSize,
    hidden: spec.config.network.hidden,
  };
  const options = optionsOf(spec);
  const steps: Step[] = [];
  let first: StepGradients<Float64Array> | undefined;
  for (let update = 0; update < spec.updates; update++) {
    const step = drawStepOffKinks(learner, sizes, spec.rows, draw);
    steps.push(step);
    first ??= learner.gradients(step.batch, step.noise, options);
    learner.update(step.batch, step.noise, options);
  }
  if (first === undefined) throw new Error('a trace needs an update');
  const redrawn = steps.reduce((sum, step) => sum + step.redrawn, 0);
  const cancellation = cancellationOf(spec, parameters, steps[0] as Step);
  return { parameters, steps, first, last: learner.parameters(), redrawn, cancellation };
}

/** Reads the rows' terms off the parts of a reference that takes the first step. */
function cancellationOf(
  spec: LearnerCase,
  parameters: Parameters<Float32Array>,
  { batch, noise }: Step,
): Cancellation {
  const terms: Partial<Cancellation> = {};
  const learner = createLearner(taskOf(spec), spec.config, {
    ...VIREL,
    actionValueLoss(values, target) {
      const regression = VIREL.actionValueLoss(values, target);
      terms.actionValueBias = cancellation(regression.gradient);
      return regression;
    },
    stateValueLoss(values, target) {
      const regression = VIREL.stateValueLoss(values, target);
      terms.stateValueBias = cancellation(regression.gradient);
      return regression;
    },
    policyLoss(policy, temperature, regulariser) {
      const { logDensity, sampledActionValue } = policy;
      terms.policyLoss = cancellation(
        logDensity.map((logPi, b) => temperature * logPi - (sampledActionValue[b] as number)),
      );
      return VIREL.policyLoss(policy, temperature, regulariser);
    },
  });
  learner.setParameters(parameters);
  learner.gradients(batch, noise, optionsOf(spec));
  return terms as Cancellation;
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
