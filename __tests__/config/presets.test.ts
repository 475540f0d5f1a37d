import { describe, expect, it } from '@jest/globals';
import { ALGORITHMS } from '../../src/algorithms/index.js';
import { PRESETS } from '../../src/config/resolve.js';
import { configSchema, PRESET_NAMES } from '../../src/config/schema.js';
import { TASKS } from '../../src/environments/tasks.js';
import { FAMILIES, resolution, set, valueAt } from './support.js';

const names = ALGORITHMS.map(({ name }) => name);
const everywhere = [...FAMILIES.map((name) => `${name}-v5`), 'humanoid-rllab', 'swimmer-rllab'];

describe('every preset', () => {
  it.each(PRESET_NAMES)('%s has a block for every algorithm and no other', (preset) => {
    expect(Object.keys(PRESETS[preset].algorithms).sort()).toEqual([...names].sort());
  });

  it.each(PRESET_NAMES)('%s is complete for every algorithm on every task', (preset) => {
    for (const algorithm of names) {
      for (const env of everywhere) {
        const { config, origin } = resolution(
          `preset=${preset}`,
          `algorithm=${algorithm}`,
          `env=${env}`,
        );
        expect(configSchema.safeParse(config).success).toBe(true);
        expect(Object.entries(origin).filter(([, layer]) => layer.length < 5)).toEqual([]);
      }
    }
  });

  it.each(['sac-twin', 'mpo'])(
    'holds the same values for %s: the paper gives none',
    (algorithm) => {
      const [paper, modern, v1] = (['paper', 'modern', 'paper-v1'] as const).map((preset) => {
        const { preset: _, steps: __, ...rest } = set(`preset=${preset}`, `algorithm=${algorithm}`);
        return rest;
      });
      expect(paper).toEqual(modern);
      expect(v1).toEqual(modern);
    },
  );
});

/** Preset, algorithm, task; then keys with their values, as section 5 and 4.6 to 4.8 of the specification have them. */
const TABLE: readonly (readonly [string, string, string, Record<string, unknown>])[] = [
  ['paper', 'virel', 'Hopper-v5', { rewardScale: 5, 'network.actionValues': 1 }],
  ['paper', 'virel', 'HalfCheetah-v5', { rewardScale: 5, 'mStep.lossFactor': 1 }],
  ['paper', 'virel', 'Walker2d-v5', { rewardScale: 3, 'network.initialise': 'rlkit' }],
  ...FAMILIES.filter((name) => !['Hopper', 'HalfCheetah', 'Walker2d'].includes(name)).map(
    (name) => ['paper', 'virel', `${name}-v5`, { rewardScale: 1 }] as const,
  ),
  ...FAMILIES.map(
    (name) =>
      [
        'paper',
        'beta',
        `${name}-v5`,
        {
          'temperature.kind': 'residual',
          'temperature.temperatureScale': name === 'Humanoid' ? 4e-4 : 4e-3,
          'residual.batch': 4096,
          'residual.stateValue': 'online',
          'residual.half': false,
          'residual.warmupValue': 1,
        },
      ] as const,
  ),
  [
    'paper',
    'sac',
    'Walker2d-v5',
    {
      'temperature.kind': 'fixed',
      'temperature.temperature': 1,
      rewardScale: 3,
      'optim.targetUpdateRate': 1e-3,
      'network.hidden': [300, 300],
      'replay.batchSize': 128,
      'policyRegulariser.mean': 1e-3,
      'policyRegulariser.logStd': 1e-3,
    },
  ],
  ...['virel', 'beta', 'sac'].map(
    (algorithm) =>
      [
        'paper-v1',
        algorithm,
        'Hopper-v5',
        {
          rewardScale: 5,
          steps: 1_000_000,
          'network.actionValues': 2,
          'network.initialise': 'glorot',
          'network.hidden': [256, 256],
          'network.policyHidden': [256, 256],
          'mStep.lossFactor': 0.5,
          'optim.targetUpdateRate': 5e-3,
          'replay.batchSize': 256,
          'collect.startUpdates': 1000,
          'collect.uniformSteps': 1000,
          'env.maxEpisodeSteps': 1000,
          'evaluation.every': 1000,
          'evaluation.episodes': 1,
          'policyRegulariser.mean': algorithm === 'sac' ? 0 : 1e-3,
          'policyRegulariser.logStd': algorithm === 'sac' ? 0 : 1e-3,
        },
      ] as const,
  ),
  ...(
    [
      ['HalfCheetah-v5', 5, 3_000_000, 10_000],
      ['Walker2d-v5', 5, 1_000_000, 1000],
      ['Ant-v5', 5, 3_000_000, 10_000],
      ['Humanoid-v5', 20, 10_000_000, 1000],
      ['HumanoidStandup-v5', 100, 10_000_000, 1000],
      ['Swimmer-v5', 1, 1_000_000, 1000],
      ['Reacher-v5', 1, 1_000_000, 1000],
      ['humanoid-rllab', 10, 10_000_000, 1000],
      ['swimmer-rllab', 25, 1_000_000, 1000],
    ] as const
  ).map(
    ([env, rewardScale, steps, uniformSteps]) =>
      [
        'paper-v1',
        'virel',
        env,
        { rewardScale, steps, 'collect.uniformSteps': uniformSteps },
      ] as const,
  ),
  ...PRESET_NAMES.flatMap((preset) =>
    FAMILIES.map(
      (name) =>
        [
          preset,
          'sac-twin',
          `${name}-v5`,
          {
            // over the reward scale of the task's block
            rewardScale: 1,
            'collect.uniformSteps': [
              'Reacher',
              'Pusher',
              'InvertedPendulum',
              'InvertedDoublePendulum',
              'Swimmer',
            ].includes(name)
              ? 1000
              : 10_000,
            'collect.startUpdates': 1000,
            'network.initialise': 'fanIn',
            'network.hidden': [256, 256],
            'network.actionValues': 2,
            'mStep.lossFactor': 1,
            'replay.batchSize': 256,
            'optim.targetUpdateRate': 5e-3,
            'optim.policyLearningRate': 3e-4,
            'optim.actionValueLearningRate': 3e-4,
            'temperature.kind': 'tuned',
            'temperature.targetEntropy': -(
              TASKS.find(({ id }) => id === `${name}-v5`)?.actionSize ?? 0
            ),
            'temperature.learningRate': 3e-4,
            'temperature.initial': 1,
            'policyRegulariser.mean': 0,
            'policyRegulariser.logStd': 0,
            'evaluation.every': 10_000,
            'evaluation.episodes': 10,
          },
        ] as const,
    ),
  ),
  ...PRESET_NAMES.map(
    (preset) =>
      [
        preset,
        'ddpg',
        'Hopper-v5',
        {
          rewardScale: 1,
          discount: 0.99,
          'network.hidden': [400, 300],
          'network.policyHidden': [400, 300],
          'network.initialise': 'rlkit',
          'network.actionValues': 1,
          'mStep.lossFactor': 1,
          'optim.policyLearningRate': 1e-4,
          'optim.actionValueLearningRate': 1e-3,
          'optim.targetUpdateRate': 0.01,
          'replay.batchSize': 128,
          'collect.uniformSteps': 0,
          'env.maxEpisodeSteps': 1000,
          policyGradient: 'deterministic',
          'temperature.kind': 'none',
          'exploration.kind': 'ornsteinUhlenbeck',
          'exploration.theta': 0.15,
          'exploration.sigma': 0.3,
          'policyRegulariser.mean': 0,
          'policyRegulariser.logStd': 0,
        },
      ] as const,
  ),
  ...PRESET_NAMES.map(
    (preset) =>
      [
        preset,
        'mpo',
        'Hopper-v5',
        {
          rewardScale: 1,
          policyGradient: 'weightedLikelihood',
          'eStep.samples': 20,
          'replay.batchSize': 256,
          'temperature.kind': 'dual',
          'temperature.klBound': 0.1,
          'temperature.meanKlBound': 1e-3,
          'temperature.covarianceKlBound': 1e-6,
          'temperature.learningRate': 1e-2,
          'temperature.initial': 10,
          'temperature.initialMeanMultiplier': 10,
          'temperature.initialCovarianceMultiplier': 1000,
          'optim.policyLearningRate': 1e-4,
          'optim.actionValueLearningRate': 1e-4,
          'optim.targetUpdateRate': 1,
          'schedule.targetEvery': 100,
          'network.policyHidden': [256, 256, 256],
          'network.hidden': [512, 512, 512],
          'network.actionValues': 1,
          'mStep.lossFactor': 1,
          'policyRegulariser.mean': 1e-3,
          'policyRegulariser.logStd': 0,
        },
      ] as const,
  ),
  [
    'modern',
    'beta',
    'Reacher-v5',
    {
      'evaluation.every': 10_000,
      'evaluation.episodes': 10,
      'env.maxEpisodeSteps': 50,
      'collect.resetEvery': 0,
      'optim.targetUpdateRate': 1e-3,
    },
  ],
];

