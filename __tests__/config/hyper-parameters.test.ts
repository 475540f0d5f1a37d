import { describe, expect, it } from '@jest/globals';
import { LEAF_PATHS } from '../../src/config/schema.js';
import { resolution, valueAt } from './support.js';

/** A hyper-parameter of the specification: where it stands, what it is, its key, its value for these choices. */
type Row = readonly [section: string, name: string, asked: string, key: string, value: unknown];

/** Every hyper-parameter that sections 4 and 5 of the specification name. */
const ROWS: readonly Row[] = [
  ['4.1', 'actions uniform at first', '', 'collect.uniformSteps', 0],
  ['4.1', 'transitions before the first update', '', 'collect.startUpdates', 1000],
  ['4.1', 'environment steps per update', '', 'schedule.envSteps', 1],
  ['4.1', 'gradient steps per update', '', 'schedule.mSteps', 1],
  ['4.1', 'batch', '', 'replay.batchSize', 128],
  ['4.1', 'buffer', '', 'replay.capacity', 1e6],
  ['4.1', 'steps per epoch and evaluation', '', 'evaluation.every', 1000],
  ['4.1', 'steps of an evaluation', '', 'evaluation.minSteps', 1000],
  ['4.1', 'reset after an epoch', '', 'collect.resetEvery', 1000],
  ['4.1, A25', 'reward scale', '', 'rewardScale', 5],
  ['4.1, A27', 'path length', '', 'env.maxEpisodeSteps', 999],
  ['4.2', 'activation', '', 'network.activation', 'relu'],
  ['4.2', 'hidden', '', 'network.hidden', [300, 300]],
  ['4.2', 'initialisation', '', 'network.initialise', 'rlkit'],
  ['4.2', 'initialisation of the sac repo', 'preset=paper-v1', 'network.initialise', 'glorot'],
  ['4.2', 'initialisation of sac-twin', 'algorithm=sac-twin', 'network.initialise', 'fanIn'],
  ['4.3, A5', 'temperature', '', 'temperature.temperature', 1],
  ['4.3, A13', 'regulariser of the mean', '', 'policyRegulariser.mean', 1e-3],
  ['4.3, A13', 'regulariser of log sigma', '', 'policyRegulariser.logStd', 1e-3],
  ['4.3', 'the 1/2 of J_V, J_Q', '', 'mStep.lossFactor', 1],
  ['4.4', 'rows of the residual error', 'algorithm=beta', 'residual.batch', 4096],
  ['4.4', 'residual error of the warm-up', 'algorithm=beta', 'residual.warmupValue', 1],
  ['4.4, A7', 'V of the residual error', 'algorithm=beta', 'residual.stateValue', 'online'],
  ['4.4, A8', '1/2 of the residual error', 'algorithm=beta', 'residual.half', false],
  ['4.4, A1', 'temperatureScale', 'algorithm=beta', 'temperature.temperatureScale', 4e-3],
  [
    '4.4, A2',
    'r_avg from the buffer',
    'temperature.kind=residualAuto',
    'temperature.kind',
    'residualAuto',
  ],
  ['4.5, A4', 'score gradient', 'policyGradient=score', 'policyGradient', 'score'],
  ['4.6', 'number of Q', 'algorithm=sac-twin', 'network.actionValues', 2],
  [
    '4.6',
    'number of Q of the sac repo',
    'preset=paper-v1 algorithm=sac',
    'network.actionValues',
    2,
  ],
  ['4.6', '1/2 of the sac repo', 'preset=paper-v1 algorithm=sac', 'mStep.lossFactor', 0.5],
  ['4.6', 'no regulariser', 'preset=paper-v1 algorithm=sac', 'policyRegulariser.mean', 0],
  ['4.6', 'target entropy', 'algorithm=sac-twin', 'temperature.targetEntropy', -6],
  ['4.6', 'rate of alpha', 'algorithm=sac-twin', 'temperature.learningRate', 3e-4],
  ['4.6', 'alpha at the start', 'algorithm=sac-twin', 'temperature.initial', 1],
  ['4.6', 'evaluation episodes', 'algorithm=sac-twin', 'evaluation.episodes', 10],
  ['4.6', 'steps between evaluations', 'algorithm=sac-twin', 'evaluation.every', 10_000],
  ['4.6', 'uniform steps', 'algorithm=sac-twin env=Hopper-v5', 'collect.uniformSteps', 10_000],
  ['4.7', 'actor and critic', 'algorithm=ddpg', 'network.hidden', [400, 300]],
  ['4.7', 'tau', 'algorithm=ddpg', 'optim.targetUpdateRate', 0.01],
  ['4.7', 'actor rate', 'algorithm=ddpg', 'optim.policyLearningRate', 1e-4],
  ['4.7', 'critic rate', 'algorithm=ddpg', 'optim.actionValueLearningRate', 1e-3],
  ['4.7', 'OU pull', 'algorithm=ddpg', 'exploration.theta', 0.15],
  ['4.7', 'OU deviation', 'algorithm=ddpg', 'exploration.sigma', 0.3],
  ['4.7', 'path', 'algorithm=ddpg', 'env.maxEpisodeSteps', 1000],
  ['4.8', 'K', 'algorithm=mpo', 'eStep.samples', 20],
  ['4.8', 'N', 'algorithm=mpo', 'schedule.targetEvery', 100],
  ['4.8', 'copies', 'algorithm=mpo', 'optim.targetUpdateRate', 1],
  ['4.8', 'fit or direct', 'algorithm=mpo', 'policyGradient', 'weightedLikelihood'],
  ['4.8', 'bound of the dual', 'algorithm=mpo', 'temperature.klBound', 0.1],
  ['4.8', 'bound of the mean', 'algorithm=mpo', 'temperature.meanKlBound', 1e-3],
  ['4.8', 'bound of the covariance', 'algorithm=mpo', 'temperature.covarianceKlBound', 1e-6],
  ['4.8', 'action penalty (stand-in)', 'algorithm=mpo', 'policyRegulariser.mean', 1e-3],
  ['4.8', 'rates', 'algorithm=mpo', 'optim.policyLearningRate', 1e-4],
  ['4.8', 'rate of the dual', 'algorithm=mpo', 'temperature.learningRate', 1e-2],
  ['4.8', 'temperature at the start', 'algorithm=mpo', 'temperature.initial', 10],
  ['4.8', 'multiplier, mean', 'algorithm=mpo', 'temperature.initialMeanMultiplier', 10],
  [
    '4.8',
    'multiplier, covariance',
    'algorithm=mpo',
    'temperature.initialCovarianceMultiplier',
    1000,
  ],
  ['4.8', 'actor', 'algorithm=mpo', 'network.policyHidden', [256, 256, 256]],
  ['4.8', 'critic', 'algorithm=mpo', 'network.hidden', [512, 512, 512]],
  ['4.8', 'batch', 'algorithm=mpo', 'replay.batchSize', 256],
  [
    '4.8',
    'rate with residual',
    'algorithm=mpo temperature.kind=residual',
    'optim.policyLearningRate',
    3e-4,
  ],
  ['4.9', 'order of the steps, A19', 'projected', 'mStep.stepOrder', 'corrected'],
  ['4.9', 'alpha_w', 'projected', 'mStep.valueStep', 0.3],
  ['4.9', 'its exponent', 'projected', 'mStep.valueDecay', 0.9],
  ['4.9', 'alpha_zeta', 'projected', 'mStep.auxiliaryStep', 0.9],
  ['4.9', 'its exponent', 'projected', 'mStep.auxiliaryDecay', 0.6],
  ['4.9', 'steps until both fall', 'projected', 'mStep.stepScale', 1000],
  ['4.9', 'radius', 'projected', 'mStep.radius', 100],
  ['4.9', 'leak', 'projected', 'mStep.leak', 1e-6],
  ['4.10', 'epsilon_0', 'incremental', 'schedule.floor', 1],
  ['4.10', 'kappa', 'incremental', 'schedule.factor', 0.5],
  ['4.10', 'outer steps', 'incremental', 'schedule.every', 50_000],
  ['4.11', 'eSteps', '', 'schedule.eSteps', 1],
  ['4.11', 'residualEvery', '', 'schedule.residualEvery', 1],
  ['4.11', 'targetEvery', '', 'schedule.targetEvery', 1],
  ['4.11', 'tolerance', 'schedule.kind=complete', 'schedule.tolerance', 1e-4],
  ['4.11', 'cap', 'schedule.kind=complete', 'schedule.maxSteps', 1000],
  ['5', 'gamma', '', 'discount', 0.99],
  ['5', 'rate of V', '', 'optim.stateValueLearningRate', 3e-4],
  ['5', 'rate of pi', '', 'optim.policyLearningRate', 3e-4],
  ['5', 'rate of Q', '', 'optim.actionValueLearningRate', 3e-4],
  ['5, A10', 'tau', '', 'optim.targetUpdateRate', 1e-3],
  ['5', 'epochs of 1000 steps', 'preset=paper-v1 env=Walker2d-v5', 'steps', 1_000_000],
  ['5', 'seeds', '', 'seed', 0],
];

