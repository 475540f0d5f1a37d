import { describe, expect, it } from '@jest/globals';
import { errorOf, set } from './support.js';

const PROJECTED = 'mStep.kind=projected engine=tensor';

/** Assignments (`engine` short for `runtime.engine`), both sides of the message, part of the fix, code. */
const CONFLICTS: readonly (readonly [string, string, string, string, string?])[] = [
  [
    'algorithm=ddpg temperature.kind=fixed',
    'algorithm ddpg',
    'temperature.kind fixed',
    'kind=none',
  ],
  [
    'algorithm=sac-twin policyGradient=score',
    'algorithm sac-twin',
    'policyGradient score',
    '--set policyGradient=reparameterised, or --algorithm virel',
  ],
  ['algorithm=mpo policyGradient=score', 'algorithm mpo', 'policyGradient score', 'weighted'],
  ['policyGradient=deterministic', 'algorithm virel', 'policyGradient deterministic', 'ddpg'],
  ['algorithm=beta temperature.kind=fixed', 'algorithm beta', 'temperature.kind fixed', 'residual'],
  ['algorithm=ddpg network.actionValues=2', 'algorithm ddpg', 'network.actionValues 2', '=1'],
  ['algorithm=mpo network.actionValues=2', 'algorithm mpo', 'network.actionValues 2', '=1'],
  ['algorithm=mpo mStep.kind=projected', 'algorithm mpo', 'mStep.kind projected', 'direct'],
  ['algorithm=sac-twin mStep.kind=projected', 'sac-twin', 'mStep.kind projected', 'direct'],
  ['exploration.kind=ornsteinUhlenbeck', 'virel', 'exploration.kind ornsteinUhlenbeck', 'ddpg'],
  ['algorithm=ddpg exploration.kind=policy', 'ddpg', 'exploration.kind policy', 'ornstein'],
  ['algorithm=ddpg policyRegulariser.logStd=0.1', 'ddpg', 'policyRegulariser.logStd 0.1', '=0'],
  ['algorithm=ddpg schedule.kind=complete', 'ddpg', 'schedule.kind complete', 'partial'],
  [
    'algorithm=mpo temperature.kind=fixed temperature.temperature=0',
    'temperature.temperature 0',
    'policyGradient weightedLikelihood',
    'temperature.temperature=1',
  ],
  ['algorithm=mpo eStep.samples=1', 'eStep.samples 1', 'weightedLikelihood', 'eStep.samples=20'],
  [
    'algorithm=mpo policyGradient=priorDivergence',
    'policyGradient priorDivergence',
    'temperature.kind dual',
    'temperature.kind=residual',
  ],
  [
    'temperature.kind=residualAuto discount=1',
    'temperature.kind residualAuto',
    'discount 1',
    'temperature.kind=residual',
  ],
  [
    'collect.environments=7',
    'collect.resetEvery 1000',
    'collect.environments 7',
    'collect.resetEvery=1001',
  ],
  [
    'algorithm=beta replay.capacity=4096',
    'residual.batch 4096',
    'replay.capacity 4096',
    'replay.capacity=100000',
  ],
  [
    'algorithm=beta residual.batch=1000000',
    'residual.batch 1000000',
    'replay.capacity 1000000',
    'residual.batch=500000',
  ],
  [
    `${PROJECTED} network.actionValues=2`,
    'mStep.kind projected',
    'network.actionValues is 2',
    '=1',
  ],
  [
    'preset=paper-v1 mStep.kind=projected engine=tensor',
    'mStep.kind projected',
    'network.actionValues is 2',
    'network.actionValues=1',
  ],
  [
    'mStep.kind=projected',
    'projected',
    'runtime.engine kernel',
    '--engine tensor',
    'RECIPE_UNSUPPORTED',
  ],
  [`${PROJECTED} mStep.valueDecay=1.01`, 'projected', 'mStep.valueDecay 1.01', '=0.9'],
  [`${PROJECTED} mStep.valueDecay=0.5`, 'projected', 'mStep.valueDecay 0.5', '=0.9'],
  [`${PROJECTED} mStep.auxiliaryDecay=0`, 'projected', 'mStep.auxiliaryDecay 0', '=0.6'],
  [`${PROJECTED} mStep.valueDecay=0.6`, 'valueDecay 0.6', 'auxiliaryDecay 0.6', 'valueDecay=0.9'],
  [
    `${PROJECTED} mStep.stepOrder=printed mStep.auxiliaryDecay=0.95`,
    'valueDecay 0.9',
    'auxiliaryDecay 0.95',
    'auxiliaryDecay=0.6',
  ],
  ['schedule.kind=incremental', 'schedule.kind incremental', 'temperature.kind fixed', 'residual'],
  [
    'algorithm=beta schedule.kind=incremental schedule.envSteps=3 steps=30 schedule.every=10',
    'schedule.every 10',
    'schedule.envSteps 3',
    'schedule.every=12',
  ],
  ['schedule.kind=complete steps=1500', 'steps 1500', 'schedule.envSteps 1000', '--steps 2000'],
  [
    'algorithm=beta schedule.kind=incremental schedule.mSteps=0 schedule.eSteps=0',
    'schedule.mSteps 0',
    'schedule.eSteps 0',
    'schedule.mSteps=1',
  ],
];

const split = (text: string) =>
  text.split(' ').map((each) => each.replace(/^engine=/, 'runtime.engine='));

