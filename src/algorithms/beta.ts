import type { Algorithm } from './recipe.js';
import { VIREL } from './virel.js';

/** Algorithm 2 of the paper: virel whose temperature is the residual error. */
export const BETA: Algorithm = {
  ...VIREL,
  name: 'beta',
  summary: 'virel whose temperature is the residual error of the critic',
  source: 'Fellows et al. 2019, Algorithm 2',
  equations: [
    "epsilon = mean (r + gamma (1 - d) V(s') - Q(s, a))^2 over fresh rows",
    'T = temperatureScale epsilon',
    ...VIREL.equations,
  ],
  temperatures: ['residual', 'residualAuto'],
};
