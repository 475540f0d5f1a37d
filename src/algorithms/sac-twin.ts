import type { Algorithm } from './recipe.js';
import { SAC } from './sac.js';

/** Soft actor-critic as it is run today: two Q without a state value, entropy tuned to a target. */
export const SAC_TWIN: Algorithm = {
  ...SAC,
  name: 'sac-twin',
  summary: "soft actor-critic with two Q and automatic entropy, today's standard",
  source: 'Haarnoja et al. 2018b (Soft Actor-Critic Algorithms and Applications)',
  equations: [
    "y = r + gamma (1 - d) [min_i Q_target_i(s', a~') - T log pi(a~'|s')]",
    'J_Q = sum_i mean (Q_i(s, a) - y)^2',
    'J_pi = mean [T log pi(a~|s) - min_i Q_i(s, a~)]',
    'J_T = -mean log T (log pi(a~|s) + target entropy)',
  ],
  recipe: {
    ...SAC.recipe,
    actionValueTarget: 'softActionValue',
    stateValueTarget: 'none',
    policyCritic: 'minimum',
  },
  objectives: ['reparameterised'],
  mSteps: ['direct'],
};
