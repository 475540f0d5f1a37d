/**
 * Is `sac-twin` as good as published under the settings of the published runs? Spinning Up's values over those of the
 * preset, which are Haarnoja et al.'s (2018b): what remains of a difference is ours.
 */
import { asSpinningUp, SPINNING_UP_TASKS } from '../published.mjs';
import { finalScore } from '../scores.mjs';

const STEPS = 300_000;

/** Spinning Up, `sac.py`: alpha, lr, batch_size; its other defaults are those of the preset. */
const SETTINGS = [
  'temperature.kind=fixed',
  'temperature.temperature=0.2',
  'optim.policyLearningRate=1e-3',
  'optim.actionValueLearningRate=1e-3',
  'replay.batchSize=100',
].flatMap((value) => ['--set', value]);

export const study = {
  title: "sac-twin with Spinning Up's settings against its results",
  score: 'mean of the evaluations in the last 10 % of the steps (10 deterministic episodes each)',
  groups: SPINNING_UP_TASKS.map((env) => ({
    name: `spinning-up-${env}`,
    words: [
      ...['--algorithm', 'sac-twin', '--preset', 'modern', '--env', env, '--steps', `${STEPS}`],
      ...SETTINGS,
    ],
    seeds: [0, 1, 2],
    score: (evaluations) => finalScore(evaluations, STEPS),
    asked: asSpinningUp(env),
  })),
};
