/** Rollouts of Gymnasium, as fixtures/environments/generate_rollouts.py writes them, and ours beside them. */
import { expect } from '@jest/globals';
import { Environment, type EnvironmentOptions } from '../../src/native/environment.js';

/** One rollout; reward and flags of every step. */
export interface Rollout {
  qpos0: number[];
  qvel0: number[];
  obs0: number[];
  actions: number[][];
  /** Steps, counted from 1, whose observations are stored. */
  obs_steps: number[];
  obs: number[][];
  reward: number[];
  terminated: boolean[];
  truncated: boolean[];
}

/** A task with options. */
export interface Entry {
  id: string;
  options: EnvironmentOptions;
  max_episode_steps: number;
  rollouts: Record<string, Rollout>;
}

/** A whole file. */
export interface Rollouts {
  envs: Record<string, Entry>;
}

/** The same libmujoco binary on both sides; another C library's sin and cos stay below this (4e-10 seen). */
export const TOLERANCE = 1e-9;

function largestDifference(got: ArrayLike<number>, expected: readonly number[]): number {
  expect(got.length).toBe(expected.length);
  return expected.reduce(
    (most, value, i) => Math.max(most, Math.abs((got[i] as number) - value)),
    0,
  );
}

/** Largest error of any observation and reward of an entry's rollouts; the flags have to be equal on every step. */
export function largestError({ id, options, rollouts }: Entry): number {
  const environment = Environment.create(id, options);
  try {
    return Math.max(...Object.values(rollouts).map((rollout) => errorOf(environment, rollout)));
  } finally {
    environment.dispose();
  }
}

function errorOf(environment: Environment, rollout: Rollout): number {
  const stored = new Map(rollout.obs_steps.map((step, index) => [step, rollout.obs[index]]));
  const errors = [
    largestDifference(environment.setState(rollout.qpos0, rollout.qvel0), rollout.obs0),
  ];
  const flags: [boolean, boolean][] = [];
  rollout.actions.forEach((action, t) => {
    const { observation, reward, terminated, truncated } = environment.step(action);
    flags.push([terminated, truncated]);
    const expected = stored.get(t + 1);
    if (expected) errors.push(largestDifference(observation, expected));
    errors.push(Math.abs(reward - (rollout.reward[t] as number)));
  });
  expect(flags).toEqual(rollout.terminated.map((ended, t) => [ended, rollout.truncated[t]]));
  return Math.max(...errors);
}
