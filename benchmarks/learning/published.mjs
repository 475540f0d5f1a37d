/** Published results that studies are held against, with where each was read. */

/**
 * Spinning Up's SAC at 300,000 steps, 10 seeds: line and half-width of its band, read from its plots
 * (docs/images/plots/pyt of openai/spinningup; gym v3 tasks).
 */
const SPINNING_UP = {
  'HalfCheetah-v5': { value: 9163, band: 819 },
  'Hopper-v5': { value: 2887, band: 417 },
  'Walker2d-v5': { value: 2958, band: 771 },
};

/** Tasks of which it is known. */
export const SPINNING_UP_TASKS = Object.keys(SPINNING_UP);

/** What the scores of a study's seeds on a task are asked: a mean not below the band. */
export function asSpinningUp(env) {
  const { value, band } = SPINNING_UP[env];
  const lead = (scores) =>
    scores.reduce((sum, score) => sum + score, 0) / scores.length - (value - band);
  return {
    text: `mean of the seeds at least ${value} - ${band} (Spinning Up's SAC: ${value} +- ${band})`,
    met: (scores) => lead(scores) >= 0,
    shortfall: (scores) => Math.max(0, -lead(scores)),
  };
}
