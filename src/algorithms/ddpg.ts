import type { Algorithm } from './recipe.js';

/** Deep deterministic policy gradient, as rlkit's example runs it. */
export const DDPG: Algorithm = {
  name: 'ddpg',
  summary: 'deterministic policy gradient with Ornstein-Uhlenbeck exploration',
  source: 'Lillicrap et al. 2016, as in rlkit v0.1.2',
  equations: [
    "y = r + gamma (1 - d) Q_target(s', pi_target(s'))",
    'J_Q = mean (Q(s, a) - y)^2',
    'J_pi = -mean Q(s, pi(s)), pi(s) = tanh mu(s)',
  ],
  recipe: {
    policy: 'deterministic',
    actionValueTarget: 'targetPolicy',
    stateValueTarget: 'none',
    policyObjective: 'deterministic',
    policyCritic: 'first',
    exploration: 'ornsteinUhlenbeck',
  },
  temperatures: ['none'],
  objectives: ['deterministic'],
  actionValues: [1],
  mSteps: ['direct'],
};
