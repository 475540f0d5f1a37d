import type { Algorithm } from './recipe.js';
import { VIREL } from './virel.js';

/** Soft actor-critic with a state value, as the paper's baseline runs it. */
export const SAC: Algorithm = {
  ...VIREL,
  name: 'sac',
  summary:
    "soft actor-critic with one Q and a state value, the paper's baseline: virel with an entropy bonus in V",
  source:
    'Haarnoja et al. 2018a, as in rlkit v0.1.2 (preset paper) and haarnoja/sac (preset paper-v1)',
  equations: [
    "y_Q = r + gamma (1 - d) V_target(s')",
    'J_Q = f sum_i mean (Q_i(s, a) - y_Q)^2, f = mStep.lossFactor',
    'y_V = min_i Q_i(s, a~) - T log pi(a~|s)',
    'J_V = f mean (V(s) - y_V)^2',
    'J_pi = mean [T log pi(a~|s) - Q_1(s, a~)] + regulariser',
  ],
  recipe: { ...VIREL.recipe, stateValueTarget: 'softActionValue' },
};
