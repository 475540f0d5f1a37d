/** What the paper gives no values for, in every preset: today's protocol, `sac-twin` and `mpo`. */
import type { Config } from '../schema.js';
import { type SourcedTree, sourced } from '../sourced.js';
import type { AlgorithmBlock } from './preset.js';

const TODAY = 'protocol of current benchmark tables';

/** Evaluation and time limits as published benchmark tables have them. */
export const todaysProtocol = {
  env: { maxEpisodeSteps: sourced(null, `${TODAY}: the task's own limit`) },
  collect: { resetEvery: sourced(0, `${TODAY}: episodes are not cut`) },
  evaluation: {
    every: sourced(10_000, TODAY),
    minSteps: sourced(1000, 'not used: evaluations are counted in episodes'),
    episodes: sourced(10, TODAY),
  },
} satisfies SourcedTree<Config>;

const SAC = 'Haarnoja et al. 2018b, Table 1';
const STARTS = 'haarnoja/sac min_pool_size, Spinning Up update_after';
const FEW = sourced(1000, 'our choice: small tasks, covered by few uniform actions');

/** Soft actor-critic as it is run today. */
export const sacTwin: AlgorithmBlock = {
  values: {
    ...todaysProtocol,
    discount: sourced(0.99, SAC),
    rewardScale: sourced(1, `${SAC}: the temperature is tuned instead`),
    collect: {
      ...todaysProtocol.collect,
      startUpdates: sourced(1000, `${STARTS}: gradient steps begin while actions are uniform`),
      uniformSteps: sourced(10_000, 'Spinning Up, start_steps; haarnoja/sac, larger tasks'),
    },
    replay: { capacity: sourced(1_000_000, SAC), batchSize: sourced(256, SAC) },
    mStep: { lossFactor: sourced(1, 'Spinning Up, CleanRL: mean squares, summed') },
    network: {
      hidden: sourced([256, 256], SAC),
      policyHidden: sourced(null, `${SAC}: one size for all networks`),
      activation: sourced('relu', SAC),
      initialise: sourced('fanIn', 'Spinning Up, CleanRL: what PyTorch gives a Linear'),
      actionValues: sourced(2, `${SAC}: the smaller of two`),
    },
    optim: {
      policyLearningRate: sourced(3e-4, SAC),
      actionValueLearningRate: sourced(3e-4, SAC),
      targetUpdateRate: sourced(0.005, SAC),
    },
    policyGradient: sourced('reparameterised', SAC),
    temperature: { kind: sourced('tuned', SAC) },
    policyRegulariser: {
      mean: sourced(0, `${SAC}: none`),
      logStd: sourced(0, `${SAC}: none`),
    },
  },
  tasks: {
    Reacher: { collect: { uniformSteps: FEW } },
    Pusher: { collect: { uniformSteps: FEW } },
    InvertedPendulum: { collect: { uniformSteps: FEW } },
    InvertedDoublePendulum: { collect: { uniformSteps: FEW } },
    Swimmer: { collect: { uniformSteps: FEW } },
  },
};

const MPO = 'frt03/inference-based-rl, conf/mpo';
const PENALTY = `${MPO}: weight of its action penalty; a tanh policy never leaves the bounds, so the penalty of the mean before tanh stands in for it`;
const OURS = 'our choice: App. G runs no experiment; as virel';

/** Maximum a posteriori policy optimisation, with the dual temperature of published code. */
export const mpo: AlgorithmBlock = {
  values: {
    ...todaysProtocol,
    discount: sourced(0.99, MPO),
    rewardScale: sourced(1, `${MPO}: rewards are not scaled`),
    collect: {
      ...todaysProtocol.collect,
      startUpdates: sourced(1000, `${MPO}: replay_buffer.start_size`),
      uniformSteps: sourced(0, `${MPO}: the policy acts from the first step`),
    },
    schedule: {
      envSteps: sourced(1, 'our choice: published code makes a gradient step every 8 steps'),
      mSteps: sourced(1, 'our choice: as the other algorithms'),
      eSteps: sourced(1, 'our choice: as the other algorithms'),
      targetEvery: sourced(100, `${MPO}: target_actor_ and target_critic_update_intervals`),
    },
    replay: { capacity: sourced(1_000_000, MPO), batchSize: sourced(256, MPO) },
    mStep: { lossFactor: sourced(1, 'paper, App. G: mean square') },
    network: {
      hidden: sourced([512, 512, 512], `${MPO}: critic.nn_size, three layers`),
      policyHidden: sourced([256, 256, 256], `${MPO}: actor.nn_size, three layers`),
      activation: sourced('relu', 'our choice: published code has ELU behind a layer norm'),
      initialise: sourced('fanIn', 'our choice: what PyTorch gives a Linear'),
      actionValues: sourced(1, MPO),
    },
    optim: {
      policyLearningRate: sourced(1e-4, MPO),
      actionValueLearningRate: sourced(1e-4, MPO),
      targetUpdateRate: sourced(1, `${MPO}: targets are copies`),
    },
    policyGradient: sourced('weightedLikelihood', 'Abdolmaleki et al. 2018; paper, App. G'),
    temperature: {
      kind: sourced('dual', MPO),
      learningRate: sourced(1e-2, `${MPO}: temperature_lr, eta_lr`),
      initial: sourced(10, 'acme, MPO: start of its dual variable'),
    },
    policyRegulariser: {
      mean: sourced(1e-3, PENALTY),
      logStd: sourced(0, `${MPO}: none`),
    },
  },
  variations: [
    {
      section: 'temperature',
      kinds: ['residual', 'residualAuto', 'fixed'],
      values: {
        replay: { batchSize: sourced(128, OURS) },
        network: { hidden: sourced([300, 300], OURS), policyHidden: sourced(null, OURS) },
        optim: {
          policyLearningRate: sourced(3e-4, OURS),
          actionValueLearningRate: sourced(3e-4, OURS),
        },
      },
    },
  ],
};
