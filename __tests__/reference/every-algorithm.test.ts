/**
 * What holds for every algorithm with every part it can be run with: gradients by central differences, no gradient where none
 * is due, and the laws of a step.
 */

import { describe, expect, it } from '@jest/globals';
import { noiseDraws, recipeOf } from '../../src/algorithms/recipe.js';
import type { Parameters, StepLosses } from '../../src/engine.js';
import {
  createLearner,
  dualStart,
  dualVariable,
  EQUATIONS,
  type Equations,
  type ReferenceConfig,
  type ReferenceLearner,
  type TanhGaussianSample,
  tanhGaussianDensity,
} from '../../src/reference/index.js';
import {
  dataOf,
  drawOf,
  drawStepOffKinks,
  randomScaleParameters,
  type Step,
} from '../support/cases.js';
import { differenceBy, STEP } from '../support/finite-difference.js';
import { mapBatch, pickRows } from '../support/rows.js';
import { disagreements, norm, tensorError, tolerance } from '../support/tolerance.js';
import { configOf, VARIANTS, type Variant } from '../support/variants.js';

/** Every extent differs, so that a transposed or mixed-up shape cannot pass. */
const task = { observationSize: 3, actionSize: 2 };
const widths = { hidden: [6, 4], policyHidden: [5, 8] };
const ROWS = 7;
/** A parameter moved by h moves a pre-activation by h times an activation, of order 1 to 10. */
const MARGIN = 100 * STEP;

interface Case {
  config: ReferenceConfig;
  learner: ReferenceLearner;
  step: Step;
}

/** A learner at random scales and a batch away from its kinks; regularisers large enough to show. */
function smallCase(variant: Variant, seed: number): Case {
  const draw = drawOf(seed);
  const config = {
    ...configOf(variant, widths),
    policyRegulariser: { mean: 0.02, logStd: 0.03 },
  };
  const learner = createLearner(task, config);
  learner.setParameters(randomScaleParameters(learner, draw));
  const step = drawStepOffKinks(learner, { task, config, rows: ROWS }, draw, MARGIN);
  return { config, learner, step };
}

/** The loss that trains the parameter of this name. */
function lossOf(name: string): keyof StepLosses {
  const [network] = name.split('.') as [string];
  return /^(log|dual)Temperature$/.test(network) ? 'temperature' : (network as keyof StepLosses);
}

/**
 * A learner whose score loss holds constant what it should: ã and its factor as they are at the parameters of `learner`, so
 * that its finite differences are gradients.
 */
function withFrozenScore({ config, learner, step }: Case): ReferenceLearner {
  let frozen: TanhGaussianSample | undefined;
  let factor: Float64Array | undefined;
  const equations: Equations = {
    ...EQUATIONS,
    samplePolicy(mean, logStd, noise, rows) {
      frozen ??= EQUATIONS.samplePolicy(mean, logStd, noise, rows);
      return { ...frozen, logDensity: tanhGaussianDensity(frozen.preTanh, mean, logStd, rows) };
    },
    scoreLoss(terms, temperature) {
      const { gradient } = EQUATIONS.scoreLoss(terms, temperature);
      factor ??= gradient.logDensity;
      const loss = terms.logDensity.reduce((sum, logPi, b) => sum + logPi * (factor?.[b] ?? 0), 0);
      return { loss, gradient };
    },
  };
  const copy = createLearner(task, config, equations);
  copy.setParameters(learner.parameters());
  copy.gradients(step.batch, step.noise);
  return copy;
}

const isTarget = (name: string) => /^(target|priorPolicy)\./.test(name);

