import type { Config } from '../schema.js';
import type { SourcedTree } from '../sourced.js';

/** Values that depend on the kind of a section, such as those of `schedule.kind: complete`. */
export interface Variation {
  /** Path of the section that has kinds. */
  readonly section: string;
  readonly kinds: readonly string[];
  readonly values: SourcedTree<Config>;
}

/** Values by the task's name without its version. */
export interface TaskBlocks {
  readonly [family: string]: SourcedTree<Config>;
}

/** What a preset says of one algorithm. */
export interface AlgorithmBlock {
  /** Over the preset's own values and over those of its tasks: a reward scale here holds for every task. */
  readonly values: SourcedTree<Config>;
  /** Over `values`, on these tasks. */
  readonly tasks?: TaskBlocks;
  /** Over all of the above, where a section is of a kind that is not the algorithm's usual one. */
  readonly variations?: readonly Variation[];
}

/**
 * A set of values over the defaults. Later wins: its own values, those of the task, those of the algorithm, those of
 * the algorithm on the task, variations.
 */
export interface Preset {
  /** One line for `config presets`. */
  readonly summary: string;
  readonly values: SourcedTree<Config>;
  readonly tasks: TaskBlocks;
  /** One block for every algorithm. */
  readonly algorithms: { readonly [name: string]: AlgorithmBlock };
}
