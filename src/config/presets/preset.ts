import type { ALGORITHMS, Config } from '../schema.js';
import type { SourcedTree } from '../sourced.js';

/** A set of values over the defaults: its own, then those of the algorithm, then those of the task. */
export interface Preset {
  /** One line for `config presets`. */
  readonly summary: string;
  readonly values: SourcedTree<Config>;
  readonly algorithms: { readonly [name in (typeof ALGORITHMS)[number]]?: SourcedTree<Config> };
  /** By the task's name without its version. */
  readonly tasks: { readonly [name: string]: SourcedTree<Config> };
}
