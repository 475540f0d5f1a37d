/** `ddpg` in every preset: the paper compares with it and does not say which; these are the values of rlkit's example. */
import { sourced } from '../sourced.js';
import type { AlgorithmBlock } from './preset.js';

const RLKIT = 'rlkit v0.1.2, examples/ddpg';

export const ddpg: AlgorithmBlock = {
  values: {
    env: { maxEpisodeSteps: sourced(1000, `${RLKIT}: max_path_length`) },
    discount: sourced(0.99, RLKIT),
    rewardScale: sourced(1, `${RLKIT}: rewards are not scaled`),
    collect: { uniformSteps: sourced(0, `${RLKIT}: the policy acts from the first step`) },
    replay: { capacity: sourced(1_000_000, RLKIT), batchSize: sourced(128, RLKIT) },
    mStep: { lossFactor: sourced(1, `${RLKIT}: mean square`) },
    network: {
      hidden: sourced([400, 300], RLKIT),
      policyHidden: sourced(null, `${RLKIT}: one size for both networks`),
      activation: sourced('relu', RLKIT),
      initialise: sourced('rlkit', RLKIT),
      actionValues: sourced(1, RLKIT),
    },
    optim: {
      policyLearningRate: sourced(1e-4, RLKIT),
      actionValueLearningRate: sourced(1e-3, RLKIT),
      targetUpdateRate: sourced(0.01, RLKIT),
    },
    policyGradient: sourced('deterministic', 'Lillicrap et al. 2016'),
    temperature: { kind: sourced('none', 'a deterministic policy has no entropy') },
    exploration: { kind: sourced('ornsteinUhlenbeck', RLKIT) },
    policyRegulariser: {
      mean: sourced(0, `${RLKIT}: policy_pre_activation_weight`),
      logStd: sourced(0, 'a deterministic policy has no deviation'),
    },
  },
};
