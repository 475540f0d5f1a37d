/** Every algorithm: one file each. A new one is a file and a line here. */
import { BETA } from './beta.js';
import { DDPG } from './ddpg.js';
import { MPO } from './mpo.js';
import type { Algorithm } from './recipe.js';
import { SAC } from './sac.js';
import { SAC_TWIN } from './sac-twin.js';
import { VIREL } from './virel.js';

/** In the order of `algorithms`. */
export const ALGORITHMS: readonly Algorithm[] = [VIREL, BETA, SAC, SAC_TWIN, DDPG, MPO];
