import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Learner, StepLosses } from '../../src/engine.js';
import { createLearner } from '../../src/reference/index.js';
import { dataOf } from '../support/cases.js';
import { createEngine, ENGINES, RECIPE_UNSUPPORTED, supports } from '../support/engines.js';
import { LEARNER_CASES } from '../support/learner-cases.js';
import {
  ABSOLUTE_BELOW,
  disagreements,
  MOST_CANCELLATION,
  norm,
  tensorError,
  tolerance,
} from '../support/tolerance.js';
import { optionsOf, type Trace, taskOf, titleOf, traceOf } from '../support/traces.js';
import { configOf, VARIANTS } from '../support/variants.js';

// a hang is all that this limit is for: the reference needs half a second per update of the paper's networks
jest.setTimeout(600_000);

describe.each(LEARNER_CASES.map((spec) => [titleOf(spec), spec] as const))(
  'gradient step, %s',
  (_, spec) => {
    let trace: Trace;
    beforeAll(() => {
      trace = traceOf(spec);
    });

    it('is a fair case: no number in it is zero or made of rounding', () => {
      for (const [name, gradient] of Object.entries(trace.first.gradients)) {
        expect({ name, zero: norm(gradient) <= ABSOLUTE_BELOW }).toEqual({ name, zero: false });
      }
      for (const [name, factor] of Object.entries(trace.cancellation)) {
        const fair = factor <= MOST_CANCELLATION;
        expect({ name, factor, fair }).toEqual({ name, factor, fair: true });
      }
      // the count of redrawn rows, bounded so that a case cannot avoid every hard row
      expect(trace.redrawn).toBeLessThan(Math.max(2, spec.rows) * spec.updates);
    });

    describe.each(ENGINES.filter((engine) => supports(engine, spec.config)))(
      'engine %s',
      (engine) => {
        let native: Learner<Float32Array> & { dispose(): void };
        beforeAll(() => {
          native = createEngine(engine, spec);
          native.setParameters(trace.parameters);
        });
        afterAll(() => native?.dispose());

        it('gives the losses of the reference', () => {
          const { batch, noise } = trace.steps[0] as Trace['steps'][number];
          const { losses, temperature } = native.gradients(batch, noise, optionsOf(spec));
          expect(tensorError([temperature], [trace.first.temperature])).toBeLessThanOrEqual(
            tolerance.temperature.value,
          );
          expect(lossDisagreements(losses, trace.first.losses)).toEqual([]);
        });

        it('gives every gradient tensor of the reference, none of them to the last bit', () => {
          const { batch, noise } = trace.steps[0] as Trace['steps'][number];
          const { gradients } = native.gradients(batch, noise, optionsOf(spec));
          const expected = trace.first.gradients;
          expect(Object.keys(gradients)).toEqual(Object.keys(expected));
          expect(disagreements(gradients, expected, tolerance.gradient.value)).toEqual([]);
          // float32 equal to float64 in a whole tensor would mean that one was copied from the other
          const equal = Object.keys(expected).filter(
            (name) => tensorError(gradients[name] ?? [], expected[name] ?? []) === 0,
          );
          expect(equal).toEqual([]);
        });

        it('steps nothing when asked for gradients', () => {
          expect(native.parameters()).toEqual(trace.parameters);
        });

        it('has every parameter tensor of the reference after its updates', () => {
          const [first] = trace.steps.map(({ batch, noise }) =>
            native.update(batch, noise, optionsOf(spec)),
          );
          expect(lossDisagreements(first as StepLosses, trace.first.losses)).toEqual([]);
          const [got, expected] = [dataOf(native.parameters()), dataOf(trace.last)];
          const limit = tolerance.parametersAfterTenUpdates.value;
          expect(disagreements(got, expected, limit)).toEqual([]);
          // but for targets that are not due yet, which are still what they were set to
          const start = dataOf(trace.parameters);
          const equal = Object.keys(expected).filter(
            (name) =>
              tensorError(got[name] ?? [], expected[name] ?? []) === 0 &&
              tensorError(start[name] ?? [], expected[name] ?? []) > 0,
          );
          expect(equal).toEqual([]);
        });
      },
    );
  },
);

/** Losses of `expected` that `got` has not, or not within tolerance; and those that `got` has beside them. */
function lossDisagreements(got: StepLosses, expected: StepLosses) {
  const values = (losses: StepLosses) =>
    Object.fromEntries(
      Object.entries(losses)
        .filter(([, loss]) => loss !== undefined && loss !== null)
        .map(([name, loss]) => [name, [loss as number]]),
    );
  return disagreements(values(got), values(expected), tolerance.loss.value);
}

describe.each(ENGINES)('a fresh session of engine %s', (engine) => {
  const widths = { hidden: [20, 10], policyHidden: [12] };

  it.each(VARIANTS)('starts at the parameters of the reference, %s', (variant) => {
    for (const seed of [0, 7, 2 ** 40 + 3]) {
      const config = { ...configOf(variant, widths), seed };
      if (!supports(engine, config)) continue;
      const spec = { env: 'Hopper-v5', config };
      const native = createEngine(engine, spec);
      const reference = createLearner(taskOf(spec), config).parameters();
      const got = native.parameters();
      native.dispose();
      expect(Object.keys(got)).toEqual(Object.keys(reference));
      for (const [name, { shape, data }] of Object.entries(reference)) {
        expect(got[name]).toEqual({ shape, data: Float32Array.from(data) });
      }
    }
  });

  it.each(VARIANTS)('refuses what it is declared to lack, and nothing else, %s', (variant) => {
    const spec = { env: 'Hopper-v5', config: configOf(variant, widths) };
    const { mStep } = spec.config;
    const lacks = RECIPE_UNSUPPORTED.some(
      (gap) => gap.engine === engine && gap.mStep === mStep.kind,
    );
    const create = () => createEngine(engine, spec).dispose();
    const refusal = expect.objectContaining({ code: 'RECIPE_UNSUPPORTED' });
    if (lacks) expect(create).toThrow(refusal);
    else expect(create).not.toThrow();
  });
});