describe.each(VARIANTS)('%s', (variant) => {
  it.each([1, 2])('has the gradients of finite differences, every tensor, case %d', (seed) => {
    const small = smallCase(variant, seed);
    const { learner, step } = small;
    const { gradients } = learner.gradients(step.batch, step.noise);
    const names = Object.keys(learner.parameters()).filter((name) => !isTarget(name));
    expect(Object.keys(gradients)).toEqual(names);

    const score = recipeOf(small.config).policyObjective === 'score';
    for (const name of names) {
      const loss = lossOf(name);
      const differentiated = score && loss === 'policy' ? withFrozenScore(small) : learner;
      const difference = differenceBy(differentiated, step, loss, name);
      const error = tensorError(gradients[name] as Float64Array, difference);
      const ok = error < tolerance.finiteDifference.value;
      expect({ name, error, ok }).toEqual({ name, error, ok: true });
      // a tensor that equals its difference exactly was not computed on its own; one of zeros shows nothing
      expect({ name, error }).not.toMatchObject({ error: 0 });
      expect({ name, norm: norm(difference) > 1e-5 }).toEqual({ name, norm: true });
    }
  });

  it('does not depend on the next state where every task ended', () => {
    const { learner, step } = smallCase(variant, 4);
    step.batch.terminated.fill(1);
    const before = learner.gradients(step.batch, step.noise);
    step.batch.nextObservations.fill(3);
    expect(learner.gradients(step.batch, step.noise)).toEqual(before);
  });

  it('is unmoved by a permutation of the rows, and by rows given twice', () => {
    const { config, learner, step } = smallCase(variant, 5);
    const shape = { task, config, rows: ROWS };
    const before = learner.gradients(step.batch, step.noise);
    const limit = tolerance.permutation.value;
    for (const order of [
      [3, 1, 6, 0, 5, 2, 4],
      [0, 1, 2, 3, 4, 5, 6, 0, 1, 2, 3, 4, 5, 6],
    ]) {
      const { batch, noise } = pickRows(step, shape, order);
      const { gradients } = learner.gradients(batch, noise);
      expect(disagreements(gradients, before.gradients, limit)).toEqual([]);
    }
  });

  it('is an M-step and an E-step from the same parameters', () => {
    const [both, mOnly, eOnly] = [6, 6, 6].map((seed) => smallCase(variant, seed)) as [
      Case,
      Case,
      Case,
    ];
    const { batch, noise } = both.step;
    // several, so that targets which wait are due
    for (let i = 0; i < 4; i++) {
      const losses = both.learner.update(batch, noise);
      const [m, e] = [mOnly, eOnly].map(({ learner }) => learner) as [
        ReferenceLearner,
        ReferenceLearner,
      ];
      expect({ ...m.mStep(batch, noise), ...e.eStep(batch, noise) }).toEqual(losses);
      const after = both.learner.parameters();
      for (const [name, parameter] of Object.entries(after)) {
        const eHalf = /^(policy|target\.policy|priorPolicy)|(Temperature|Multiplier)$/.test(name);
        expect((eHalf ? e : m).parameters()[name]).toEqual(parameter);
      }
      for (const { learner } of [mOnly, eOnly]) learner.setParameters(after);
    }
  });

  it('takes its noise row by row: those for s, then those for s′', () => {
    const { config, learner, step } = smallCase(variant, 7);
    const draws = noiseDraws(recipeOf(config), config.eStep.samples);
    expect(step.noise).toHaveLength(ROWS * draws * task.actionSize);
    const wrong = Float32Array.of(...step.noise, 0);
    expect(() => learner.gradients(step.batch, wrong)).toThrow(
      expect.objectContaining({ code: 'LENGTH_MISMATCH', where: 'noise' }),
    );
  });

  it('has a residual error that is its J_Q with the online networks as targets (A7)', () => {
    const { config, learner, step } = smallCase(variant, 8);
    const one = pickRows(step, { task, config, rows: ROWS }, [2]);
    one.batch.terminated.fill(0);
    followOnline(learner);
    const { losses, gradients } = learner.gradients(one.batch, one.noise);
    const { mStep, network } = config;
    // the projected L has no such term; its gradient by the last bias of ζ, at ζ = 0, is −β
    const byBias = gradients['auxiliaryWeights.value.bias']?.[0] ?? Number.NaN;
    const expected =
      mStep.kind === 'direct'
        ? losses.actionValue / mStep.lossFactor / network.actionValues
        : byBias ** 2;
    const error = learner.residualError(one.batch, nextNoise(config, one.noise));
    expect(tensorError([error], [expected])).toBeLessThan(tolerance.equation.value);
  });

  it('names the action value of each pair: the smallest', () => {
    const { learner, step } = smallCase(variant, 9);
    const values = learner.actionValue(step.batch.observations, step.batch.actions);
    expect(values).toHaveLength(ROWS);
    const parameters = learner.parameters();
    const lower = Object.entries(parameters)
      .filter(([name]) => /^actionValue\.\d\.value\.bias$/.test(name))
      .map(([name, { shape, data }]) => [name, { shape, data: data.map((b) => b - 1) }]);
    learner.setParameters(Object.fromEntries(lower));
    const after = learner.actionValue(step.batch.observations, step.batch.actions);
    expect(
      tensorError(
        after,
        values.map((value) => value - 1),
      ),
    ).toBeLessThan(tolerance.equation.value);
  });
});