const SHORT: Record<string, string> = {
  projected: 'mStep.kind=projected runtime.engine=tensor',
  incremental: 'algorithm=beta schedule.kind=incremental',
};

// Numbers of the same sections without a key, for they are part of a definition: Adam's .9, .999, 1e-8 (4.2), the clip
// of log sigma to [-20, 2] (A12), the bounds of each initialisation (4.2); of theory alone: the ridge of the exact
// projection (4.9), the tolerance and the stop of tabular EM (4.10, 4.11).

/** Keys that no row of those sections is about: the run itself, its machine and its records, environments side by side. */
const OF_THE_RUN =
  /^(schema|preset|algorithm|env\.|steps$|seed$|collect\.environments$|checkpoint\.|stability\.|runtime\.|logging\.)/;

describe('every hyper-parameter of the specification', () => {
  it.each(ROWS)('%s: %s (%s) is %s = %j', (_section, _name, asked, key, value) => {
    const choices = SHORT[asked] ?? asked;
    const { config, origin } = resolution(...choices.split(' ').filter((each) => each !== ''));
    expect(valueAt(config, key)).toEqual(value);
    expect(origin[key]).toMatch(/^(default|preset|--set)/);
  });

  it('has a key, and every key of a learner has a row', () => {
    const rows = new Set(ROWS.map(([, , , key]) => key));
    expect([...rows].filter((key) => !LEAF_PATHS.has(key))).toEqual([]);
    const without = [...LEAF_PATHS].filter((key) => !rows.has(key) && !OF_THE_RUN.test(key));
    // the kinds themselves are rows of kinds.test.ts
    expect(without.filter((key) => !key.endsWith('.kind'))).toEqual([]);
  });
});
