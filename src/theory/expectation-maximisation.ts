/**
 * Variational EM on a finite MDP, with everything that happens on the way.
 *
 *   E-step   π ← argmax_θ L(w, θ) = π_w, greedy at ε_w = 0; partial: gradient steps (25)
 *   M-step   w ← argmin ε_w; partial: gradient steps on ε_w, or along the direct method (F.3)
 *
 * Complete EM with the variational target is policy iteration (39), (40), with the direct method Q-iteration (41). Incremental
 * EM (F.2) adds a floor ε_k to the residual error and lowers it, so that the temperature falls with it, not at once.
 */

import { largestMagnitude, optimalActionValue, policyActionValue } from './bellman.js';
import { eStep, eStepGradient, softmaxPolicy } from './e-step.js';
import { evidenceLowerBound, policyEntropies, weighted } from './elbo.js';
import { directMStep, mStep } from './m-step.js';
import { residualError, TARGET_KINDS, type Target } from './residual.js';
import { directGradient, residualErrorGradient } from './residual-gradient.js';
import {
  expectDistribution,
  expectedUnder,
  expectTable,
  type TabularMdp,
  uniform,
  unknownKind,
} from './tabular-mdp.js';

/** How far each half goes before the other has its turn. */
export type Schedule =
  /** To the end: `solve` leaves no residual (39), `backup` none against the held target (41). */
  | { kind: 'complete'; mStep: 'solve' | 'backup' }
  /** Some gradient steps each. */
  | {
      kind: 'partial';
      mSteps: number;
      eSteps: number;
      /** α_critic. */
      valueStep: number;
      /** α_actor. */
      policyStep: number;
      /** `direct` holds the target, `residual` follows ∇ε_w. */
      gradient: 'direct' | 'residual';
    }
  /** A backup and a complete E-step at ε_w + ε_k; see {@link Annealing}. */
  | { kind: 'incremental' };

/** ε_k: its start, and by what and how often it is multiplied. */
export interface Annealing {
  /** ε_0. */
  start: number;
  /** From one value to the next, below 1. */
  factor: number;
  /** Iterations between two values. */
  every: number;
}

/** What {@link runExpectationMaximisation} is asked. */
export interface EmOptions {
  /** How far each half goes. */
  schedule: Schedule;
  /** The operator behind the residual. */
  target: Target['kind'];
  /** Read by the incremental schedule and the annealed target. Default: from 1, halved at every iteration. */
  annealing?: Annealing;
  /** It ends after so many. */
  iterations?: number;
  /** ... or where ε_w, floor included, is below this. */
  tolerance?: number;
  /** Q at the start, `[N]`; 0 unless given. */
  actionValue?: Float64Array;
  /** d, `[S]`; uniform unless given. */
  stateWeights?: Float64Array;
}

/** What is known after an iteration; the first row is the start. */
export interface EmRecord {
  /** From 0, the start. */
  iteration: number;
  /** ε_w of the target, floor included. */
  residualError: number;
  /** ε_k in use, 0 where there is none. */
  floor: number;
  /** L(w, θ) (4); null at ε_w = 0, where it is infinite (Lemma 1). */
  evidenceLowerBound: number | null;
  /** E_d[H(π)], in nats. */
  policyEntropy: number;
  /** E_d[V^π], the true value of the variational policy. */
  value: number;
  /** max_h |Q − Q*|. */
  distance: number;
}

/** A run of EM. */
export interface EmTrace {
  /** One an iteration. */
  records: EmRecord[];
  /** E_d[V*]: no value is above it. */
  optimalValue: number;
  /** Q at the end, `[N]`. */
  actionValue: Float64Array;
  /** π at the end, `[N]`. */
  policy: Float64Array;
}

/** Q and π between iterations; θ of π = softmax(θ) for partial E-steps. */
interface State {
  actionValue: Float64Array;
  logits: Float64Array;
  policy: Float64Array;
}

/** What stays the same over a run. */
interface Setting {
  mdp: TabularMdp;
  schedule: Schedule;
  kind: Target['kind'];
  stateWeights: Float64Array;
  tolerance: number;
  /** Q*, `[N]`. */
  optimal: Float64Array;
}

const SCHEDULE_KINDS: readonly Schedule['kind'][] = ['complete', 'partial', 'incremental'];

const HALVED: Annealing = { start: 1, factor: 0.5, every: 1 };

/**
 * Runs EM from Q = 0 and a uniform policy.
 *
 * @throws VirelError `KIND_UNKNOWN`, `LENGTH_MISMATCH`, `NOT_FINITE`, `DISTRIBUTION_INVALID`; as the steps do.
 */
export function runExpectationMaximisation(mdp: TabularMdp, options: EmOptions): EmTrace {
  const { schedule, target: kind, iterations = 50, tolerance = 1e-12 } = options;
  const stateWeights = options.stateWeights ?? uniform(mdp.states);
  const actionValue = options.actionValue ?? new Float64Array(mdp.pairs);
  expectTable('actionValue', actionValue, mdp.pairs);
  expectDistribution('stateWeights', stateWeights, mdp.states);
  expectKinds(options);
  const optimal = optimalActionValue(mdp);
  const setting = { mdp, schedule, kind, stateWeights, tolerance, optimal };

  const logits = new Float64Array(mdp.pairs);
  let state: State = { actionValue, logits, policy: softmaxPolicy(logits, mdp.actions) };
  const records = [recordOf(setting, state, 0, floorAt(options, 0))];
  for (let iteration = 1; iteration <= iterations; iteration++) {
    const floor = floorAt(options, iteration - 1);
    state = improve(setting, state, floor);
    records.push(recordOf(setting, state, iteration, floor));
    if (records.at(-1)!.residualError <= tolerance) break;
  }
  const best = eStep({ actionValue: optimal, temperature: 0, stateWeights });
  const optimalValue = valueUnder(best, optimal, stateWeights);
  return { records, optimalValue, actionValue: state.actionValue, policy: state.policy };
}