/** Sets targets (not the prior policy) to what they follow, and ζ to 0. */
function followOnline(learner: ReferenceLearner): void {
  const parameters = learner.parameters();
  for (const [name, { data }] of Object.entries(parameters)) {
    if (name.startsWith('target.')) data.set(parameters[name.slice('target.'.length)]?.data ?? []);
    if (name.startsWith('auxiliaryWeights.')) data.fill(0);
  }
  learner.setParameters(parameters);
}

/** The draws for s′ of one row's noise. */
function nextNoise(config: ReferenceConfig, noise: Float32Array): Float32Array {
  const recipe = recipeOf(config);
  const atState = { priorPolicy: config.eStep.samples, targetPolicy: 0 };
  const draws = atState[recipe.actionValueTarget as keyof typeof atState] ?? 1;
  return noise.subarray(draws * task.actionSize);
}

describe('no gradient where none is due', () => {
  // a loss that moves with a parameter which another loss trains, or none
  it.each<[Variant, keyof StepLosses, string]>([
    ['virel', 'policy', 'actionValue.0.value.weight'],
    ['virel', 'stateValue', 'actionValue.0.value.weight'],
    ['virel', 'stateValue', 'policy.mean.weight'],
    ['virel', 'actionValue', 'target.stateValue.value.weight'],
    ['virel, two Q', 'stateValue', 'actionValue.1.value.bias'],
    ['virel, score', 'policy', 'stateValue.value.weight'],
    ['virel, score', 'policy', 'actionValue.0.value.weight'],
    ['virel, tuned temperature', 'policy', 'logTemperature'],
    ['virel, tuned temperature', 'temperature', 'policy.logStd.bias'],
    ['virel, projected residual', 'actionValue', 'policy.mean.weight'],
    ['virel, projected residual', 'actionValue', 'auxiliaryWeights.trunk.0.weight'],
    ['virel, projected residual', 'auxiliaryWeights', 'actionValue.0.value.weight'],
    ['sac', 'stateValue', 'policy.logStd.bias'],
    ['sac-twin', 'actionValue', 'policy.mean.weight'],
    ['sac-twin', 'actionValue', 'target.actionValue.1.value.bias'],
    ['sac-twin', 'actionValue', 'logTemperature'],
    ['sac-twin', 'policy', 'actionValue.1.value.weight'],
    ['ddpg', 'actionValue', 'target.policy.mean.weight'],
    ['ddpg', 'policy', 'actionValue.0.trunk.0.weight'],
    ['mpo', 'policy', 'priorPolicy.mean.weight'],
    ['mpo', 'policy', 'target.actionValue.0.value.weight'],
    ['mpo', 'policy', 'dualTemperature'],
    ['mpo', 'policy', 'meanMultiplier'],
    ['mpo', 'actionValue', 'priorPolicy.logStd.bias'],
    ['mpo', 'temperature', 'target.actionValue.0.value.weight'],
    ['mpo', 'covarianceMultiplier', 'policy.logStd.bias'],
    ['mpo', 'meanMultiplier', 'priorPolicy.mean.bias'],
    ['mpo, prior divergence', 'policy', 'priorPolicy.mean.bias'],
    ['mpo, prior divergence', 'policy', 'actionValue.0.value.weight'],
  ])('%s: J of %s moves with %s, and gives it nothing', (variant, loss, name) => {
    const { learner, step } = smallCase(variant, 10);
    expect(norm(differenceBy(learner, step, loss, name))).toBeGreaterThan(1e-4);
    const { gradients } = learner.gradients(step.batch, step.noise);
    if (isTarget(name)) {
      expect(gradients).not.toHaveProperty([name]);
      return;
    }
    // ... because what it gets is all from its own
    const own = differenceBy(learner, step, lossOf(name), name);
    expect(tensorError(gradients[name] as Float64Array, own)).toBeLessThan(
      tolerance.finiteDifference.value,
    );
  });

  it.each<[Variant, keyof StepLosses, string]>([
    ['mpo', 'policy', 'actionValue.0.value.weight'],
    ['sac, two Q', 'policy', 'actionValue.1.value.weight'],
    ['virel', 'actionValue', 'stateValue.value.weight'],
    ['virel, projected residual', 'actionValue', 'target.stateValue.value.weight'],
    ['sac-twin', 'temperature', 'actionValue.0.value.weight'],
  ])('%s: J of %s does not move with %s at all', (variant, loss, name) => {
    const { learner, step } = smallCase(variant, 11);
    expect(norm(differenceBy(learner, step, loss, name))).toBe(0);
  });

  it.each(VARIANTS.filter((variant) => !variant.startsWith('ddpg')))(
    '%s: log σ gets none beyond its clip',
    (variant) => {
      const { learner, step } = smallCase(variant, 12);
      const name = 'policy.logStd.bias';
      learner.setParameters({ [name]: { shape: [2], data: Float64Array.of(30, -60) } });
      const { gradients } = learner.gradients(step.batch, step.noise);
      expect([...(gradients[name] as Float64Array)]).toEqual([0, 0]);
      expect(norm(gradients['policy.logStd.weight'] as Float64Array)).toBe(0);
      expect(norm(gradients['policy.mean.bias'] as Float64Array)).toBeGreaterThan(0);
    },
  );
});

