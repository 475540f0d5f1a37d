import type { Algorithm } from './recipe.js';

/** Algorithm 1 of the paper, with its authors' reading of what is left open (docs/paper.md). */
export const VIREL: Algorithm = {
  name: 'virel',
  summary: 'variational EM with the temperature as a constant',
  source: 'Fellows et al. 2019, Algorithm 1 and Appendix H',
  equations: [
    "y_Q = r + gamma (1 - d) V_target(s')",
    'J_Q = mean (Q(s, a) - y_Q)^2',
    'y_V = Q(s, a~), a~ = tanh(mu(s) + sigma(s) xi)',
    'J_V = mean (V(s) - y_V)^2',
    'J_pi = mean [T log pi(a~|s) - Q(s, a~)] + regulariser',
  ],
  recipe: {
    policy: 'tanhGaussian',
    actionValueTarget: 'stateValue',
    stateValueTarget: 'actionValue',
    policyObjective: 'reparameterised',
    policyCritic: 'first',
    exploration: 'policy',
  },
  temperatures: ['fixed', 'residual', 'residualAuto', 'tuned'],
  objectives: ['reparameterised', 'score'],
  actionValues: [1, 2],
  mSteps: ['direct', 'projected'],
};
