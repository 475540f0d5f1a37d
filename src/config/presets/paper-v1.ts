/** The paper's v1 experiments, run with the code of Haarnoja et al.: its values where they differ. */
import { sourced } from '../sourced.js';
import { paper } from './paper.js';
import type { Preset } from './preset.js';

const SAC = "haarnoja/sac, version of 11 August 2018, which the paper's v1 experiments used";
const LONG = sourced(10_000, `${SAC}: n_initial_exploration_steps`);

/** Epochs of 1000 steps. */
const epochs = (count: number) => sourced(count * 1000, `${SAC}: ${count} epochs of 1000 steps`);

export const paperV1: Preset = {
  summary: "the paper's v1 experiments, with the values of haarnoja/sac of August 2018",
  values: {
    ...paper.values,
    env: { maxEpisodeSteps: sourced(1000, `${SAC}: max_path_length`) },
    rewardScale: sourced(1, 'our choice: haarnoja/sac has no entry for this task'),
    collect: {
      // gradient steps begin here even where actions stay uniform for longer: the pool is ready
      startUpdates: sourced(1000, `${SAC}: min_pool_size, whatever the actions are`),
      uniformSteps: sourced(1000, `${SAC}: n_initial_exploration_steps`),
      resetEvery: sourced(0, `${SAC}: an episode goes on over epochs`),
    },
    replay: { capacity: sourced(1_000_000, SAC), batchSize: sourced(256, SAC) },
    mStep: { lossFactor: sourced(0.5, `${SAC}: half the mean squares`) },
    network: {
      ...paper.values.network,
      hidden: sourced([256, 256], SAC),
      initialise: sourced('glorot', `${SAC}: Glorot uniform, biases 0`),
      actionValues: sourced(2, SAC),
    },
    optim: {
      policyLearningRate: sourced(3e-4, SAC),
      actionValueLearningRate: sourced(3e-4, SAC),
      stateValueLearningRate: sourced(3e-4, SAC),
      targetUpdateRate: sourced(0.005, SAC),
    },
    evaluation: {
      every: sourced(1000, SAC),
      minSteps: sourced(1000, 'not used: evaluations are counted in episodes'),
      episodes: sourced(1, SAC),
    },
  },
  tasks: {
    Hopper: { rewardScale: sourced(5, SAC), steps: epochs(1000) },
    HalfCheetah: {
      rewardScale: sourced(5, SAC),
      steps: epochs(3000),
      collect: { uniformSteps: LONG },
    },
    Walker2d: { rewardScale: sourced(5, SAC), steps: epochs(1000) },
    Ant: { rewardScale: sourced(5, SAC), steps: epochs(3000), collect: { uniformSteps: LONG } },
    Humanoid: {
      rewardScale: sourced(20, SAC),
      steps: epochs(10_000),
      temperature: { temperatureScale: sourced(4e-4, 'paper, Table 1: not stated for v1') },
    },
    HumanoidStandup: { rewardScale: sourced(100, SAC), steps: epochs(10_000) },
    Swimmer: { steps: epochs(1000) },
    'humanoid-rllab': { rewardScale: sourced(10, SAC), steps: epochs(10_000) },
    'swimmer-rllab': { rewardScale: sourced(25, SAC), steps: epochs(1000) },
  },
  algorithms: {
    ...paper.algorithms,
    sac: {
      values: {
        temperature: {
          kind: sourced('fixed', SAC),
          temperature: sourced(1, `${SAC}: the reward scale takes its place`),
        },
        policyRegulariser: {
          mean: sourced(0, `${SAC}: built and never added`),
          logStd: sourced(0, `${SAC}: built and never added`),
        },
      },
    },
  },
};
