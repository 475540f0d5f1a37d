/** The exact statement of VIREL on finite MDPs, in float64; docs/theory.md is the guided tour. */
export * from './action-posterior.js';
export * from './approximator.js';
export * from './bellman.js';
export {
  boltzmannPolicy,
  greedyPolicy,
  logPartitions,
} from './boltzmann.js';
export * from './boltzmann-density.js';
export {
  CLAIMS,
  type Claim,
  checkClaim,
  type DescribedClaim,
  isNumeric,
  type NumericClaim,
  selectClaims,
  type Verdict,
} from './claims/index.js';
export * from './demos.js';
export * from './e-step.js';
export * from './elbo.js';
export * from './evidence.js';
export * from './examples.js';
export * from './expectation-maximisation.js';
export * from './m-step.js';
export * from './maximum-entropy.js';
export * from './projected-residual.js';
export * from './residual.js';
export * from './residual-gradient.js';
export {
  expectedNext,
  expectedUnder,
  type MdpDefinition,
  mean,
  nextStateWeights,
  TabularMdp,
  uniform,
  uniformPolicy,
} from './tabular-mdp.js';
export * from './tanh-gaussian.js';
export * from './target-set.js';
