import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Learner } from '../../src/engine.js';
import { createLearner } from '../../src/reference/index.js';
import { dataOf, PAPER, PAPER_ROWS, TASKS } from '../support/cases.js';
import { createEngine, ENGINES } from '../support/engines.js';
import {
  ABSOLUTE_BELOW,
  disagreements,
  MOST_CANCELLATION,
  norm,
  tensorError,
  tolerance,
} from '../support/tolerance.js';
import {
  type LearnerCase,
  optionsOf,
  type Trace,
  taskOf,
  titleOf,
  traceOf,
} from '../support/traces.js';

// a hang is all that this limit is for: the reference needs half a second per update of the paper's networks
jest.setTimeout(600_000);

const NETWORKS = ['fresh', 'random scale'] as const;
const paperShapes: LearnerCase[] = Object.keys(TASKS).flatMap((env, task) =>
  NETWORKS.map((networks, i) => ({
    env,
    networks,
    rows: PAPER_ROWS,
    config: PAPER,
    seed: 100 + 10 * task + i,
    updates: 10,
  })),
);

/** Widths and rows that no vector length divides, one layer and three, given temperatures, log σ on both sides of a clip. */
const otherShapes: LearnerCase[] = [
  { env: 'Hopper-v5', hidden: [33, 7], rows: 5, temperature: 0.1 },
  { env: 'InvertedPendulum-v5', hidden: [9], rows: 1, temperature: 0 },
  { env: 'HalfCheetah-v5', hidden: [17, 40, 9], rows: 131 },
  { env: 'Hopper-v5', hidden: [24, 24], rows: 64, logStdBias: 2 },
  { env: 'Hopper-v5', hidden: [24, 24], rows: 64, logStdBias: -20 },
].map(({ env, hidden, rows, ...rest }, i) => ({
  env,
  networks: 'random scale' as const,
  rows,
  config: { ...PAPER, network: { hidden } },
  seed: 210 + i,
  updates: 10,
  ...rest,
}));

describe.each([...paperShapes, ...otherShapes].map((spec) => [titleOf(spec), spec] as const))(
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
        expect({ name, factor, fair: factor <= MOST_CANCELLATION }).toMatchObject({ fair: true });
      }
      // the count of redrawn rows, bounded so that a case cannot avoid every hard row
      expect(trace.redrawn).toBeLessThan(spec.rows * spec.updates);
    });

    describe.each(ENGINES)('engine %s', (engine) => {
      let native: Learner<Float32Array> & { dispose(): void };
      beforeAll(() => {
        native = createEngine(engine, spec);
        native.setParameters(trace.parameters);
      });
      afterAll(() => native?.dispose());

      it('gives the losses of the reference', () => {
        const { batch, noise } = trace.steps[0] as Trace['steps'][number];
        const { losses, temperature } = native.gradients(batch, noise, optionsOf(spec));
        expect(Math.fround(temperature)).toBe(Math.fround(trace.first.temperature));
        for (const name of ['policy', 'actionValue', 'stateValue'] as const) {
          const error = tensorError([losses[name]], [trace.first.losses[name]]);
          expect({ name, error, ok: error <= tolerance.loss.value }).toMatchObject({ ok: true });
        }
      });

      it('gives every gradient tensor of the reference, none of them to the last bit', () => {
        const { batch, noise } = trace.steps[0] as Trace['steps'][number];
        const { gradients } = native.gradients(batch, noise, optionsOf(spec));
        const expected = trace.first.gradients;
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

      it('has every parameter tensor of the reference after ten updates', () => {
        const losses = trace.steps.map(({ batch, noise }) =>
          native.update(batch, noise, optionsOf(spec)),
        );
        const first = Object.entries(trace.first.losses);
        for (const [name, loss] of first) {
          const got = losses[0]?.[name as keyof (typeof losses)[number]] ?? Number.NaN;
          expect(tensorError([got], [loss])).toBeLessThanOrEqual(tolerance.loss.value);
        }
        const [got, expected] = [dataOf(native.parameters()), dataOf(trace.last)];
        const limit = tolerance.parametersAfterTenUpdates.value;
        expect(disagreements(got, expected, limit)).toEqual([]);
        const equal = Object.keys(expected).filter(
          (name) => tensorError(got[name] ?? [], expected[name] ?? []) === 0,
        );
        expect(equal).toEqual([]);
      });
    });
  },
);

describe.each(ENGINES)('a fresh session of engine %s', (engine) => {
  it.each([0, 7, 2 ** 40 + 3])('starts at the parameters of the reference, seed %d', (seed) => {
    const config = { ...PAPER, seed, network: { hidden: [20, 10] } };
    const spec = { env: 'Hopper-v5', config };
    const native = createEngine(engine, spec);
    const reference = createLearner(taskOf(spec), config).parameters();
    const got = native.parameters();
    native.dispose();
    expect(Object.keys(got)).toEqual(Object.keys(reference));
    for (const [name, { shape, data }] of Object.entries(reference)) {
      expect(got[name]).toEqual({ shape, data: Float32Array.from(data) });
    }
  });
});
