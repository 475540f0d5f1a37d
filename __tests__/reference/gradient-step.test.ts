import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Batch } from '../../src/engine.js';
import { createLearner, type ReferenceLearner } from '../../src/reference/index.js';
import {
  dataOf,
  drawOf,
  drawStepOffKinks,
  randomScaleParameters,
  type Step,
} from '../support/cases.js';
import { differenceBy, STEP } from '../support/finite-difference.js';
import { disagreements, norm, tensorError, tolerance } from '../support/tolerance.js';
import { PAPER } from '../support/variants.js';

type Loss = 'policy' | 'actionValue' | 'stateValue';

/** Every extent differs, so that a transposed or mixed-up shape cannot pass. */
const sizes = { observation: 3, action: 2, hidden: [4, 5] };
const task = { observationSize: sizes.observation, actionSize: sizes.action };
const config = {
  ...PAPER,
  network: { ...PAPER.network, hidden: sizes.hidden, policyHidden: sizes.hidden },
  policyRegulariser: { mean: 0.02, logStd: 0.03 },
};
const ROWS = 7;
/** A parameter moved by h moves a pre-activation by h times an activation, of order 1 to 10. */
const MARGIN = 100 * STEP;

/** A learner at random scales and a batch away from its kinks. */
function smallCase(seed: number): { learner: ReferenceLearner; step: Step } {
  const draw = drawOf(seed);
  const learner = createLearner(task, config);
  learner.setParameters(randomScaleParameters(learner, draw));
  return { learner, step: drawStepOffKinks(learner, { task, config, rows: ROWS }, draw, MARGIN) };
}

function lossOf(name: string): Loss {
  return name.split('.')[0] as Loss;
}

