/** What a gradient step reads: nothing of it changes until the optimisers run. */

import { type ActionValuePass, actionValueForward } from '../networks/action-value.js';
import type { Network } from '../networks/layout.js';
import type { Networks } from '../networks/networks.js';
import { type PolicyPass, policyForward } from '../networks/policy.js';
import { repeatRows } from '../networks/repeat.js';
import type { TanhGaussianSample } from '../tanh-gaussian.js';
import type { Equations } from './equations.js';
import type { ReferenceConfig } from './settings.js';

/** A minibatch in float64, B rows. */
export interface Transitions {
  rows: number;
  /** s, `[B, O]`. */
  observations: Float64Array;
  /** a, `[B, A]`. */
  actions: Float64Array;
  /** r, `[B]`. */
  rewards: Float64Array;
  /** s′, `[B, O]`. */
  nextObservations: Float64Array;
  /** d in {0, 1}, `[B]`. */
  terminated: Float64Array;
}

/** The actions of a step at s, drawn once and read by both its halves. */
export interface Drawn {
  /** π_θ at s. */
  policy: PolicyPass;
  /** π_θ's actions, with the online Q_i at them. */
  own: DrawnActions | undefined;
  /** π_φ's actions, with Q̄_1 at them. */
  prior: DrawnActions | undefined;
}

/** Standard normals of a step. */
export interface StepNoise {
  /** ξ of the actions at s, `[B·draws, A]`. */
  state: Float64Array;
  /** ξ′ of the actions at s′, `[B·draws, A]`. */
  nextState: Float64Array;
}

/** All of a step's inputs. */
export interface StepInputs {
  equations: Equations;
  networks: Networks;
  config: ReferenceConfig;
  batch: Transitions;
  noise: StepNoise;
  /** T. */
  temperature: number;
}

/** K actions at each of B states, and what some Q's say of them. */
export interface DrawnActions {
  /** The policy that drew them, at each state. */
  policy: PolicyPass;
  /** The actions and their log-density under that policy, `[B·K]` rows. */
  sample: TanhGaussianSample;
  /** Q_i at them, `[B·K]`. */
  actionValues: ActionValuePass[];
}

/** B states and the noise of K actions at each. */
export interface States {
  rows: number;
  observations: Float64Array;
  noise: Float64Array;
}

/** K actions a = tanh(μ + σξ) of a policy at each state, and each of `critics` at them. */
export function drawActions(
  { samplePolicy }: Pick<Equations, 'samplePolicy'>,
  policy: Network,
  critics: readonly Network[],
  { rows, observations, noise }: States,
  samples: number,
): DrawnActions {
  const pass = policyForward(policy, observations);
  const repeated = (values: Float64Array) => repeatRows(values, rows, samples);
  const sample = samplePolicy(repeated(pass.mean), repeated(pass.logStd), noise, rows * samples);
  return { policy: pass, sample, actionValues: valuesAt(critics, repeated(observations), sample) };
}

/** The one action a = tanh μ of a policy at each state, and each of `critics` at it. */
export function modeActions(
  { deterministicAction }: Pick<Equations, 'deterministicAction'>,
  policy: Network,
  critics: readonly Network[],
  { rows, observations }: Omit<States, 'noise'>,
): DrawnActions {
  const pass = policyForward(policy, observations);
  const sample = deterministicAction(pass.mean, rows);
  return { policy: pass, sample, actionValues: valuesAt(critics, observations, sample) };
}

function valuesAt(
  critics: readonly Network[],
  observations: Float64Array,
  { action, logDensity }: TanhGaussianSample,
): ActionValuePass[] {
  const rows = logDensity.length;
  return critics.map((critic) => actionValueForward(critic, observations, action, rows));
}
