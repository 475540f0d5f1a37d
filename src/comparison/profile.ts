/** Performance profiles: which share of a group's runs scores above a threshold, over all thresholds. */
import { uniformStream } from '../random/stream.js';
import { performanceProfile, type Scores } from '../statistics/aggregates.js';
import { bootstrapIntervals, type Interval, REPLICATES } from '../statistics/bootstrap.js';
import type { NamedScores } from './estimate.js';

/** Profiles of groups on the scale that tasks share. */
export interface Profile {
  /** [k], rising, from the lowest score of all runs to the highest. */
  readonly thresholds: readonly number[];
  /** In the order of the comparison. */
  readonly groups: readonly GroupProfile[];
}

/** The profile of a group. */
export interface GroupProfile {
  /** Values of the keys that make the group. */
  readonly name: string;
  /** Share of the runs of all tasks above each threshold, [k]. */
  readonly shares: readonly number[];
  /** 95 % band, [k]; null where the group has one run on a task. */
  readonly band: readonly Interval[] | null;
}

/** Thresholds of a profile: as many as a picture can show apart. */
const THRESHOLDS = 101;

/** The profiles of groups, all on the same tasks. @param seed Of the bootstrap. */
export function profileOf(groups: readonly NamedScores[], seed: number): Profile {
  const all = groups.flatMap(({ scores }) => scores.flat());
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const thresholds = Array.from(
    { length: THRESHOLDS },
    (_, index) => low + ((high - low) * index) / (THRESHOLDS - 1),
  );
  return {
    thresholds,
    groups: groups.map(({ name, scores }, instance) => ({
      name,
      shares: performanceProfile(scores, thresholds),
      band: scores.every((runs) => runs.length > 1)
        ? bandOf(scores, thresholds, uniformStream(seed, 'bootstrap', instance))
        : null,
    })),
  };
}

function bandOf(scores: Scores, thresholds: readonly number[], uniform: () => number): Interval[] {
  const profile = ([drawn = []]: readonly Scores[]) => performanceProfile(drawn, thresholds);
  return bootstrapIntervals([scores], profile, { replicates: REPLICATES.band, uniform });
}
