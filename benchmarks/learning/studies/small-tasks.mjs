/** Does `sac-twin` solve the small tasks? Three seeds each; two of them must. */
import { lastThree } from '../scores.mjs';

const SEEDS = [0, 1, 2];
const TASKS = [
  { env: 'InvertedPendulum-v5', steps: 50_000, text: 'at least 1000', met: (s) => s >= 1000 },
  { env: 'Reacher-v5', steps: 50_000, text: 'above -6', met: (s) => s > -6 },
  { env: 'InvertedDoublePendulum-v5', steps: 100_000, text: 'above 9000', met: (s) => s > 9000 },
  { env: 'Swimmer-v5', steps: 200_000, text: '35 to 60', met: (s) => s >= 35 && s <= 60 },
];

export const study = {
  title: 'sac-twin on the small tasks',
  score: 'mean of the last three evaluations (10 deterministic episodes each)',
  groups: TASKS.map(({ env, steps, text, met }) => ({
    name: `sac-twin-${env}`,
    words: ['--algorithm', 'sac-twin', '--preset', 'modern', '--env', env, '--steps', `${steps}`],
    seeds: SEEDS,
    score: lastThree,
    asked: {
      text: `two of three seeds ${text}`,
      met: (scores) => scores.filter(met).length >= 2,
    },
  })),
};
