/** How runs were evaluated, in words: a number without its protocol cannot be compared with another. */
import type { Group } from './pool.js';

const grouped = (value: number) => value.toLocaleString('en-US');

/** `10 episodes of at most 1,000 steps`, of runs that were evaluated alike; the policy is always the deterministic one. */
export function describeProtocol(groups: readonly Group[]): string {
  const config = groups[0]?.runs[0]?.config;
  if (config === undefined) return '';
  const { episodes, minSteps } = config.evaluation;
  const limit = `at most ${grouped(config.env.maxEpisodeSteps)} steps`;
  return episodes === null
    ? `whole episodes of ${limit} until more than ${grouped(minSteps)}`
    : `${episodes} episode${episodes === 1 ? '' : 's'} of ${limit}`;
}
