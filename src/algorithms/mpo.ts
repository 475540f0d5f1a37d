import type { Algorithm } from './recipe.js';

/** Maximum a posteriori policy optimisation, as Appendix G derives it. */
export const MPO: Algorithm = {
  name: 'mpo',
  summary:
    'maximum a posteriori policy optimisation: EM with a prior policy that follows the variational one',
  source: 'Fellows et al. 2019, Appendix G; Abdolmaleki et al. 2018',
  equations: [
    'a_k ~ pi_prior(.|s), k = 1..K; w_k = softmax_k (Q_target(s, a_k) / T)',
    "y = r + gamma (1 - d) mean_k Q_target(s', a'_k), a'_k ~ pi_prior(.|s')",
    'J_Q = mean (Q(s, a) - y)^2',
    'J_pi = -mean sum_k w_k log pi(a_k|s) + regulariser   [weightedLikelihood]',
    'J_pi = mean [T (log pi(a~|s) - log pi_prior(a~|s)) - Q(s, a~)] + regulariser   [priorDivergence, (43)]',
    'dual: J_pi + sum_i m_i KL_i of mean and covariance from pi_prior, m trained to a bound of each',
    'dual: min over T of T klBound + T mean_s log mean_k exp(Q_target(s, a_k) / T)',
    'dual: T, m = softplus(x) + 1e-8, x trained',
    'every targetEvery updates: pi_prior <- pi, Q_target <- Q',
  ],
  recipe: {
    policy: 'tanhGaussian',
    actionValueTarget: 'priorPolicy',
    stateValueTarget: 'none',
    policyObjective: 'weightedLikelihood',
    policyCritic: 'first',
    exploration: 'policy',
  },
  temperatures: ['dual', 'residual', 'residualAuto', 'fixed'],
  objectives: ['weightedLikelihood', 'priorDivergence'],
  actionValues: [1],
  mSteps: ['direct'],
};