describe('gradient step (Algorithm 1, A28)', () => {
  it.each([1, 2, 3])('has the gradients of finite differences, every tensor, case %d', (seed) => {
    const { learner, step } = smallCase(seed);
    const { gradients } = learner.gradients(step.batch, step.noise);
    const names = Object.keys(learner.parameters()).filter((name) => !name.startsWith('target.'));
    expect(Object.keys(gradients)).toEqual(names);
    for (const name of names) {
      const difference = differenceBy(learner, step, lossOf(name), name);
      const error = tensorError(gradients[name] as Float64Array, difference);
      expect({ name, ok: error < tolerance.finiteDifference.value, error }).toMatchObject({
        ok: true,
      });
      // a tensor that equals its difference exactly was not computed on its own; one of zeros shows nothing
      expect({ name, error }).not.toMatchObject({ error: 0 });
      expect(norm(difference)).toBeGreaterThan(1e-4);
    }
  });

  it('gives log σ no gradient where it is clipped, and the rest its own', () => {
    const { learner, step } = smallCase(4);
    const name = 'policy.logStd.bias';
    learner.setParameters({ [name]: { shape: [2], data: Float64Array.of(30, -60) } });
    const clipped = learner.gradients(step.batch, step.noise).gradients;
    expect([...(clipped[name] as Float64Array)]).toEqual([0, 0]);
    expect(norm(clipped['policy.logStd.weight'] as Float64Array)).toBe(0);
    expect(norm(clipped['policy.mean.bias'] as Float64Array)).toBeGreaterThan(1e-4);
    const difference = differenceBy(learner, step, 'policy', name);
    expect(norm(difference)).toBe(0);
  });

  it('holds targets constant: J_V and J_π depend on Q, yet give it nothing', () => {
    const { learner, step } = smallCase(5);
    const name = 'actionValue.0.trunk.1.weight';
    for (const loss of ['stateValue', 'policy'] as const) {
      expect(norm(differenceBy(learner, step, loss, name))).toBeGreaterThan(1e-2);
    }
    const own = differenceBy(learner, step, 'actionValue', name);
    const { gradients } = learner.gradients(step.batch, step.noise);
    expect(tensorError(gradients[name] as Float64Array, own)).toBeLessThan(
      tolerance.finiteDifference.value,
    );
  });

  it('holds ã constant in J_V, which gives the policy nothing', () => {
    const { learner, step } = smallCase(6);
    const name = 'policy.trunk.0.weight';
    expect(norm(differenceBy(learner, step, 'stateValue', name))).toBeGreaterThan(1e-2);
    const { gradients } = learner.gradients(step.batch, step.noise);
    const own = differenceBy(learner, step, 'policy', name);
    expect(tensorError(gradients[name] as Float64Array, own)).toBeLessThan(
      tolerance.finiteDifference.value,
    );
  });

  it('gives the target network no gradient, though J_Q depends on it', () => {
    const { learner, step } = smallCase(7);
    const name = 'target.stateValue.value.weight';
    expect(norm(differenceBy(learner, step, 'actionValue', name))).toBeGreaterThan(1e-2);
    expect(learner.gradients(step.batch, step.noise).gradients).not.toHaveProperty([name]);
  });

  it('does not depend on the next state where every task ended', () => {
    const { learner, step } = smallCase(8);
    step.batch.terminated.fill(1);
    const before = learner.gradients(step.batch, step.noise);
    step.batch.nextObservations.fill(3);
    expect(learner.gradients(step.batch, step.noise)).toEqual(before);
  });

  it('is unmoved by a permutation of the rows', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e6 }), (seed) => {
        const { learner, step } = smallCase(seed);
        const order = permutation(ROWS, seed);
        const permuted = {
          batch: mapBatch(step.batch, (values, width) => permuteRows(values, width, order)),
          noise: permuteRows(step.noise, sizes.action, order),
        };
        const before = learner.gradients(step.batch, step.noise);
        const after = learner.gradients(permuted.batch, permuted.noise);
        const limit = tolerance.permutation.value;
        expect(disagreements(after.gradients, before.gradients, limit)).toEqual([]);
      }),
      { numRuns: 20, seed: 11 },
    );
  });

  it('of a batch given twice is that of the batch given once', () => {
    const { learner, step } = smallCase(9);
    const twice = mapBatch(step.batch, (values) => Float32Array.of(...values, ...values));
    const once = learner.gradients(step.batch, step.noise);
    const doubled = learner.gradients(twice, Float32Array.of(...step.noise, ...step.noise));
    const limit = tolerance.permutation.value;
    expect(disagreements(doubled.gradients, once.gradients, limit)).toEqual([]);
  });

  it('reads float32 and float64 inputs alike', () => {
    const { learner, step } = smallCase(10);
    const wide = mapBatch(step.batch, (values) => Float64Array.from(values));
    expect(learner.gradients(wide, Float64Array.from(step.noise))).toEqual(
      learner.gradients(step.batch, step.noise),
    );
  });

  it('at another temperature changes J_π alone', () => {
    const { learner, step } = smallCase(12);
    const own = learner.gradients(step.batch, step.noise);
    const other = learner.gradients(step.batch, step.noise, { temperature: 0.1 });
    expect([own.temperature, other.temperature]).toEqual([1, 0.1]);
    expect(other.losses.policy).not.toBe(own.losses.policy);
    const changed = Object.keys(own.gradients).filter(
      (name) =>
        norm(own.gradients[name] as Float64Array) !== norm(other.gradients[name] as Float64Array),
    );
    expect(changed).toEqual(
      Object.keys(own.gradients).filter((name) => name.startsWith('policy.')),
    );
  });
});

