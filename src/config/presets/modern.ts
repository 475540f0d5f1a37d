/** Today's protocol: the task's own limit, fewer and longer evaluations; the paper's learners as they were. */
import { paper } from './paper.js';
import type { Preset } from './preset.js';
import { todaysProtocol } from './today.js';

export const modern: Preset = {
  ...paper,
  summary: "the paper's learners; 10 episodes every 10,000 steps, the task's own time limit",
  values: {
    ...paper.values,
    ...todaysProtocol,
    collect: { ...paper.values.collect, ...todaysProtocol.collect },
  },
  algorithms: {
    ...paper.algorithms,
    ddpg: {
      values: { ...paper.algorithms['ddpg']?.values, env: todaysProtocol.env },
    },
  },
};
