/**
 * The comparison's own test: a reference with one wrong sign or one dropped term must disagree with each engine, which is
 * the same as the engine having that error and the reference not.
 */

import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Learner } from '../../src/engine.js';
import {
  createLearner,
  type Recipe,
  type ReferenceLearner,
  VIREL,
} from '../../src/reference/index.js';
import { dataOf, PAPER } from '../support/cases.js';
import { createEngine, ENGINES } from '../support/engines.js';
import { disagreements, tensorError, tolerance } from '../support/tolerance.js';
import { type LearnerCase, type Trace, taskOf, traceOf } from '../support/traces.js';

// a hang is all that this limit is for
jest.setTimeout(600_000);

type Mutant = (spec: LearnerCase) => ReferenceLearner;

/** Rates that differ, and a target fast enough that its order counts within ten updates. */
const config = {
  ...PAPER,
  network: { hidden: [32, 24] },
  optim: {
    policyLearningRate: 1e-3,
    actionValueLearningRate: 2e-3,
    stateValueLearningRate: 3e-3,
    targetUpdateRate: 0.5,
  },
};
const cases: LearnerCase[] = (['fresh', 'random scale'] as const).map((networks, i) => ({
  env: 'Hopper-v5',
  networks,
  rows: 64,
  config,
  seed: 300 + i,
  updates: 10,
}));

const withParts =
  (parts: Partial<Recipe>): Mutant =>
  (spec) =>
    createLearner(taskOf(spec), spec.config, { ...VIREL, ...parts });

const scaled = (values: Float64Array, factor: number) => values.map((value) => factor * value);
const zeros = (values: Float64Array) => new Float64Array(values.length);

/** Errors in losses and gradients. */
const stepMutants: Record<string, Mutant> = {
  'the entropy’s sign flipped': withParts({
    policyLoss: (terms, temperature, regulariser) =>
      VIREL.policyLoss(terms, -temperature, regulariser),
  }),
  'the entropy dropped': withParts({
    policyLoss: (terms, _, regulariser) => VIREL.policyLoss(terms, 0, regulariser),
  }),
  'Q’s sign in J_π flipped': withParts({
    policyLoss: (terms, temperature, regulariser) => {
      const { loss, gradient } = VIREL.policyLoss(
        { ...terms, sampledActionValue: scaled(terms.sampledActionValue, -1) },
        temperature,
        regulariser,
      );
      const sampledActionValue = scaled(gradient.sampledActionValue, -1);
      return { loss, gradient: { ...gradient, sampledActionValue } };
    },
  }),
  'the regulariser of μ dropped': withParts({
    policyLoss: (terms, temperature, regulariser) =>
      VIREL.policyLoss(terms, temperature, { ...regulariser, mean: 0 }),
  }),
  'the regulariser of log σ dropped': withParts({
    policyLoss: (terms, temperature, regulariser) =>
      VIREL.policyLoss(terms, temperature, { ...regulariser, logStd: 0 }),
  }),
  'the regulariser summed over dimensions': withParts({
    policyLoss: (terms, temperature, { mean, logStd }) => {
      const actionSize = terms.mean.length / terms.logDensity.length;
      const summed = { mean: actionSize * mean, logStd: actionSize * logStd };
      return VIREL.policyLoss(terms, temperature, summed);
    },
  }),
  'a half in J_Q': withParts({
    actionValueLoss: (values, target) => halved(VIREL.actionValueLoss(values, target)),
  }),
  'a half in J_V': withParts({
    stateValueLoss: (values, target) => halved(VIREL.stateValueLoss(values, target)),
  }),
  'the discount dropped': withParts({
    actionValueTarget: (rewards, terminated, _, next) =>
      VIREL.actionValueTarget(rewards, terminated, 1, next),
  }),
  'the mask of terminations dropped': withParts({
    actionValueTarget: (rewards, terminated, discount, next) =>
      VIREL.actionValueTarget(rewards, zeros(terminated), discount, next),
  }),
  'the reward dropped': withParts({
    actionValueTarget: (rewards, terminated, discount, next) =>
      VIREL.actionValueTarget(zeros(rewards), terminated, discount, next),
  }),
  'y_Q from the online V': (spec) => withOnlineTarget(withParts({})(spec)),
  'an entropy bonus in y_V, as SAC has': withEntropyBonus,
  'y_V’s sign flipped': withParts({ stateValueTarget: (values) => scaled(values, -1) }),
  'the tanh correction dropped from the density': withParts({
    samplePolicy: (mean, logStd, noise, rows) => {
      const sample = VIREL.samplePolicy(mean, logStd, noise, rows);
      const actionSize = mean.length / rows;
      const logDensity = sample.logDensity.map((value, b) => {
        const row = sample.action.subarray(b * actionSize, (b + 1) * actionSize);
        return value + row.reduce((sum, a) => sum + Math.log1p(-(a ** 2)), 0);
      });
      return { ...sample, logDensity };
    },
  }),
  'the tanh correction dropped from the gradient': withParts({
    policySampleGradient: (sample, byLogDensity, byAction) => {
      const actionSize = sample.action.length / byLogDensity.length;
      const { mean, logStd } = VIREL.policySampleGradient(sample, byLogDensity, byAction);
      const extra = sample.action.map(
        (a, i) => 2 * a * (byLogDensity[Math.floor(i / actionSize)] ?? 0),
      );
      return {
        mean: mean.map((value, i) => value - (extra[i] ?? 0)),
        logStd: logStd.map((value, i) => value - (extra[i] ?? 0) * (sample.deviation[i] ?? 0)),
      };
    },
  }),
  'the derivative of tanh dropped': withParts({
    policySampleGradient: (sample, byLogDensity, byAction) => {
      const byPreTanh = byAction.map((g, i) => g / (1 - (sample.action[i] ?? 0) ** 2));
      return VIREL.policySampleGradient(sample, byLogDensity, byPreTanh);
    },
  }),
  'log σ’s own part of the density dropped from the gradient': withParts({
    policySampleGradient: (sample, byLogDensity, byAction) => {
      const gradient = VIREL.policySampleGradient(sample, byLogDensity, byAction);
      const actionSize = sample.action.length / byLogDensity.length;
      const logStd = gradient.logStd.map(
        (value, i) => value + (byLogDensity[Math.floor(i / actionSize)] ?? 0),
      );
      return { ...gradient, logStd };
    },
  }),
  'the noise dropped': withParts({
    samplePolicy: (mean, logStd, noise, rows) =>
      VIREL.samplePolicy(mean, logStd, zeros(noise), rows),
  }),
};

