/** The paper's v1 experiments, run with the code of Haarnoja et al.: its values where they differ. */
import { sourced } from '../sourced.js';
import { paper } from './paper.js';
import type { Preset } from './preset.js';

const SAC = "haarnoja/sac, version of 11 August 2018, which the paper's v1 experiments used";

export const paperV1: Preset = {
  summary: "the paper's v1 experiments, with the values of haarnoja/sac of August 2018",
  values: {
    ...paper.values,
    env: { maxEpisodeSteps: sourced(1000, SAC) },
    collect: {
      startUpdates: sourced(1000, SAC),
      uniformSteps: sourced(1000, SAC),
      resetEvery: sourced(0, `${SAC}: an episode goes on over epochs`),
    },
    replay: { capacity: sourced(1_000_000, SAC), batchSize: sourced(256, SAC) },
    network: { ...paper.values.network, hidden: sourced([256, 256], SAC) },
    optim: { ...paper.values.optim, targetUpdateRate: sourced(0.005, SAC) },
    evaluation: {
      every: sourced(1000, SAC),
      minSteps: sourced(1000, 'not used: evaluations are counted in episodes'),
      episodes: sourced(1, SAC),
    },
  },
  algorithms: paper.algorithms,
  tasks: {
    Hopper: { rewardScale: sourced(5, SAC), steps: sourced(1_000_000, SAC) },
    HalfCheetah: {
      rewardScale: sourced(5, SAC),
      steps: sourced(3_000_000, SAC),
      collect: { uniformSteps: sourced(10_000, SAC) },
    },
    Walker2d: { rewardScale: sourced(5, SAC), steps: sourced(1_000_000, SAC) },
  },
};
