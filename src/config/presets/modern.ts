/** The paper's learner under today's protocol: the task's own limit, fewer and longer evaluations. */
import { sourced } from '../sourced.js';
import { paper } from './paper.js';
import type { Preset } from './preset.js';

const TODAY = 'protocol of current benchmark tables';

export const modern: Preset = {
  ...paper,
  summary: "the paper's learner; 10 episodes every 10,000 steps, the task's own time limit",
  values: {
    ...paper.values,
    env: { maxEpisodeSteps: sourced(null, `${TODAY}: the task's own limit`) },
    collect: { ...paper.values.collect, resetEvery: sourced(0, `${TODAY}: episodes are not cut`) },
    evaluation: {
      every: sourced(10_000, TODAY),
      minSteps: sourced(1000, 'not used: evaluations are counted in episodes'),
      episodes: sourced(10, TODAY),
    },
  },
};
