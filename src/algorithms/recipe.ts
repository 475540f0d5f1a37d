/**
 * The vocabulary of parts that algorithms are made of. A recipe is plain data: the reference and both native learners
 * read parts, and none of them asks which algorithm it serves.
 *
 * Symbols: γ discount, d termination, T temperature, π_θ the policy, π_φ MPO's prior policy, a bar marks a target network,
 * ã an action drawn from the policy with given noise, lp its log-density, Q_i the action values (one or two).
 */

import { VirelError } from '../errors.js';
import { ALGORITHMS } from './index.js';

/** What π_θ is: a squashed Gaussian a = tanh(μ + σξ), or the single action a = tanh μ. */
export type PolicyKind = 'tanhGaussian' | 'deterministic';

/**
 * M-step, what every Q_i is regressed on: y_Q = r + γ(1−d) · next, with next
 * - `stateValue`: V̄(s′);
 * - `softActionValue`: min_i Q̄_i(s′, ã′) − T lp′, ã′ ~ π_θ(·|s′);
 * - `targetPolicy`: Q̄(s′, π̄(s′)), π̄ the target of a deterministic policy;
 * - `priorPolicy`: mean_k Q̄(s′, a′_k), a′_k ~ π_φ(·|s′), k = 1..K.
 */
export type ActionValueTarget = 'stateValue' | 'softActionValue' | 'targetPolicy' | 'priorPolicy';

/**
 * M-step, what V is regressed on: y_V =
 * - `actionValue`: min_i Q_i(s, ã);
 * - `softActionValue`: min_i Q_i(s, ã) − T lp;
 * - `none`: there is no V.
 *
 * ã is the policy loss's own.
 */
export type StateValueTarget = 'none' | 'actionValue' | 'softActionValue';

/**
 * E-step, the loss of π_θ (means over the batch; Q by `PolicyCritic`):
 * - `reparameterised`: mean[T lp − Q(s, ã)], gradient through ã (25);
 * - `score`: mean[lp(ã) · stop(T lp − (Q(s, ã) − V(s)))], ã held constant;
 * - `deterministic`: −mean Q(s, tanh μ(s));
 * - `weightedLikelihood`: −mean_s Σ_k ω_k log π_θ(a_k|s), ω = softmax_k(Q̄(s, a_k)/T), a_k ~ π_φ(·|s), plus, with a
 *   `dual` temperature, multipliers times the KL divergences of mean and covariance from π_φ;
 * - `priorDivergence`: mean_{s,k}[T(log π_θ(ã_k|s) − log π_φ(ã_k|s)) − Q(s, ã_k)], gradient through ã_k (43).
 */
export type PolicyObjective =
  | 'reparameterised'
  | 'score'
  | 'deterministic'
  | 'weightedLikelihood'
  | 'priorDivergence';

/** Which Q the policy's loss reads where there are two: Q_1, or the smaller of both. */
export type PolicyCritic = 'first' | 'minimum';

/**
 * M-step, how w follows the Bellman residual: `direct` holds the target constant (F.3); `projected` follows the gradient
 * of the projected residual error with auxiliary weights ζ (F.1), its target r + γ(1−d) Q_w(s′, ã′), ã′ ~ π_θ.
 */
export type MStepKind = 'direct' | 'projected';

/** A temperature that the learner itself trains: `tuned` to a target entropy, `dual` to a KL bound, or none. */
export type TrainedTemperature = 'none' | 'tuned' | 'dual';

/** Noise while collecting: the policy's own, or an Ornstein-Uhlenbeck process added to its mode. */
export type Exploration = 'policy' | 'ornsteinUhlenbeck';

/** An algorithm, as parts. */
export interface Recipe {
  readonly policy: PolicyKind;
  readonly actionValueTarget: ActionValueTarget;
  readonly stateValueTarget: StateValueTarget;
  readonly policyObjective: PolicyObjective;
  readonly policyCritic: PolicyCritic;
  readonly mStep: MStepKind;
  readonly trainedTemperature: TrainedTemperature;
  readonly exploration: Exploration;
}

/** Where the temperature of a run may come from, by the names of `temperature.kind`. */
export type TemperatureKind = 'none' | 'fixed' | 'residual' | 'residualAuto' | 'tuned' | 'dual';

/** An algorithm: its name, what it says of itself, its parts and the variations it allows. */
export interface Algorithm {
  /** Public name, such as `sac-twin`. */
  readonly name: string;
  /** One line: what sets it apart. */
  readonly summary: string;
  /** Where it comes from. */
  readonly source: string;
  /** Its equations, one a line, in the order of a gradient step. */
  readonly equations: readonly string[];
  readonly recipe: Omit<Recipe, 'mStep' | 'trainedTemperature'>;
  /** Kinds of temperature it can run with; the presets choose one. */
  readonly temperatures: readonly TemperatureKind[];
  /** Other policy objectives it can run with, and the config value that asks for each. */
  readonly objectives: readonly PolicyObjective[];
  /** Numbers of action values it can run with. */
  readonly actionValues: readonly (1 | 2)[];
  /** M-steps it can run with. */
  readonly mSteps: readonly MStepKind[];
}

/** Standard normals that a row of a gradient step's noise holds, in action widths A; those for s come first, then s′. */
export function noiseDraws(recipe: Recipe, samples: number): number {
  switch (recipe.actionValueTarget) {
    case 'priorPolicy':
      return 2 * samples;
    case 'targetPolicy':
      return 0;
    case 'softActionValue':
      return 2;
    case 'stateValue':
      return recipe.mStep === 'projected' ? 2 : 1;
  }
}

/** What a recipe needs of a config; every resolved config is one. */
export interface RecipeChoices {
  readonly algorithm: string;
  readonly policyGradient: PolicyObjective;
  readonly mStep: { readonly kind: MStepKind };
  readonly temperature: { readonly kind: TemperatureKind };
}

/**
 * The parts of a config: its algorithm's, with the policy objective, M-step and trained temperature that it chooses.
 *
 * @throws VirelError `ALGORITHM_UNKNOWN`.
 */
export function recipeOf(config: RecipeChoices): Recipe {
  const algorithm = ALGORITHMS.find(({ name }) => name === config.algorithm);
  if (algorithm === undefined) {
    const names = ALGORITHMS.map(({ name }) => name).join(', ');
    throw new VirelError('ALGORITHM_UNKNOWN', `no algorithm ${config.algorithm}`, {
      where: 'algorithm',
      expected: `one of ${names}`,
      got: config.algorithm,
    });
  }
  const { kind } = config.temperature;
  return {
    ...algorithm.recipe,
    policyObjective: config.policyGradient,
    mStep: config.mStep.kind,
    trainedTemperature: kind === 'tuned' || kind === 'dual' ? kind : 'none',
  };
}
