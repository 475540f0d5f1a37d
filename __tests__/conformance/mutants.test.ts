/**
 * The comparison's own test: a reference with one wrong sign, one dropped term or one forgotten step must disagree with each
 * engine, which is the same as the engine having that error and the reference not.
 */

import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Learner, StepLosses } from '../../src/engine.js';
import { createLearner, type ReferenceLearner } from '../../src/reference/index.js';
import { dataOf } from '../support/cases.js';
import { createEngine, ENGINES, supports } from '../support/engines.js';
import type { Mutant } from '../support/mutants/build.js';
import { MUTANTS } from '../support/mutants/index.js';
import { disagreements, tolerance } from '../support/tolerance.js';
import { type LearnerCase, type Trace, taskOf, traceOf } from '../support/traces.js';
import { configOf, type Variant } from '../support/variants.js';

// a hang is all that this limit is for
jest.setTimeout(600_000);

/** The cases of a variant: rates that differ, and targets fast enough that their order counts within ten updates. */
function casesOf(variant: Variant): LearnerCase[] {
  const config = configOf(variant, { hidden: [32, 24], policyHidden: [20, 24] });
  const { targetUpdateRate } = config.optim;
  const optim = {
    policyLearningRate: 1e-3,
    actionValueLearningRate: 2e-3,
    stateValueLearningRate: 3e-3,
    targetUpdateRate: targetUpdateRate === 1 ? 1 : 0.5,
  };
  return [
    {
      name: variant,
      env: 'Hopper-v5',
      networks: 'random scale',
      rows: 64,
      config: { ...config, optim },
      seed: 302,
      updates: 10,
    },
  ];
}

/** Losses and gradients of the first step. */
function firstStep(learner: Learner<Float32Array> | ReferenceLearner, trace: Trace) {
  learner.setParameters(trace.parameters);
  const [{ batch, noise }] = trace.steps as [Trace['steps'][number]];
  const { losses, gradients } = learner.gradients(batch, noise);
  return { losses, gradients };
}

/** The parameters after all steps. */
function afterUpdates(learner: Learner<Float32Array> | ReferenceLearner, trace: Trace) {
  learner.setParameters(trace.parameters);
  for (const { batch, noise } of trace.steps) learner.update(batch, noise);
  return dataOf(learner.parameters());
}

const asTensors = (losses: StepLosses) =>
  Object.fromEntries(Object.entries(losses).map(([name, loss]) => [name, [loss as number]]));

/** Losses and gradients of the first step that are out of tolerance. */
function stepDifferences(
  got: ReturnType<typeof firstStep>,
  expected: ReturnType<typeof firstStep>,
) {
  return [
    ...disagreements(asTensors(got.losses), asTensors(expected.losses), tolerance.loss.value),
    ...disagreements(got.gradients, expected.gradients, tolerance.gradient.value),
  ];
}

const updateDifferences = (
  got: Record<string, ArrayLike<number>>,
  expected: Record<string, ArrayLike<number>>,
) => disagreements(got, expected, tolerance.parametersAfterTenUpdates.value);

describe.each(Object.keys(MUTANTS) as Variant[])('mutants of %s', (variant) => {
  const cases = casesOf(variant);
  const traces: Trace[] = [];
  beforeAll(() => {
    traces.push(...cases.map(traceOf));
  });
  const { step, update = {} } = MUTANTS[variant] ?? { step: {} };

  describe.each(ENGINES.filter((engine) => cases.every((spec) => supports(engine, spec.config))))(
    'engine %s',
    (engine) => {
      const first: ReturnType<typeof firstStep>[] = [];
      const last: ReturnType<typeof afterUpdates>[] = [];
      beforeAll(() => {
        cases.forEach((spec, i) => {
          const native = createEngine(engine, spec);
          first.push(firstStep(native, traces[i] as Trace));
          last.push(afterUpdates(native, traces[i] as Trace));
          native.dispose();
        });
      });

      /** Where the engine and a mutant disagree, over all cases. */
      const inStep = (mutant: Mutant) =>
        cases.flatMap((spec, i) => {
          const expected = firstStep(mutant(spec), traces[i] as Trace);
          return stepDifferences(first[i] as typeof expected, expected);
        });
      const inUpdates = (mutant: Mutant) =>
        cases.flatMap((spec, i) => {
          const expected = afterUpdates(mutant(spec), traces[i] as Trace);
          return updateDifferences(last[i] as typeof expected, expected);
        });

      it('agrees with the reference itself', () => {
        const itself: Mutant = (spec) => createLearner(taskOf(spec), spec.config);
        expect(inStep(itself)).toEqual([]);
        expect(inUpdates(itself)).toEqual([]);
      });

      for (const [name, mutant] of Object.entries(step)) {
        it(`shows in a loss or a gradient: ${name}`, () => {
          expect(inStep(mutant)).not.toEqual([]);
        });
      }

      for (const [name, mutant] of Object.entries(update)) {
        it(`shows in the parameters: ${name}`, () => {
          // and nowhere before, or it would be listed with the others
          expect(inStep(mutant)).toEqual([]);
          expect(inUpdates(mutant)).not.toEqual([]);
        });
      }
    },
  );
});
