/** The paper's comparison: `virel`, `beta` and `sac` with its own values, side by side. */
import { finalScore } from '../scores.mjs';

const STEPS = 200_000;
const SEEDS = [0, 1, 2];
const ENVS = ['Hopper-v5', 'HalfCheetah-v5'];
const ALGORITHMS = ['virel', 'sac', 'beta'];

export const study = {
  title: 'virel, beta and sac with the values of the paper',
  score:
    'mean of the evaluations in the last 10 % of the steps (whole episodes until more than 1,000 steps)',
  groups: ALGORITHMS.flatMap((algorithm) =>
    ENVS.map((env) => ({
      name: `${algorithm}-${env}`,
      words: ['--algorithm', algorithm, '--env', env, '--steps', `${STEPS}`],
      seeds: SEEDS,
      score: (evaluations) => finalScore(evaluations, STEPS),
    })),
  ),
};
