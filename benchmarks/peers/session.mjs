/** Our learner as every script here opens it: 300x300 and batch 128 for every algorithm; everything else as `train` has it. */
import { Session } from 'virel-native';

/** Transitions that a replay buffer holds where learners alone are measured. */
export const ROWS = 100_000;

/** Random steps before the first update. */
export const STARTS = 1000;

/** One M-step and one E-step on one batch. */
export const UPDATE = { update: { mSteps: 1, eSteps: 1 } };

/** One environment step with its update. */
export const STEP = [{ collect: 1 }, UPDATE];

/**
 * A fresh session.
 *
 * @param {{algorithm: string, env: string, threads: number, capacity: number}} what
 */
export const openSession = ({ algorithm, env, threads, capacity }) =>
  Session.create({
    env,
    algorithm,
    seed: 0,
    threads,
    network: { hidden: [300, 300] },
    replay: { batchSize: 128, capacity },
    collect: { uniformSteps: STARTS },
  });