/** Words of a caller in JavaScript. @throws VirelError `KIND_UNKNOWN`. */
function expectKinds({ schedule, target }: EmOptions): void {
  if (!TARGET_KINDS.includes(target)) throw unknownKind('target', TARGET_KINDS, target);
  if (SCHEDULE_KINDS.includes(schedule?.kind)) return;
  throw unknownKind('schedule.kind', SCHEDULE_KINDS, schedule?.kind);
}

/** ε_k of an iteration, 0 where nothing is annealed. */
function floorAt({ schedule, target, annealing = HALVED }: EmOptions, iteration: number): number {
  if (schedule.kind !== 'incremental' && target !== 'annealed') return 0;
  return annealing.start * annealing.factor ** Math.floor(iteration / annealing.every);
}

/** T_w with the policy or the floor that it needs now. */
function targetOf(kind: Target['kind'], policy: Float64Array, floor: number): Target {
  switch (kind) {
    case 'optimal':
    case 'boltzmann':
      return { kind };
    case 'annealed':
      return { kind, floor };
    case 'variational':
      return { kind, policy };
  }
}

/** ε_w of Q and π, with the floor, which the annealed target has in it already. */
function errorOf(
  { mdp, kind }: Setting,
  { actionValue, policy }: Pick<State, 'actionValue' | 'policy'>,
  floor: number,
): number {
  const error = residualError(mdp, actionValue, targetOf(kind, policy, floor));
  return kind === 'annealed' ? error : error + floor;
}

/** One M-step and one E-step. */
function improve(setting: Setting, state: State, floor: number): State {
  switch (setting.schedule.kind) {
    case 'complete':
      return completeStep(setting, setting.schedule, state, floor);
    case 'partial':
      return partialStep(setting, setting.schedule, state, floor);
    case 'incremental':
      return incrementalStep(setting, state, floor);
  }
}

/** (39), (40) or (41): no residual is left, so that the temperature is the floor. */
function completeStep(
  { mdp, kind, stateWeights }: Setting,
  { mStep: way }: Extract<Schedule, { kind: 'complete' }>,
  { actionValue, logits, policy }: State,
  floor: number,
): State {
  const target = targetOf(kind, policy, floor);
  const improved = (way === 'solve' ? mStep : directMStep)(mdp, actionValue, target);
  return {
    actionValue: improved,
    logits,
    policy: eStep({ actionValue: improved, temperature: floor, stateWeights }),
  };
}

/** A backup, then π_w at what is left of the residual and the floor. */
function incrementalStep(setting: Setting, state: State, floor: number): State {
  const { mdp, kind, stateWeights } = setting;
  const target = targetOf(kind, state.policy, floor);
  const actionValue = directMStep(mdp, state.actionValue, target);
  const temperature = errorOf(setting, { ...state, actionValue }, floor);
  return { ...state, actionValue, policy: eStep({ actionValue, temperature, stateWeights }) };
}

/** Gradient steps on both halves. */
function partialStep(
  setting: Setting,
  schedule: Extract<Schedule, { kind: 'partial' }>,
  state: State,
  floor: number,
): State {
  const { mdp, kind, stateWeights, tolerance } = setting;
  const target = targetOf(kind, state.policy, floor);
  const slopeOf = schedule.gradient === 'direct' ? directGradient : residualErrorGradient;
  let { actionValue, logits } = state;
  for (let step = 0; step < schedule.mSteps; step++) {
    // at no residual there is neither a temperature nor anything to descend
    const left = errorOf(setting, { actionValue, policy: state.policy }, floor) - floor;
    if (left <= tolerance) break;
    actionValue = stepped(actionValue, slopeOf(mdp, actionValue, target), -schedule.valueStep);
  }
  const temperature = errorOf(setting, { actionValue, policy: state.policy }, floor);
  for (let step = 0; step < schedule.eSteps; step++) {
    const gradient = eStepGradient({ actionValue, temperature, stateWeights }, logits);
    logits = stepped(logits, gradient, schedule.policyStep);
  }
  return { actionValue, logits, policy: softmaxPolicy(logits, mdp.actions) };
}

function stepped(values: Float64Array, gradient: Float64Array, stepSize: number): Float64Array {
  return values.map((value, i) => value + stepSize * gradient[i]!);
}

function recordOf(setting: Setting, state: State, iteration: number, floor: number): EmRecord {
  const { mdp, stateWeights, optimal } = setting;
  const error = errorOf(setting, state, floor);
  const entropies = policyEntropies(state.policy, mdp.actions);
  return {
    iteration,
    residualError: error,
    floor,
    evidenceLowerBound:
      error > 0 ? evidenceLowerBound({ ...state, temperature: error, stateWeights }) : null,
    policyEntropy: weighted(stateWeights, (s) => entropies[s]!),
    value: valueUnder(state.policy, policyActionValue(mdp, state.policy), stateWeights),
    distance: largestMagnitude(state.actionValue.map((value, h) => value - optimal[h]!)),
  };
}

/** E_{s~d, a~π}[Q]. */
function valueUnder(
  policy: Float64Array,
  actionValue: Float64Array,
  stateWeights: Float64Array,
): number {
  const value = expectedUnder(policy, actionValue, policy.length / stateWeights.length);
  return weighted(stateWeights, (state) => value[state]!);
}
