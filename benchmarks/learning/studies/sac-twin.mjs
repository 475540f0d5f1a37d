/** Is `sac-twin` as good as published? The tasks with published curves, to 300,000 steps, three seeds each. */
import { finalScore } from '../scores.mjs';

const STEPS = 300_000;
const SEEDS = [0, 1, 2];

/**
 * Spinning Up's SAC at 300,000 steps, 10 seeds: line and half-width of its band, read from its plots
 * (docs/images/plots/pyt of openai/spinningup; gym v3 tasks, 256x256, batch 100, entropy factor 0.2).
 */
const PUBLISHED = {
  'HalfCheetah-v5': { value: 9163, band: 819 },
  'Hopper-v5': { value: 2887, band: 417 },
  'Walker2d-v5': { value: 2958, band: 771 },
};

export const study = {
  title: 'sac-twin against published results',
  score: 'mean of the evaluations in the last 10 % of the steps (10 deterministic episodes each)',
  groups: Object.entries(PUBLISHED).map(([env, { value, band }]) => ({
    name: `sac-twin-${env}`,
    words: ['--algorithm', 'sac-twin', '--preset', 'modern', '--env', env, '--steps', `${STEPS}`],
    seeds: SEEDS,
    score: (evaluations) => finalScore(evaluations, STEPS),
    asked: {
      text: `mean of the seeds at least ${value} - ${band} (Spinning Up's SAC: ${value} +- ${band})`,
      met: (scores) =>
        scores.reduce((sum, score) => sum + score, 0) / scores.length >= value - band,
    },
  })),
};