/** Errors that only a step shows. */
const updateMutants: Record<string, Mutant> = {
  'the optimiser’s sign flipped': withParts({
    optimise: (parameters, gradient, state, rate) =>
      VIREL.optimise(parameters, gradient, state, -rate),
  }),
  'Adam without its bias correction': withParts({
    optimise: (parameters, gradient, state, rate) => {
      const t = state.steps + 1;
      const uncorrected = (rate * (1 - 0.9 ** t)) / Math.sqrt(1 - 0.999 ** t);
      VIREL.optimise(parameters, gradient, state, uncorrected);
    },
  }),
  'Adam with its moments forgotten': withParts({
    optimise: (parameters, gradient, state, rate) => {
      state.firstMoment.fill(0);
      state.secondMoment.fill(0);
      state.steps = 0;
      VIREL.optimise(parameters, gradient, state, rate);
    },
  }),
  'the rates of Q and V exchanged': (spec) => {
    const { actionValueLearningRate, stateValueLearningRate } = spec.config.optim;
    const optim = {
      ...spec.config.optim,
      actionValueLearningRate: stateValueLearningRate,
      stateValueLearningRate: actionValueLearningRate,
    };
    return createLearner(taskOf(spec), { ...spec.config, optim });
  },
  'the target never updated': withParts({ updateTarget: () => undefined }),
  'the target updated from V before its step': withParts(targetFromPreviousV()),
  'the E-step after the M-step, at its parameters': (spec) => {
    const learner = createLearner(taskOf(spec), spec.config);
    const update: ReferenceLearner['update'] = (batch, noise, options) => {
      const m = learner.mStep(batch, noise);
      return { ...learner.eStep(batch, noise, options), ...m };
    };
    return { ...learner, update };
  },
};

