/** What the pictures of the tour have in common: the MDP and the numbers of docs/theory.md. */

import { threeByTwo } from '../theory/examples.js';
import { implicitResidualError } from '../theory/residual.js';
import { uniform } from '../theory/tabular-mdp.js';

/** The MDP of the golden numbers. */
export const MDP = threeByTwo();
/** Q of sections 1, 2, 3 and 6. */
export const ACTION_VALUE = Float64Array.of(1, 2, 0.5, 1.2, 2.2, 0.3);
/** ε_w of {@link ACTION_VALUE}. */
export const TEMPERATURE = implicitResidualError(MDP, ACTION_VALUE);
/** d, uniform. */
export const STATE_WEIGHTS = uniform(MDP.states);

/** Numbers evenly spaced in their logarithm, from 10^`from` to 10^`to`. */
export const decades = (from: number, to: number, perDecade: number): number[] =>
  Array.from(
    { length: Math.round((to - from) * perDecade) + 1 },
    (_, step) => 10 ** (from + step / perDecade),
  );