describe('recipes meet where they should', () => {
  /** Losses and gradients of another variant at the same parameters, batch and noise. */
  function atSame(variants: [Variant, Variant], temperature: number) {
    const { learner, step } = smallCase(variants[0], 13);
    const other = createLearner(task, smallCase(variants[1], 13).config);
    other.setParameters(learner.parameters());
    return [learner, other].map((each) => {
      const { losses, gradients } = each.gradients(step.batch, step.noise, { temperature });
      return { losses, gradients };
    });
  }

  it('sac at temperature 0 is virel: its soft target is the plain one', () => {
    const [sac, virel] = atSame(['sac', 'virel'], 0);
    expect(sac).toEqual(virel);
  });

  it('sac at another temperature is virel but for V (A14)', () => {
    const [sac, virel] = atSame(['sac', 'virel'], 0.5);
    const different = Object.keys(sac?.gradients ?? {}).filter(
      (name) => tensorError(sac?.gradients[name] ?? [], virel?.gradients[name] ?? []) > 0,
    );
    expect(different).toEqual(
      Object.keys(sac?.gradients ?? {}).filter((name) => name.startsWith('stateValue.')),
    );
  });

  it('beta is virel at the temperature of its residual error', () => {
    const [beta, virel] = atSame(['beta', 'virel'], 0.4);
    expect(beta).toEqual(virel);
    const { learner, step } = smallCase('beta', 13);
    const own = learner.gradients(step.batch, step.noise);
    expect({ losses: own.losses, gradients: own.gradients }).toEqual(beta);
    expect([own.temperature, own.residualError]).toEqual([0.4, 1]);
  });

  it('the projected M-step trains V and π as the direct one does', () => {
    const { learner, step, config } = smallCase('virel, projected residual', 13);
    const direct = createLearner(task, { ...config, mStep: { kind: 'direct', lossFactor: 1 } });
    const { parameters } = { parameters: learner.parameters() };
    direct.setParameters(
      Object.fromEntries(Object.entries(parameters).filter(([name]) => !/^aux/.test(name))),
    );
    const width = task.actionSize;
    const own = Float32Array.from(
      Array.from({ length: ROWS }, (_, b) => [
        ...step.noise.subarray(2 * b * width, (2 * b + 1) * width),
      ]).flat(),
    );
    const expected = direct.gradients(step.batch, own).gradients;
    const got = learner.gradients(step.batch, step.noise).gradients;
    for (const name of Object.keys(expected).filter((each) => !each.startsWith('actionValue'))) {
      expect(got[name]).toEqual(expected[name]);
    }
  });

  it('reads float32 and float64 inputs alike', () => {
    const { learner, step } = smallCase('mpo', 14);
    const wide = mapBatch(step.batch, ROWS, (values) => Float64Array.from(values));
    expect(learner.gradients(wide, Float64Array.from(step.noise))).toEqual(
      learner.gradients(step.batch, step.noise),
    );
  });
});

