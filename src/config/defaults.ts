/** Values that no preset decides: the deepest layer under every preset. */
import type { Variation } from './presets/preset.js';
import type { Config } from './schema.js';
import { type SourcedTree, sourced } from './sourced.js';

const OURS = 'our choice';
const STEPS = `${OURS}: a schedule that converges on the two-time-scale example`;
const BETA = "authors' script of Algorithm 2";
const MPO = 'frt03/inference-based-rl, conf/mpo';
const START = 'acme, MPO: starts of its dual variables';
const SAC = 'Haarnoja et al. 2018b, Table 1';
const COMPLETE = 'paper, F.5 (41): an iteration starts from what the one before it ended with';
const ANNEALED = `${OURS}: the paper (F.2) leaves the sequence open`;

export const defaults: SourcedTree<Config> = {
  schema: sourced(1, 'version of this layout'),
  preset: sourced('paper', `${OURS}: the paper's own values unless asked otherwise`),
  algorithm: sourced('virel', `${OURS}: Algorithm 1`),
  env: {
    id: sourced('HalfCheetah-v5', `${OURS}: learns visibly within minutes`),
    maxEpisodeSteps: sourced(null, "the task's own limit"),
    modelDir: sourced(null, 'the folder of the set-up'),
    module: sourced(null, 'a task'),
    modelFile: sourced(null, "the task's own model"),
    taskFile: sourced(null, 'a built-in task'),
  },
  seed: sourced(0, OURS),
  steps: sourced(1_000_000, `${OURS}: length of the published benchmark tables`),
  collect: {
    environments: sourced(1, 'paper, Algorithm 1: one environment'),
    uniformSteps: sourced(0, "authors' scripts: the policy acts from the first step"),
  },
  schedule: {
    kind: sourced('partial', 'paper, F.3: partial E- and M-steps'),
    residualEvery: sourced(1, `${BETA}: every gradient step`),
    targetEvery: sourced(1, 'paper, Algorithm 1'),
    tolerance: sourced(1e-4, `${OURS}: one gradient step moves little; at 1 % a part ends at once`),
    maxSteps: sourced(1000, `${OURS}: as many gradient steps as an epoch of the paper has`),
    floor: sourced(1, `${ANNEALED}; 1 is the residual error of the warm-up`),
    factor: sourced(0.5, ANNEALED),
    every: sourced(50_000, `${ANNEALED}; 1e-6 is reached after 1,000,000 steps`),
  },
  mStep: {
    kind: sourced('direct', 'paper, F.3: direct method'),
    lossFactor: sourced(1, "authors' script: mean square without the 1/2 that App. H prints"),
    stepOrder: sourced('corrected', 'two-time-scale theorem: the auxiliary weights are faster'),
    valueStep: sourced(0.3, STEPS),
    valueDecay: sourced(0.9, STEPS),
    auxiliaryStep: sourced(0.9, STEPS),
    auxiliaryDecay: sourced(0.6, STEPS),
    stepScale: sourced(1000, STEPS),
    radius: sourced(100, `${OURS}: wide enough to hold the weights of an untrained network`),
    leak: sourced(1e-6, `${OURS}: more parameters than pairs make E[bb] singular`),
  },
  eStep: { samples: sourced(20, `${MPO}: action_samples`) },
  network: { policyHidden: sourced(null, 'one size for all networks') },
  policyGradient: sourced('reparameterised', 'paper, E.4'),
  temperature: {
    kind: sourced('fixed', 'paper, Algorithm 1'),
    temperature: sourced(1, "authors' script of Algorithm 1: the reward scale takes its place"),
    targetEntropy: sourced(null, `${SAC}: minus the action size`),
    learningRate: sourced(3e-4, SAC),
    initial: sourced(1, 'rail-berkeley/softlearning: its logarithm starts at 0'),
    klBound: sourced(0.1, `${MPO}: dual_constraint`),
    meanKlBound: sourced(1e-3, `${MPO}: mean_constraint`),
    covarianceKlBound: sourced(1e-6, `${MPO}: var_constraint`),
    initialMeanMultiplier: sourced(10, START),
    initialCovarianceMultiplier: sourced(1000, START),
  },
  residual: {
    batch: sourced(4096, `${BETA}: batch of the residual error`),
    stateValue: sourced('online', `${BETA}: the online V, where Algorithm 2 prints the target`),
    half: sourced(false, `${BETA}: plain mean square`),
    warmupValue: sourced(1, `${BETA}: in use while the buffer holds no more than the batch`),
  },
  exploration: {
    kind: sourced('policy', 'paper, Algorithm 1: actions are drawn from the policy'),
    theta: sourced(0.15, 'Lillicrap et al. 2016; rlkit v0.1.2'),
    sigma: sourced(0.3, 'rlkit v0.1.2, OUStrategy'),
  },
  checkpoint: {
    every: sourced('5m', OURS),
    keep: sourced(3, OURS),
    replay: sourced(true, OURS),
  },
  stability: { maxUnstablePer10k: sourced(100, `${OURS}: 1 % of the steps`) },
  runtime: {
    engine: sourced(null, 'kernel, on cuda tensor'),
    device: sourced('cpu', OURS),
    threads: sourced(null, 'cores of the machine, at most 2'),
    gemm: sourced(null, 'measured once on the machine and kept'),
  },
  logging: {
    every: sourced(1000, 'steps of an epoch in the paper, Table 1'),
    interval: sourced('10s', OURS),
    tensorboard: sourced(true, `${OURS}: the page that most trackers import from`),
    episodes: sourced(true, `${OURS}: as Stable-Baselines3's Monitor`),
  },
};

/** Values of kinds that no publication ran. */
export const defaultVariations: readonly Variation[] = [
  {
    section: 'schedule',
    kinds: ['complete'],
    values: {
      schedule: {
        envSteps: sourced(1000, `${OURS}: an epoch of the paper between complete E- and M-steps`),
        targetEvery: sourced(1, COMPLETE),
      },
      optim: { targetUpdateRate: sourced(1, COMPLETE) },
    },
  },
];
