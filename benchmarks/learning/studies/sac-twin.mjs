/** Is `sac-twin` as good as published? The tasks with published curves, to 300,000 steps, three seeds each. */
import { asSpinningUp, SPINNING_UP_TASKS } from '../published.mjs';
import { finalScore } from '../scores.mjs';

const STEPS = 300_000;

export const study = {
  title: 'sac-twin against published results',
  score: 'mean of the evaluations in the last 10 % of the steps (10 deterministic episodes each)',
  groups: SPINNING_UP_TASKS.map((env) => ({
    name: `sac-twin-${env}`,
    words: ['--algorithm', 'sac-twin', '--preset', 'modern', '--env', env, '--steps', `${STEPS}`],
    seeds: [0, 1, 2],
    score: (evaluations) => finalScore(evaluations, STEPS),
    asked: asSpinningUp(env),
  })),
  reading:
    'The published runs have other settings: learning rates 1e-3, not 3e-4, a fixed entropy factor of 0.2, not a tuned ' +
    'one, and batches of 100, not 256. The study `spinning-up` trains with those.',
};