describe('targets (A10)', () => {
  /** Names of targets that differ from `before`. */
  const moved = (learner: ReferenceLearner, before: Parameters<Float64Array>) =>
    disagreements(dataOf(learner.parameters()), dataOf(before), 0)
      .map(({ name }) => name)
      .filter(isTarget);

  it.each<[Variant, RegExp, RegExp]>([
    ['virel', /^target\.stateValue/, /^never/],
    ['sac-twin', /^target\.actionValue\.[01]/, /^never/],
    ['ddpg', /^target\.actionValue/, /^target\.policy/],
    ['mpo', /^target\.actionValue/, /^priorPolicy/],
  ])('of %s move with the half that trains what they follow', (variant, byM, byE) => {
    for (const [half, expected] of [
      ['mStep', byM],
      ['eStep', byE],
    ] as const) {
      const { learner, step, config } = smallCase(variant, 15);
      const before = learner.parameters();
      for (let i = 0; i < config.schedule.targetEvery; i++) learner[half](step.batch, step.noise);
      const names = Object.keys(before).filter((name) => expected.test(name));
      expect(moved(learner, before)).toEqual(names);
    }
  });

  it('are copied every targetEvery-th update at rate 1, and wait between', () => {
    const { learner, step } = smallCase('mpo', 16);
    const before = learner.parameters();
    for (let update = 1; update <= 3; update++) {
      learner.update(step.batch, step.noise);
      expect(moved(learner, before)).toEqual([]);
    }
    learner.update(step.batch, step.noise);
    const after = learner.parameters();
    for (const name of Object.keys(after).filter(isTarget)) {
      const online = name.replace(/^target\./, '').replace(/^priorPolicy/, 'policy');
      expect(after[name]).toEqual(after[online]);
    }
  });

  it('are exponential averages of the stepped networks otherwise', () => {
    const { learner, step, config } = smallCase('ddpg', 17);
    const before = dataOf(learner.parameters());
    learner.update(step.batch, step.noise);
    const after = dataOf(learner.parameters());
    const rate = config.optim.targetUpdateRate;
    for (const name of Object.keys(after).filter(isTarget)) {
      const online = after[name.replace(/^target\./, '')] as Float64Array;
      const expected = Array.from(
        before[name] as Float64Array,
        (value, i) => rate * (online[i] as number) + (1 - rate) * value,
      );
      expect(tensorError(after[name] ?? [], expected)).toBeLessThan(tolerance.equation.value);
    }
  });
});

describe('temperature given from outside', () => {
  it.each([
    ['sac-twin', 'logTemperature', Math.log(0.3)],
    ['mpo', 'dualTemperature', dualStart(0.3 - 1e-8)],
  ] as const)(
    'replaces T in every loss of %s, and %s is stepped all the same',
    (variant, name, at) => {
      const { learner, step, config } = smallCase(variant, 18);
      const options = { temperature: 0.3 };
      const given = learner.gradients(step.batch, step.noise, options);
      const set = createLearner(task, config);
      set.setParameters({
        ...learner.parameters(),
        [name]: { shape: [1], data: Float64Array.of(at) },
      });
      const own = set.gradients(step.batch, step.noise);
      const limit = tolerance.equation.value;
      expect(
        tensorError([given.losses.temperature ?? 0], [own.losses.temperature ?? 1]),
      ).toBeLessThan(limit);
      // what is trained keeps its own slope
      const before = dataOf(learner.parameters())[name] as Float64Array;
      if (variant === 'mpo') {
        const slopeOf = (trained: ArrayLike<number>) =>
          Number(dualVariable(Float64Array.from(trained)).slope[0]);
        const byTrained = own.gradients[name] as Float64Array;
        own.gradients[name] = byTrained.map((value) => (value * slopeOf(before)) / slopeOf([at]));
      }
      expect(disagreements(given.gradients, own.gradients, limit)).toEqual([]);
      learner.update(step.batch, step.noise, options);
      expect(dataOf(learner.parameters())[name]).not.toEqual(before);
    },
  );

  it('at 0 is refused where Boltzmann weights need it, before anything is stepped', () => {
    const { learner, step } = smallCase('mpo', 19);
    const before = learner.parameters();
    expect(() => learner.update(step.batch, step.noise, { temperature: 0 })).toThrow(
      expect.objectContaining({ code: 'TEMPERATURE_NOT_POSITIVE' }),
    );
    expect(learner.parameters()).toEqual(before);
  });
});

describe('an algorithm that is none', () => {
  it('is refused by name', () => {
    const config = { ...configOf('virel', widths), algorithm: 'sarsa' };
    expect(() => createLearner(task, config)).toThrow(
      expect.objectContaining({ code: 'ALGORITHM_UNKNOWN', where: 'algorithm' }),
    );
  });
});
