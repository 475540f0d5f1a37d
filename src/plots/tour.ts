/** The pictures of docs/theory.md: one for every section that has no demo of EM. */

import { drawBoundParts, drawEStepBounds, drawWalkToOptimum } from './tour-bound.js';
import { drawAnnealing, drawBoltzmannDensities, drawResidualRoots } from './tour-temperature.js';
import { drawGradientReadings, drawMpoProbabilities, drawTwoTimescale } from './tour-updates.js';

/** A picture of the tour. */
export interface TourPicture {
  /** Its file name without an ending. */
  name: string;
  /** The number of its section. */
  section: number;
  /** Computes and draws it. @returns SVG. */
  draw: () => string;
}

/** By section. */
export const TOUR: readonly TourPicture[] = [
  { name: 'residual-root', section: 1, draw: drawResidualRoots },
  { name: 'bound', section: 2, draw: drawBoundParts },
  { name: 'e-step', section: 3, draw: drawEStepBounds },
  { name: 'walk-to-optimum', section: 4, draw: drawWalkToOptimum },
  { name: 'boltzmann-density', section: 5, draw: drawBoltzmannDensities },
  { name: 'residual-gradient', section: 6, draw: drawGradientReadings },
  { name: 'annealing', section: 7, draw: drawAnnealing },
  { name: 'two-timescale', section: 9, draw: drawTwoTimescale },
  { name: 'mpo', section: 10, draw: drawMpoProbabilities },
];
