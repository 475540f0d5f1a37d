/** What the reference reads of a config: structurally a resolved config is one. */

import type { PolicyObjective } from '../../algorithms/recipe.js';
import type { PolicyRegulariser } from '../e-step.js';
import type { InitialiseScheme } from '../networks/initialise.js';
import type { ProjectedStep } from '../projected-residual.js';
import type { TemperatureSource } from '../temperature.js';

/** Constants of the optimisers and of the targets. */
export interface OptimiserSettings {
  /** λ_π. */
  policyLearningRate: number;
  /** λ_Q. */
  actionValueLearningRate: number;
  /** λ_V. */
  stateValueLearningRate: number;
  /** τ. */
  targetUpdateRate: number;
}

/** How w follows the Bellman residual; `lossFactor` multiplies J_Q and J_V (1, or ½ as App. H prints). */
export type MStepSettings =
  | { kind: 'direct'; lossFactor: number }
  | ({ kind: 'projected'; lossFactor: number } & ProjectedStep);

/** A learner's config. */
export interface ReferenceConfig {
  /** Public name of the algorithm. */
  algorithm: string;
  /** Seed of the initial parameters. */
  seed: number;
  /** γ. */
  discount: number;
  /** Sizes of the networks, and how they begin. */
  network: {
    /** H of Q and V. */
    hidden: readonly number[];
    /** H of the policy. */
    policyHidden: readonly number[];
    /** Distribution of the initial parameters. */
    initialise: InitialiseScheme;
    /** Number of action values. */
    actionValues: 1 | 2;
  };
  /** Constants of the optimisers. */
  optim: OptimiserSettings;
  /** Loss of the policy and the estimator of its gradient. */
  policyGradient: PolicyObjective;
  /** What the E-step samples. */
  eStep: {
    /** K, actions per state where the recipe samples several. */
    samples: number;
  };
  /** Where T comes from. */
  temperature: TemperatureSource;
  /** How the residual error is measured. */
  residual: {
    /** Networks of the residual error's target (A7). */
    stateValue: 'online' | 'target';
    /** Residual error in use while there is no other. */
    warmupValue: number;
  };
  /** How w follows the Bellman residual. */
  mStep: MStepSettings;
  /** Factors of the regulariser. */
  policyRegulariser: PolicyRegulariser;
  /** When targets move. */
  schedule: {
    /** M-steps between updates of critics' targets, E-steps between those of policies' targets. */
    targetEvery: number;
  };
}
