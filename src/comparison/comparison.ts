/** What `compareRuns` is asked and what it answers. */
import type { Estimate, GroupEstimates } from './estimate.js';
import type { RunScore } from './measure.js';
import type { TaskScale } from './normalise.js';
import type { Profile } from './profile.js';

/** What is compared, and how. */
export interface CompareOptions {
  /** A metric of docs/metrics.md; `eval/mean_reward`, the return of the deterministic policy, by default. */
  metric?: string | undefined;
  /** Name of the group that the others are held against; without one there is no probability of improvement. */
  baseline?: string | undefined;
  /** Environment steps at which runs are scored; the fewest that any of them was asked for by default. */
  at?: number | undefined;
  /** `reference`: also on the scale of {@link TaskScale}, which all tasks share; `none` by default. */
  normalise?: 'reference' | 'none' | undefined;
  /** Config keys that make a group; `['algorithm']` by default. */
  group?: readonly string[] | undefined;
  /** Bootstrap replicates; 50,000 by default. */
  reps?: number | undefined;
  /** Of the bootstrap; 0 by default. */
  seed?: number | undefined;
  /** Statements such as `P(beta>sac)>0.5`, judged by the point estimate; over all tasks where there are several. */
  require?: readonly string[] | undefined;
}

/** A group on one task, in the unit of the metric. */
export interface GroupComparison {
  /** Values of the keys that make the group, such as `beta`. */
  readonly name: string;
  /** Mean score of its runs. */
  readonly mean: Estimate;
  /** Interquartile mean of the runs. */
  readonly iqm: Estimate;
  /** Probability that a run of this group scores above one of the baseline; undefined for the baseline itself. */
  readonly improvement?: Estimate;
  /** By seed. */
  readonly runs: readonly RunScore[];
  /** Runs that failed before the step of the comparison; they are in every statistic, with their last evaluation. */
  readonly failed: number;
}

/** One task. */
export interface TaskComparison {
  /** Id with its suffix. */
  readonly task: string;
  /** How it was evaluated, in words. */
  readonly protocol: string;
  /** What 0 and 1 are of normalised scores; null where none are asked for. */
  readonly scale: TaskScale | null;
  /** In the order in which their runs were given. */
  readonly groups: readonly GroupComparison[];
}

/** A group over all tasks: of normalised scores everything, else only what needs no common scale. */
export type OverallComparison = Pick<GroupEstimates, 'name' | 'improvement'> &
  Partial<GroupEstimates>;

/** A statement and whether it holds. */
export interface JudgedRequirement {
  /** As it was given. */
  readonly requirement: string;
  /** What stands on its left, as measured. */
  readonly value: number;
  /** Whether it holds. */
  readonly passed: boolean;
}

/** Something that a reader must know. */
export interface ComparisonWarning {
  /** Public API, as an error's. */
  readonly code: 'FEW_SEEDS' | 'TASK_MISSING';
  /** One line for a person. */
  readonly message: string;
}

/** What `compare --json` prints. */
export interface Comparison {
  /** A name of docs/metrics.md. */
  readonly metric: string;
  /** Environment steps. */
  readonly at: number;
  /** The group that the others are held against; null without one. */
  readonly baseline: string | null;
  /** Whether scores are also on the scale that tasks share. */
  readonly normalise: 'reference' | 'none';
  /** Bootstrap replicates behind each interval, and their seed. */
  readonly reps: number;
  /** Of the bootstrap. */
  readonly seed: number;
  /** In the order in which their runs were given. */
  readonly tasks: readonly TaskComparison[];
  /** Of the groups that have runs on every task; null with one task and no common scale, where it would say nothing new. */
  readonly overall: readonly OverallComparison[] | null;
  /** Of the same groups, over all tasks on their common scale; null without one. */
  readonly profile: Profile | null;
  /** What a reader must know beside the numbers. */
  readonly warnings: readonly ComparisonWarning[];
  /** In the order in which they were given. */
  readonly requirements: readonly JudgedRequirement[];
}