describe('keys that do not go together', () => {
  it.each(CONFLICTS)('%s names %s and %s', (text, one, other, fix, code = 'CONFIG_CONFLICT') => {
    const error = errorOf(() => set(...split(text)));
    expect(error.code).toBe(code);
    expect(error.message).toContain(one);
    expect(error.message).toContain(other);
    expect(error.fix).toContain(fix);
  });
});

describe('keys that do go together', () => {
  it.each([
    'policyGradient=score',
    'algorithm=sac temperature.kind=tuned',
    'algorithm=beta temperature.kind=residualAuto',
    'network.actionValues=2',
    'algorithm=sac-twin network.actionValues=1',
    'algorithm=mpo policyGradient=priorDivergence temperature.kind=residual eStep.samples=1',
    'algorithm=mpo policyGradient=priorDivergence temperature.kind=fixed temperature.temperature=0',
    'algorithm=beta schedule.kind=incremental',
    'algorithm=mpo schedule.kind=complete',
    'algorithm=sac mStep.kind=projected engine=tensor',
    `${PROJECTED} mStep.stepOrder=printed`,
    `${PROJECTED} mStep.valueDecay=1`,
    // the buffer only has to outgrow the batch where the residual error is in use
    'replay.capacity=2000',
    'temperature.temperature=0',
  ])('%s', (text) => {
    expect(set(...split(text)).preset).toBe('paper');
  });
});

/** Each number with what brings its key into play, and values that mathematics or use forbids. */
const RANGES: readonly (readonly [string, string, readonly (number | string)[]])[] = [
  ['temperature.temperature', '', [-1e-9, 1e7, 'NaN', 'Infinity']],
  ['temperature.temperatureScale', 'temperature.kind=residual', [0, -1, 'NaN']],
  ['temperature.targetEntropy', 'temperature.kind=tuned', ['NaN', '-Infinity', 1e9]],
  ['temperature.learningRate', 'temperature.kind=tuned', [0, -1, 1.1]],
  ['temperature.initial', 'temperature.kind=tuned', [0, -1, 'NaN']],
  ['temperature.klBound', 'algorithm=mpo', [0, -0.1]],
  ['temperature.meanKlBound', 'algorithm=mpo', [0, -0.1]],
  ['temperature.covarianceKlBound', 'algorithm=mpo', [0, -0.1]],
  ['temperature.initialMeanMultiplier', 'algorithm=mpo', [0, -1]],
  ['temperature.initialCovarianceMultiplier', 'algorithm=mpo', [0, -1]],
  ['eStep.samples', 'algorithm=mpo', [0, -1, 1001]],
  ['residual.batch', '', [0, -1]],
  ['residual.warmupValue', '', [0, -1, 'NaN']],
  ['schedule.envSteps', '', [0, 1e7]],
  ['schedule.mSteps', '', [-1]],
  ['schedule.eSteps', '', [-1]],
  ['schedule.residualEvery', '', [0, -1]],
  ['schedule.targetEvery', '', [0, -1]],
  ['schedule.tolerance', 'schedule.kind=complete', [0, -1, 1, 'NaN']],
  ['schedule.maxSteps', 'schedule.kind=complete', [0, -1]],
  ['schedule.floor', 'algorithm=beta schedule.kind=incremental', [0, -1, 'Infinity']],
  ['schedule.factor', 'algorithm=beta schedule.kind=incremental', [0, 1, 2, -1]],
  ['schedule.every', 'algorithm=beta schedule.kind=incremental', [0, -1]],
  ['mStep.lossFactor', '', [0, 2, -1]],
  ['mStep.valueStep', PROJECTED, [0, -1, 2]],
  ['mStep.auxiliaryStep', PROJECTED, [0, -1, 2]],
  ['mStep.valueDecay', PROJECTED, [-1, 'NaN', 11]],
  ['mStep.auxiliaryDecay', PROJECTED, [-1, 'NaN', 11]],
  ['mStep.stepScale', PROJECTED, [0, -1]],
  ['mStep.radius', PROJECTED, [0, -1]],
  ['mStep.leak', PROJECTED, [-1e-6, 1, 'NaN']],
  ['exploration.theta', 'algorithm=ddpg', [0, -1, 2]],
  ['exploration.sigma', 'algorithm=ddpg', [-1, 101]],
  ['network.actionValues', '', [0, 3]],
  ['optim.policyLearningRate', '', [0, -1, 2, 'NaN']],
  ['optim.actionValueLearningRate', '', [0, -1, 2]],
  ['optim.stateValueLearningRate', '', [0, -1, 2]],
  ['optim.targetUpdateRate', '', [0, -1, 1.5]],
  ['policyRegulariser.mean', '', [-1, 'NaN']],
  ['policyRegulariser.logStd', '', [-1, 'NaN']],
  ['network.policyHidden', '', ['[]', '[0]', '[1.5]']],
];

describe('each knob out of its range', () => {
  it.each(
    RANGES.flatMap(([key, with_, values]) => values.map((value) => [key, value, with_] as const)),
  )('%s=%s is refused by name', (key, value, with_) => {
    const error = errorOf(() => set(...split(`${with_} ${key}=${value}`.trim())));
    // a list with an entry of another type is a matter of type
    expect(error.code).toMatch(value === '[1.5]' ? /^CONFIG_TYPE$/ : /^CONFIG_RANGE$/);
    expect(error.message).toContain(`${key}: expected `);
    expect(error.fix).toContain(`--set ${key}=`);
  });
});