describe('presets by algorithm and task', () => {
  it.each(TABLE)('%s, %s on %s', (preset, algorithm, env, values) => {
    const config = set(`preset=${preset}`, `algorithm=${algorithm}`, `env=${env}`);
    const got = Object.keys(values).map((path) => [path, valueAt(config, path)]);
    expect(Object.fromEntries(got)).toEqual(values);
  });

  it.each(['residual', 'residualAuto', 'fixed'])('mpo with temperature.kind %s', (kind) => {
    const config = set('algorithm=mpo', `temperature.kind=${kind}`);
    expect(config).toMatchObject({
      replay: { batchSize: 128 },
      network: { hidden: [300, 300], policyHidden: [300, 300] },
      optim: { policyLearningRate: 3e-4, actionValueLearningRate: 3e-4 },
      schedule: { targetEvery: 100 },
    });
  });

  it('schedule.kind complete collects an epoch between its steps', () => {
    expect(set('schedule.kind=complete').schedule).toMatchObject({ envSteps: 1000 });
    expect(set('schedule.kind=complete', 'schedule.envSteps=50').schedule.envSteps).toBe(50);
  });

  it.each(['virel', 'beta', 'sac', 'sac-twin', 'mpo'])(
    'schedule.kind complete of %s copies the targets after every step, as (41) has it',
    (algorithm) => {
      const config = set(`algorithm=${algorithm}`, 'schedule.kind=complete');
      expect(config.optim.targetUpdateRate).toBe(1);
      expect(config.schedule).toMatchObject({ targetEvery: 1 });
    },
  );

  it('the origin names preset, algorithm, task and kind', () => {
    const { origin } = resolution('algorithm=sac-twin', 'env=Reacher-v5');
    expect(origin['collect.uniformSteps']).toMatch(
      /^preset paper, sac-twin on Reacher: our choice/,
    );
    expect(origin['rewardScale']).toMatch(/^preset paper, sac-twin: Haarnoja/);
    expect(resolution('algorithm=beta', 'env=Humanoid-v5').origin).toMatchObject({
      'temperature.temperatureScale': 'preset paper, Humanoid: paper, Table 1',
    });
    expect(resolution('algorithm=mpo', 'temperature.kind=residual').origin).toMatchObject({
      'replay.batchSize': expect.stringMatching(
        /^preset paper, mpo with temperature\.kind residual: our choice/,
      ),
    });
  });
});
