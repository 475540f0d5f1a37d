/** One wrong term at a time, for every algorithm. */

import type { Variant } from '../variants.js';
import type { MutantTable } from './build.js';
import { projected, projectedOnTheBall } from './projected.js';
import { beta, betaAutomatic, sac, sacTwoQ, score, twoQ, virel } from './with-state-value.js';
import { ddpg, ddpgRegularised, mpo, mpoPriorDivergence, sacTwin } from './without-state-value.js';

/** By the variant whose terms they break. */
export const MUTANTS: Partial<Record<Variant, MutantTable>> = {
  virel,
  'virel, score': score,
  'virel, two Q': twoQ,
  'virel, projected residual': projected,
  beta,
  'beta, automatic scale': betaAutomatic,
  'beta, projected residual': projectedOnTheBall,
  sac,
  'sac, two Q': sacTwoQ,
  'sac-twin': sacTwin,
  ddpg,
  'ddpg, regularised': ddpgRegularised,
  mpo,
  'mpo, prior divergence': mpoPriorDivergence,
};