describe('update', () => {
  it('agrees with automatic differentiation over three steps (fixtures/learner/step.json)', () => {
    const fixture = JSON.parse(
      readFileSync(new URL('../fixtures/learner/step.json', import.meta.url), 'utf8'),
    ) as StepFixture;
    const { settings } = fixture;
    const learner = createLearner(fixture.task, {
      ...PAPER,
      ...settings,
      network: { ...PAPER.network, hidden: fixture.hidden, policyHidden: fixture.hidden },
      temperature: { kind: 'fixed', temperature: settings.temperature },
    });
    learner.setParameters(
      Object.fromEntries(
        Object.entries(fixture.parameters).map(([name, { shape, data }]) => [
          name,
          { shape, data: Float64Array.from(data) },
        ]),
      ),
    );
    const limit = tolerance.automaticDifferentiation.value;
    for (const step of fixture.steps) {
      // some log σ lie beyond their clip, others do not
      expect(step.clipped).toBeGreaterThan(0);
      const batch = mapBatch(step.batch, (values) => Float64Array.from(values));
      const noise = Float64Array.from(step.noise);
      const { losses, gradients } = learner.gradients(batch, noise);
      expect(disagreements(scalars({ ...losses }), scalars(step.losses), limit)).toEqual([]);
      expect(disagreements(gradients, step.gradients, limit)).toEqual([]);
      expect(learner.update(batch, noise)).toEqual(losses);
      expect(disagreements(dataOf(learner.parameters()), step.parametersAfter, limit)).toEqual([]);
    }
  });

  it('is an M-step and an E-step from the same parameters', () => {
    const { learner: both, step } = smallCase(13);
    const { learner: mOnly } = smallCase(13);
    const { learner: eOnly } = smallCase(13);
    both.update(step.batch, step.noise);
    const m = mOnly.mStep(step.batch, step.noise);
    const e = eOnly.eStep(step.batch, step.noise);
    expect(Object.keys(m)).toEqual(['actionValue', 'stateValue']);
    expect(Object.keys(e)).toEqual(['policy']);
    const [after, afterM, afterE] = [both, mOnly, eOnly].map((learner) => learner.parameters());
    for (const [name, parameter] of Object.entries(after ?? {})) {
      const half = name.startsWith('policy.') ? afterE : afterM;
      expect(half?.[name]).toEqual(parameter);
    }
  });

  it('moves the target towards the stepped V', () => {
    const { learner, step } = smallCase(14);
    const name = 'stateValue.value.bias';
    const [before] = learner.parameters()[`target.${name}`]?.data ?? [];
    learner.update(step.batch, step.noise);
    const after = learner.parameters();
    const [online] = after[name]?.data ?? [];
    const [target] = after[`target.${name}`]?.data ?? [];
    expect(target).toBeCloseTo(0.001 * (online as number) + 0.999 * (before as number), 14);
  });

  it('leaves nothing changed when it refuses its input', () => {
    const { learner, step } = smallCase(15);
    const before = learner.parameters();
    expect(() => learner.update(step.batch, step.noise.subarray(1))).toThrow();
    expect(learner.parameters()).toEqual(before);
  });
});

describe('residual error (Alg. 2, A7)', () => {
  it('reads the online V, not the target, which J_Q reads', () => {
    const { learner, step } = smallCase(16);
    const error = learner.residualError(step.batch);
    const { actionValue } = learner.gradients(step.batch, step.noise).losses;
    expect(error).not.toBeCloseTo(actionValue, 3);
    const online = learner.parameters();
    learner.setParameters(
      Object.fromEntries(
        Object.entries(online)
          .filter(([name]) => name.startsWith('stateValue.'))
          .map(([name, parameter]) => [`target.${name}`, parameter]),
      ),
    );
    // with V̄ = V both are the same mean square
    expect(learner.gradients(step.batch, step.noise).losses.actionValue).toBeCloseTo(error, 12);
    expect(learner.residualError(step.batch)).toBe(error);
  });
});

interface StepFixture {
  task: typeof task;
  hidden: number[];
  settings: Pick<typeof PAPER, 'discount' | 'optim' | 'policyRegulariser'> & {
    temperature: number;
  };
  parameters: Record<string, { shape: number[]; data: number[] }>;
  steps: {
    batch: Record<keyof Batch, number[]>;
    noise: number[];
    clipped: number;
    losses: Record<Loss, number>;
    gradients: Record<string, number[]>;
    parametersAfter: Record<string, number[]>;
  }[];
}

function scalars(values: Record<string, number>): Record<string, number[]> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, [value]]));
}

function mapBatch<From extends ArrayLike<number>, To extends Float32Array | Float64Array>(
  batch: Record<keyof Batch, From>,
  map: (values: From, width: number) => To,
): Batch<To> {
  return {
    observations: map(batch.observations, sizes.observation),
    actions: map(batch.actions, sizes.action),
    rewards: map(batch.rewards, 1),
    nextObservations: map(batch.nextObservations, sizes.observation),
    terminated: map(batch.terminated, 1),
  };
}

/** A permutation of 0 to n − 1 drawn by `seed`. */
function permutation(n: number, seed: number): number[] {
  const draw = drawOf(seed);
  return Array.from({ length: n }, (_, i) => ({ i, key: draw.uniform() }))
    .sort((a, b) => a.key - b.key)
    .map(({ i }) => i);
}

function permuteRows(values: Float32Array, width: number, order: readonly number[]): Float32Array {
  return Float32Array.from(
    order.flatMap((row) => [...values.subarray(row * width, (row + 1) * width)]),
  );
}