const traces = new Map<LearnerCase, Trace>();
beforeAll(() => {
  for (const spec of cases) traces.set(spec, traceOf(spec));
});

describe.each(ENGINES)('engine %s', (engine) => {
  const stepped = new Map<LearnerCase, ReturnType<typeof run>>();
  beforeAll(() => {
    for (const spec of cases) {
      const native = createEngine(engine, spec);
      stepped.set(spec, run(native, traces.get(spec) as Trace));
      native.dispose();
    }
  });

  /** Where the engine and `learner` disagree, over all cases. */
  const found = (mutant: Mutant) =>
    cases.flatMap((spec) => {
      const expected = run(mutant(spec), traces.get(spec) as Trace);
      return differences(stepped.get(spec) as typeof expected, expected);
    });

  it('agrees with the reference itself', () => {
    expect(found(withParts({}))).toEqual([]);
  });

  it.each(Object.keys(stepMutants))('shows %s in a loss or a gradient', (name) => {
    const where = found(stepMutants[name] as Mutant).map(({ kind }) => kind);
    expect(where.some((kind) => kind !== 'parameters')).toBe(true);
  });

  it.each(Object.keys(updateMutants))('shows %s in the parameters', (name) => {
    const where = found(updateMutants[name] as Mutant).map(({ kind }) => kind);
    expect(where).toContain('parameters');
  });
});

/** Losses and gradients of the first step, and the parameters after all of them. */
function run(learner: Learner<Float32Array> | ReferenceLearner, { parameters, steps }: Trace) {
  learner.setParameters(parameters);
  const [{ batch, noise }] = steps as [Trace['steps'][number]];
  const { losses, gradients } = learner.gradients(batch, noise);
  for (const step of steps) learner.update(step.batch, step.noise);
  return { losses, gradients, parameters: dataOf(learner.parameters()) };
}

function differences(got: ReturnType<typeof run>, expected: ReturnType<typeof run>) {
  const limit = tolerance.gradient.value;
  const after = tolerance.parametersAfterTenUpdates.value;
  const losses = (['policy', 'actionValue', 'stateValue'] as const)
    .map((name) => ({ name, error: tensorError([got.losses[name]], [expected.losses[name]]) }))
    .filter(({ error }) => !(error <= tolerance.loss.value));
  const kinds = {
    loss: losses,
    gradient: disagreements(got.gradients, expected.gradients, limit),
    parameters: disagreements(got.parameters, expected.parameters, after),
  };
  return Object.entries(kinds).flatMap(([kind, list]) => list.map((entry) => ({ kind, ...entry })));
}

function halved({ loss, gradient }: ReturnType<Recipe['actionValueLoss']>) {
  return { loss: loss / 2, gradient: scaled(gradient, 0.5) };
}

/** A learner whose target network holds the online V from the start. */
function withOnlineTarget(learner: ReferenceLearner): ReferenceLearner {
  return {
    ...learner,
    setParameters(parameters) {
      learner.setParameters(parameters);
      const online = Object.entries(parameters).filter(([name]) => name.startsWith('stateValue.'));
      learner.setParameters(
        Object.fromEntries(online.map(([name, parameter]) => [`target.${name}`, parameter])),
      );
    },
  };
}

/** y_V = Q(s, ã) − T log π(ã|s), T = 1. */
function withEntropyBonus(spec: LearnerCase): ReferenceLearner {
  let logDensity = new Float64Array(0);
  return withParts({
    samplePolicy: (mean, logStd, noise, rows) => {
      const sample = VIREL.samplePolicy(mean, logStd, noise, rows);
      logDensity = Float64Array.from(sample.logDensity);
      return sample;
    },
    stateValueTarget: (values) => values.map((value, b) => value - (logDensity[b] ?? 0)),
  })(spec);
}

/** Parts whose target reads V as it was before the step just taken. */
function targetFromPreviousV(): Partial<Recipe> {
  const before = new WeakMap<Float64Array, Float64Array>();
  return {
    optimise: (parameters, gradient, state, rate) => {
      before.set(parameters, parameters.slice());
      VIREL.optimise(parameters, gradient, state, rate);
    },
    updateTarget: (target, online, rate) =>
      VIREL.updateTarget(target, before.get(online) ?? online, rate),
  };
}
