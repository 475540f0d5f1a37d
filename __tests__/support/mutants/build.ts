/**
 * One wrong term at a time: references that have a wrong sign, a dropped term or a forgotten step, by the variant whose term it
 * is. Each replaces an equation, or a constant of the config, and nothing else.
 */

import {
  createLearner,
  EQUATIONS,
  type Equations,
  type ReferenceConfig,
  type ReferenceLearner,
} from '../../../src/reference/index.js';
import { type LearnerCase, taskOf } from '../traces.js';

/** A wrong reference for a case. */
export type Mutant = (spec: LearnerCase) => ReferenceLearner;

/** Mutants of a variant, by the term that they break: those that a loss or gradient shows, and those that only a step does. */
export interface MutantTable {
  step: Record<string, Mutant>;
  update?: Record<string, Mutant>;
}

/** Wrong equations. */
export const withEquations =
  (equations: Partial<Equations>): Mutant =>
  (spec) =>
    createLearner(taskOf(spec), spec.config, { ...EQUATIONS, ...equations });

/** Equations that remember: made anew for each learner. */
export const withMemory =
  (make: () => Partial<Equations>): Mutant =>
  (spec) =>
    withEquations(make())(spec);

/** Wrong constants. */
export const withConfig =
  (change: (config: ReferenceConfig) => Partial<ReferenceConfig>): Mutant =>
  (spec) =>
    createLearner(taskOf(spec), { ...spec.config, ...change(spec.config) });

/** Values times a factor. */
export const scaled = (values: Float64Array, factor: number) =>
  values.map((value) => factor * value);
/** As many zeros. */
export const zeros = (values: Float64Array) => new Float64Array(values.length);
/** An entry. */
export const at = (values: ArrayLike<number>, i: number) => values[i] ?? 0;
/** Entry i's row, for values of several columns. */
export const rowOf = (i: number, values: ArrayLike<number>, rows: ArrayLike<number>) =>
  Math.floor(i / (values.length / rows.length));

/** A regression with a half. */
export function halved({ loss, gradient }: ReturnType<Equations['actionValueLoss']>) {
  return { loss: loss / 2, gradient: scaled(gradient, 0.5) };
}

/** A learner whose target of this name holds the online network from the start. */
export const withOnlineTarget =
  (name: string): Mutant =>
  (spec) => {
    const learner = createLearner(taskOf(spec), spec.config);
    return {
      ...learner,
      setParameters(parameters) {
        learner.setParameters(parameters);
        const online = Object.entries(parameters).filter(([each]) => each.startsWith(`${name}.`));
        learner.setParameters(
          Object.fromEntries(online.map(([each, parameter]) => [`target.${each}`, parameter])),
        );
      },
    };
  };

/** A learner that takes a row's draws in the reverse order. */
export const withReversedDraws =
  (draws: number): Mutant =>
  (spec) => {
    const learner = createLearner(taskOf(spec), spec.config);
    const width = taskOf(spec).actionSize;
    const reversed = (noise: ArrayLike<number>) =>
      Float64Array.from(noise, (_, i) => {
        const draw = Math.floor(i / width) % draws;
        return at(noise, i + (draws - 1 - 2 * draw) * width);
      });
    return {
      ...learner,
      gradients: (batch, noise, options) => learner.gradients(batch, reversed(noise), options),
      update: (batch, noise, options) => learner.update(batch, reversed(noise), options),
    };
  };

/** Equations whose target reads a network as it was before the step just taken. */
export function targetFromBeforeTheStep(): Partial<Equations> {
  const before = new WeakMap<Float64Array, Float64Array>();
  return {
    optimise: (parameters, gradient, state, rate) => {
      before.set(parameters, parameters.slice());
      EQUATIONS.optimise(parameters, gradient, state, rate);
    },
    updateTarget: (target, online, rate) =>
      EQUATIONS.updateTarget(target, before.get(online) ?? online, rate),
  };
}
