/** Every algorithm with every part that it can be run with, as configs of the reference: what its tests go through. */

import type { ReferenceConfig } from '../../src/reference/index.js';

/** The `paper` preset's values of `virel`, for what a learner reads. */
export const PAPER: ReferenceConfig = {
  algorithm: 'virel',
  seed: 0,
  discount: 0.99,
  network: {
    hidden: [300, 300],
    policyHidden: [300, 300],
    initialise: 'rlkit',
    actionValues: 1,
  },
  optim: {
    policyLearningRate: 3e-4,
    actionValueLearningRate: 3e-4,
    stateValueLearningRate: 3e-4,
    targetUpdateRate: 1e-3,
  },
  policyGradient: 'reparameterised',
  eStep: { samples: 20 },
  temperature: { kind: 'fixed', temperature: 1 },
  residual: { stateValue: 'online', warmupValue: 1 },
  mStep: { kind: 'direct', lossFactor: 1 },
  policyRegulariser: { mean: 1e-3, logStd: 1e-3 },
  schedule: { targetEvery: 1 },
};

/** Widths of all networks, and their number. */
export interface Widths {
  hidden: readonly number[];
  /** The policy's, where they differ. */
  policyHidden?: readonly number[];
}

type Change = Partial<Omit<ReferenceConfig, 'network'>> & {
  network?: Partial<ReferenceConfig['network']>;
};

const none = { mean: 0, logStd: 0 };
const two = { actionValues: 2 } as const;
const tuned = { kind: 'tuned', targetEntropy: -2, learningRate: 3e-3, initial: 0.6 } as const;
const dual = {
  kind: 'dual',
  klBound: 0.1,
  meanKlBound: 0.02,
  covarianceKlBound: 0.01,
  learningRate: 1e-2,
  initial: 0.8,
  initialMeanMultiplier: 1.3,
  initialCovarianceMultiplier: 0.7,
} as const;

/** Where γ is near 1, ∇β by the last bias of Q, γ − 1 in every row, is what is left of two numbers near 1. */
const farFromOne = { discount: 0.8 };

/** Steps that are small beside the weights and whose decay shows within ten of them. */
const projected = {
  kind: 'projected',
  lossFactor: 1,
  stepOrder: 'corrected',
  valueStep: 3e-3,
  valueDecay: 0.9,
  auxiliaryStep: 9e-3,
  auxiliaryDecay: 0.6,
  stepScale: 10,
  radius: 100,
  leak: 1e-3,
} as const;

const mpo: Change = {
  algorithm: 'mpo',
  policyGradient: 'weightedLikelihood',
  eStep: { samples: 4 },
  // copies within a short run
  schedule: { targetEvery: 4 },
  optim: { ...PAPER.optim, targetUpdateRate: 1 },
};

/** What each variant changes of {@link PAPER}. */
const CHANGES = {
  virel: {},
  'virel, score': { policyGradient: 'score' },
  'virel, two Q': { network: two },
  'virel, tuned temperature': { temperature: tuned },
  'virel, half losses': { mStep: { kind: 'direct', lossFactor: 0.5 } },
  'virel, projected residual': { ...farFromOne, mStep: projected },
  beta: { algorithm: 'beta', temperature: { kind: 'residual', temperatureScale: 0.4 } },
  'beta, score, two Q': {
    algorithm: 'beta',
    policyGradient: 'score',
    network: two,
    temperature: { kind: 'residual', temperatureScale: 0.4 },
  },
  'beta, automatic scale': {
    algorithm: 'beta',
    temperature: { kind: 'residualAuto' },
    residual: { stateValue: 'target', warmupValue: 7 },
  },
  'beta, projected residual': {
    ...farFromOne,
    algorithm: 'beta',
    temperature: { kind: 'residual', temperatureScale: 0.4 },
    mStep: { ...projected, stepOrder: 'printed', radius: 6 },
  },
  sac: { algorithm: 'sac' },
  'sac, two Q': {
    algorithm: 'sac',
    network: { ...two, initialise: 'glorot' },
    mStep: { kind: 'direct', lossFactor: 0.5 },
    policyRegulariser: none,
  },
  'sac, score, tuned temperature': {
    algorithm: 'sac',
    policyGradient: 'score',
    temperature: tuned,
  },
  'sac, projected residual': {
    ...farFromOne,
    algorithm: 'sac',
    mStep: { ...projected, lossFactor: 0.5 },
  },
  'sac-twin': {
    algorithm: 'sac-twin',
    network: { ...two, initialise: 'fanIn' },
    temperature: tuned,
    policyRegulariser: none,
    optim: { ...PAPER.optim, targetUpdateRate: 0.005 },
  },
  'sac-twin, fixed temperature': {
    algorithm: 'sac-twin',
    network: two,
    schedule: { targetEvery: 3 },
  },
  ddpg: {
    algorithm: 'ddpg',
    policyGradient: 'deterministic',
    temperature: { kind: 'none' },
    policyRegulariser: none,
    optim: { ...PAPER.optim, actionValueLearningRate: 1e-3, targetUpdateRate: 0.01 },
  },
  'ddpg, regularised': {
    algorithm: 'ddpg',
    policyGradient: 'deterministic',
    temperature: { kind: 'none' },
    policyRegulariser: { mean: 1e-3, logStd: 0 },
    schedule: { targetEvery: 3 },
  },
  mpo: { ...mpo, temperature: dual },
  'mpo, fixed temperature': { ...mpo, temperature: { kind: 'fixed', temperature: 0.7 } },
  'mpo, residual temperature': {
    ...mpo,
    temperature: { kind: 'residual', temperatureScale: 0.4 },
    eStep: { samples: 3 },
  },
  'mpo, prior divergence': {
    ...mpo,
    policyGradient: 'priorDivergence',
    temperature: { kind: 'fixed', temperature: 0.7 },
  },
} satisfies Record<string, Change>;

/** Names of the variants. */
export type Variant = keyof typeof CHANGES;
/** All of them. */
export const VARIANTS = Object.keys(CHANGES) as Variant[];

/** The config of a variant at these widths. */
export function configOf(variant: Variant, widths: Widths): ReferenceConfig {
  const { network, ...change }: Change = CHANGES[variant];
  const { hidden, policyHidden = hidden } = widths;
  return {
    ...PAPER,
    ...change,
    network: { ...PAPER.network, ...network, hidden, policyHidden },
  };
}
