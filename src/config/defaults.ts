/** Values that no publication decides: the deepest layer under every preset. */
import type { Config } from './schema.js';
import { type SourcedTree, sourced } from './sourced.js';

const OURS = 'our choice';

export const defaults: SourcedTree<Config> = {
  schema: sourced(1, 'version of this layout'),
  preset: sourced('paper', `${OURS}: the paper's own values unless asked otherwise`),
  algorithm: sourced('virel', `${OURS}: Algorithm 1`),
  env: {
    id: sourced('HalfCheetah-v5', `${OURS}: learns visibly within minutes`),
    maxEpisodeSteps: sourced(null, "the task's own limit"),
    modelDir: sourced(null, 'the folder of the set-up'),
    modelFile: sourced(null, "the task's own model"),
    taskFile: sourced(null, 'a built-in task'),
  },
  seed: sourced(0, OURS),
  steps: sourced(1_000_000, `${OURS}: length of the published benchmark tables`),
  collect: { uniformSteps: sourced(0, "authors' scripts: the policy acts from the first step") },
  schedule: { kind: sourced('partial', 'paper, F.5: partial E- and M-steps') },
  mStep: { kind: sourced('direct', 'paper, F.3: direct method') },
  policyGradient: sourced('reparameterised', 'paper, E.4'),
  residual: { batch: sourced(4096, "authors' script of Algorithm 2: batch of the residual error") },
  checkpoint: {
    every: sourced('5m', OURS),
    keep: sourced(3, OURS),
  },
  stability: { maxUnstablePer10k: sourced(100, `${OURS}: 1 % of the steps`) },
  runtime: {
    engine: sourced(null, 'kernel on the cpu, tensor on a cuda device'),
    device: sourced('cpu', OURS),
    threads: sourced(null, 'cores of the machine, at most 2'),
  },
  logging: {
    every: sourced(1000, 'steps of an epoch in the paper, Table 1'),
    interval: sourced('10s', OURS),
  },
};
