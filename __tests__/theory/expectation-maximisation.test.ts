/** Runs of EM against the iterations that the paper says they are, and every number of their records. */

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  type Annealing,
  bellmanTarget,
  chain,
  directGradient,
  type EmOptions,
  type EmTrace,
  eStepGradient,
  evidenceLowerBound,
  greedyPolicy,
  implicitResidualError,
  mStep,
  optimalActionValue,
  policyActionValue,
  residualErrorGradient,
  runExpectationMaximisation,
  type Schedule,
  softmaxPolicy,
  type TabularMdp,
  type Target,
  threeByTwo,
  uniform,
  uniformPolicy,
} from '../../src/theory/index.js';
import {
  at,
  type Case,
  expectClose,
  expectError,
  forAllCases,
  halfMeanSquare,
  naiveBoltzmann,
  naiveLargest,
  naiveMean,
  naivePolicyValue,
  naiveResidual,
  naiveTarget,
  range,
  reading,
  sumOver,
  tolerance,
} from './support.js';

const solve: Schedule = { kind: 'complete', mStep: 'solve' };
const backup: Schedule = { kind: 'complete', mStep: 'backup' };
const incremental: Schedule = { kind: 'incremental' };
const partial = {
  kind: 'partial',
  mSteps: 3,
  eSteps: 2,
  valueStep: 0.4,
  policyStep: 0.7,
  gradient: 'direct',
} satisfies Schedule;

const KINDS = ['optimal', 'boltzmann', 'annealed', 'variational'] as const;
const SCHEDULES = [
  solve,
  backup,
  incremental,
  partial,
  { ...partial, gradient: 'residual' as const },
];

const small = { states: 3, actions: 3, runs: 40 };

/** The end of a run of so many iterations that no tolerance stops. */
const endOf = (mdp: TabularMdp, iterations: number, options: Omit<EmOptions, 'iterations'>) =>
  runExpectationMaximisation(mdp, { tolerance: -1, ...options, iterations });

/** A target by name, with what it reads of a state of the run. */
function targetOf(kind: Target['kind'], policy: Float64Array, floor: number): Target {
  if (kind === 'variational') return { kind, policy };
  return kind === 'annealed' ? { kind, floor } : { kind };
}

/** ½ mean β² without its floor, by loops. */
function errorOf(mdp: TabularMdp, actionValue: Float64Array, target: Target): number {
  return target.kind === 'boltzmann'
    ? implicitResidualError(mdp, actionValue)
    : halfMeanSquare(naiveResidual(mdp, actionValue, target));
}

/** ε_k of an iteration. */
const floorOf = ({ start, factor, every }: Annealing, iteration: number) =>
  start * factor ** Math.floor((iteration - 1) / every);

describe('complete EM with T^{π_θ}', () => {
  it('is policy iteration where the M-step solves: Q_k = Q^{π_{k−1}}, π_k greedy (39), (40)', () => {
    forAllCases(({ mdp }) => {
      let policy = uniformPolicy(mdp);
      for (const iterations of [1, 2, 3]) {
        const value = naivePolicyValue(mdp, policy);
        policy = greedyPolicy(value, mdp.actions);
        const end = endOf(mdp, iterations, { schedule: solve, target: 'variational' });
        expectClose(end.actionValue, value, tolerance.fixedPoint);
        expect(end.policy).toEqual(policy);
      }
    }, small);
  });

  it('never makes the value worse, and ends at V* with Q* and a greedy policy', () => {
    forAllCases(({ mdp, stateWeights }) => {
      // a tolerance of 0: a residual error of 1e-12 is a distance of 1e-6
      const { records, optimalValue, actionValue, policy } = runExpectationMaximisation(mdp, {
        schedule: solve,
        target: 'variational',
        stateWeights,
        tolerance: 0,
        iterations: 12,
      });
      const optimal = optimalActionValue(mdp);
      const best = sumOver(mdp.states, (s) => at(stateWeights, s) * naiveLargest(mdp, optimal)(s));
      expectClose(optimalValue, best, tolerance.fixedPoint);
      const values = records.map(({ value }) => value);
      for (const [i, value] of values.slice(1).entries()) {
        expect(value).toBeGreaterThanOrEqual(at(values, i) - 1e-10 * (1 + Math.abs(value)));
      }
      expectClose(at(values, values.length - 1), optimalValue, tolerance.fixedPoint);
      expectClose(actionValue, optimal, tolerance.fixedPoint);
      expectClose(
        naiveMean(mdp, policy, optimal)(0),
        naiveLargest(mdp, optimal)(0),
        tolerance.fixedPoint,
      );
      expect(at(records, records.length - 1).residualError).toBeLessThanOrEqual(1e-12);
    });
  });

  it('is Q_k = T* Q_{k−1} for k ≥ 2 where it backs up, T^{π_0} at k = 1 (41), (A21)', () => {
    forAllCases(({ mdp, actionValue }) => {
      let value = naiveTarget(mdp, actionValue, {
        kind: 'variational',
        policy: uniformPolicy(mdp),
      });
      for (const iterations of [1, 2, 3, 4]) {
        if (iterations > 1) value = naiveTarget(mdp, value, { kind: 'optimal' });
        const end = endOf(mdp, iterations, {
          schedule: backup,
          target: 'variational',
          actionValue,
        });
        expectClose(end.actionValue, value, tolerance.rounding);
      }
    }, small);
  });
});

describe('complete EM with another target', () => {
  it('is at Q* after one solving M-step, for T* and T^{π_w}', () => {
    forAllCases(({ mdp }) => {
      for (const kind of ['optimal', 'boltzmann'] as const) {
        const { records, actionValue, policy } = runExpectationMaximisation(mdp, {
          schedule: solve,
          target: kind,
        });
        expect(records).toHaveLength(2);
        expectClose(actionValue, optimalActionValue(mdp), tolerance.fixedPoint);
        expect(policy).toEqual(greedyPolicy(actionValue, mdp.actions));
      }
    }, small);
  });

  it('is value iteration where it backs up T*', () => {
    forAllCases(({ mdp, actionValue }) => {
      const value = [1, 2, 3].reduce<Float64Array>(
        (table) => naiveTarget(mdp, table, { kind: 'optimal' }),
        actionValue,
      );
      const end = endOf(mdp, 3, { schedule: backup, target: 'optimal', actionValue });
      expectClose(end.actionValue, value, tolerance.rounding);
      expect(end.policy).toEqual(greedyPolicy(end.actionValue, mdp.actions));
    }, small);
  });

  it('has the Boltzmann policy at the floor that the annealed target has', () => {
    forAllCases(
      ({ mdp, actionValue }) => {
        const annealing = { start: 2, factor: 0.5, every: 1 };
        for (const schedule of [solve, backup]) {
          const end = endOf(mdp, 2, { schedule, target: 'annealed', annealing, actionValue });
          const step = (table: Float64Array, floor: number) => {
            const target = { kind: 'annealed', floor } as const;
            return schedule === solve ? mStep(mdp, table, target) : naiveTarget(mdp, table, target);
          };
          const value = step(step(actionValue, 2), 1);
          expectClose(end.actionValue, value, tolerance.fixedPoint);
          expectClose(end.policy, naiveBoltzmann(mdp, value, 1), tolerance.fixedPoint);
        }
      },
      { ...small, runs: 15 },
    );
  });
});

describe('incremental EM (F.2)', () => {
  it('is a backup, then π_w at what is left of the residual and the floor', () => {
    const annealing = { start: 2, factor: 0.25, every: 2 };
    forAllCases(({ mdp, actionValue: start }) => {
      for (const kind of KINDS) {
        let [actionValue, policy] = [start, uniformPolicy(mdp)];
        for (const iteration of [1, 2, 3, 4]) {
          const floor = floorOf(annealing, iteration);
          const target = targetOf(kind, policy, floor);
          actionValue = bellmanTarget(mdp, actionValue, target);
          // the annealed residual is that of its own floor, which is then added
          const temperature = errorOf(mdp, actionValue, target) + floor;
          policy = naiveBoltzmann(mdp, actionValue, temperature);
        }
        const end = endOf(mdp, 4, {
          schedule: incremental,
          target: kind,
          annealing,
          actionValue: start,
        });
        expectClose(end.actionValue, actionValue, tolerance.rounding);
        expectClose(end.policy, policy, tolerance.fixedPoint);
        expect(end.records.map(({ floor }) => floor)).toEqual([2, 2, 2, 0.5, 0.5]);
      }
    }, small);
  });

  it('lowers the floor from 1 by halves unless told, and comes to Q* with it', () => {
    const mdp = threeByTwo();
    const end = runExpectationMaximisation(mdp, {
      schedule: incremental,
      target: 'annealed',
      iterations: 400,
      tolerance: 1e-12,
    });
    expect(end.records.slice(0, 4).map(({ floor }) => floor)).toEqual([1, 1, 0.5, 0.25]);
    const last = at(end.records, end.records.length - 1);
    expect(last.residualError).toBeLessThanOrEqual(1e-12);
    expect(last.distance).toBeLessThan(1e-4);
    expectClose(last.value, end.optimalValue, tolerance.fixedPoint);
  });
});

describe('partial EM', () => {
  /** Gradient steps as the schedule says them, on one Q and one θ. */
  function iterated(
    { mdp, actionValue: start, stateWeights }: Case,
    kind: Target['kind'],
    schedule: Extract<Schedule, { kind: 'partial' }>,
    iterations: number,
  ) {
    let [actionValue, logits] = [start, new Float64Array(mdp.pairs)];
    const slopeOf = schedule.gradient === 'direct' ? directGradient : residualErrorGradient;
    for (const iteration of range(iterations)) {
      const floor = 0.5 ** iteration;
      const target = targetOf(kind, softmaxPolicy(logits, mdp.actions), floor);
      for (const _ of range(schedule.mSteps)) {
        const slope = slopeOf(mdp, actionValue, target);
        actionValue = actionValue.map((value, h) => value - schedule.valueStep * at(slope, h));
      }
      const left = errorOf(mdp, actionValue, target);
      const temperature = left + (kind === 'annealed' ? floor : 0);
      for (const _ of range(schedule.eSteps)) {
        const slope = eStepGradient({ actionValue, temperature, stateWeights }, logits);
        logits = logits.map((value, h) => value + schedule.policyStep * at(slope, h));
      }
    }
    return { actionValue, policy: softmaxPolicy(logits, mdp.actions) };
  }

  it('descends ε_w, then ascends L, by so many steps each, along either gradient', () => {
    forAllCases(
      (drawn) => {
        const { mdp, actionValue, stateWeights } = drawn;
        for (const gradient of ['direct', 'residual'] as const) {
          for (const kind of KINDS) {
            const schedule = { ...partial, gradient };
            const expected = iterated(drawn, kind, schedule, 3);
            const end = endOf(mdp, 3, { schedule, target: kind, actionValue, stateWeights });
            expectClose(end.actionValue, expected.actionValue, tolerance.rounding);
            expectClose(end.policy, expected.policy, tolerance.fixedPoint);
          }
        }
      },
      { ...small, states: 2, actions: 2, runs: 25 },
    );
  });

  it('moves only the half that has steps', () => {
    const mdp = threeByTwo();
    const actionValue = Float64Array.of(1, 2, 0.5, 1.2, 2.2, 0.3);
    const options = { target: 'optimal', actionValue } as const;
    const noM = endOf(mdp, 2, { ...options, schedule: { ...partial, mSteps: 0 } });
    expect(noM.actionValue).toEqual(actionValue);
    expect(noM.policy).not.toEqual(uniformPolicy(mdp));
    const noE = endOf(mdp, 2, { ...options, schedule: { ...partial, eSteps: 0 } });
    expect(noE.actionValue).not.toEqual(actionValue);
    expect(noE.policy).toEqual(uniformPolicy(mdp));
  });

  it('does not step where what is left, the floor apart, is below the tolerance', () => {
    const mdp = threeByTwo();
    const target = { kind: 'annealed', floor: 1 } as const;
    const settled = mStep(mdp, new Float64Array(6), target);
    const actionValue = settled.map((value, h) => value + 0.01 * (h % 2));
    const left = errorOf(mdp, actionValue, target);
    const run = (toleranceOfRun: number) =>
      runExpectationMaximisation(mdp, {
        schedule: { ...partial, eSteps: 0 },
        target: 'annealed',
        iterations: 1,
        tolerance: toleranceOfRun,
        actionValue,
      });
    expect(run(left * 1.01).actionValue).toEqual(actionValue);
    expect(run(left * 0.99).actionValue).not.toEqual(actionValue);
  });

  it('follows E_π[Q] alone at no residual, without a gradient of what is 0', () => {
    const mdp = threeByTwo();
    const actionValue = optimalActionValue(mdp);
    const schedule = { ...partial, gradient: 'residual' } as const;
    const end = runExpectationMaximisation(mdp, {
      schedule,
      target: 'boltzmann',
      iterations: 1,
      actionValue,
    });
    expect(end.actionValue).toEqual(actionValue);
    const [first] = end.records;
    expect(first).toMatchObject({ residualError: 0, evidenceLowerBound: null, distance: 0 });
    expect(at(end.policy, 1)).toBeGreaterThan(0.5);
  });

  it('comes to Q* along the residual gradient of T*', () => {
    const mdp = threeByTwo();
    const schedule = { ...partial, gradient: 'residual', mSteps: 60, valueStep: 1.5 } as const;
    const end = runExpectationMaximisation(mdp, { schedule, target: 'optimal', iterations: 300 });
    const distances = end.records.map(({ distance }) => distance);
    expect(at(distances, distances.length - 1)).toBeLessThan(0.05 * at(distances, 0));
  });
});

/** That the last record says what Q and π at the end are. */
function expectRecord(mdp: TabularMdp, end: EmTrace, options: EmOptions): void {
  const { actionValue, policy, records } = end;
  const stateWeights = options.stateWeights ?? uniform(mdp.states);
  const record = at(records, records.length - 1);
  const target = targetOf(options.target, policy, record.floor);
  const error = errorOf(mdp, actionValue, target) + record.floor;
  expectClose(record.residualError, error, tolerance.fixedPoint);
  expect(record.iteration).toBe(records.length - 1);

  const over = (f: (s: number) => number) => sumOver(mdp.states, (s) => at(stateWeights, s) * f(s));
  const { of } = reading(mdp);
  const surprise = (p: number) => (p === 0 ? 0 : -p * Math.log(p));
  const entropy = over((s) => sumOver(mdp.actions, (a) => surprise(of(policy)(s, a))));
  expectClose(record.policyEntropy, entropy, tolerance.fixedPoint);
  const own = naivePolicyValue(mdp, policy);
  expectClose(record.value, over(naiveMean(mdp, policy, own)), tolerance.fixedPoint);
  const optimal = optimalActionValue(mdp);
  const distance = Math.max(...actionValue.map((q, h) => Math.abs(q - at(optimal, h))));
  expectClose(record.distance, distance, tolerance.fixedPoint);
  if (record.evidenceLowerBound === null) {
    expect(record.residualError).toBe(0);
    return;
  }
  const temperature = record.residualError;
  const bound = over(naiveMean(mdp, policy, actionValue)) / temperature + entropy;
  expectClose(record.evidenceLowerBound, bound, tolerance.fixedPoint);
  expect(record.evidenceLowerBound).toBe(
    evidenceLowerBound({ actionValue, temperature, policy, stateWeights }),
  );
}

describe('records', () => {
  it('are what Q, π and the floor make them, for every schedule and target', () => {
    const annealing = { start: 0.8, factor: 0.5, every: 1 };
    forAllCases(
      ({ mdp, actionValue, stateWeights }) => {
        for (const schedule of SCHEDULES) {
          for (const kind of KINDS) {
            const options = { schedule, target: kind, annealing, actionValue, stateWeights };
            for (const iterations of [0, 1, 3]) {
              expectRecord(mdp, endOf(mdp, iterations, options), options);
            }
          }
        }
      },
      { states: 2, actions: 2, runs: 8 },
    );
  });

  it('of a longer run begin with those of a shorter one, and no value is above the optimal', () => {
    for (const mdp of [threeByTwo(), chain()]) {
      for (const schedule of SCHEDULES) {
        for (const kind of KINDS) {
          const options = { schedule, target: kind };
          const [short, long] = [endOf(mdp, 2, options), endOf(mdp, 5, options)];
          expect(long.records.slice(0, 3)).toEqual(short.records);
          expect(long.records).toHaveLength(6);
          expect(long.records.map(({ iteration }) => iteration)).toEqual(range(6));
          for (const { value } of long.records) {
            expect(value).toBeLessThanOrEqual(long.optimalValue * (1 + 1e-12));
          }
        }
      }
    }
  });

  it('start from Q = 0, a uniform policy and a uniform d unless told', () => {
    const mdp = threeByTwo();
    const end = endOf(mdp, 0, { schedule: solve, target: 'variational' });
    expect(end.actionValue).toEqual(new Float64Array(6));
    expect(end.policy).toEqual(uniformPolicy(mdp));
    const [first] = end.records;
    const policy = uniformPolicy(mdp);
    const value = naiveMean(mdp, policy, policyActionValue(mdp, policy));
    expectClose(first?.value as number, sumOver(3, value) / 3, tolerance.fixedPoint);
    expectClose(first?.policyEntropy as number, Math.LN2, tolerance.rounding);
    expect(first?.floor).toBe(0);
  });

  it('have a floor only where something is annealed', () => {
    const annealing = { start: 2, factor: 0.5, every: 3 };
    const floors = (schedule: Schedule, target: Target['kind']) =>
      endOf(threeByTwo(), 4, { schedule, target, annealing }).records.map(({ floor }) => floor);
    const lowered = [2, 2, 2, 2, 1];
    for (const kind of KINDS) expect(floors(incremental, kind)).toEqual(lowered);
    for (const schedule of [solve, backup, partial]) {
      expect(floors(schedule, 'annealed')).toEqual(lowered);
      expect(floors(schedule, 'optimal')).toEqual([0, 0, 0, 0, 0]);
    }
  });

  it('end where ε_w is within the tolerance, 1e-12 unless told, or after 50 iterations', () => {
    const mdp = threeByTwo();
    const options = { schedule: backup, target: 'optimal' } as const;
    const whole = runExpectationMaximisation(mdp, options);
    expect(whole.records).toHaveLength(51);
    const errors = whole.records.map(({ residualError }) => residualError);
    const third = at(errors, 3);
    const stopped = runExpectationMaximisation(mdp, { ...options, tolerance: third });
    expect(stopped.records).toHaveLength(4);
    const one = runExpectationMaximisation(mdp, { ...options, iterations: 300 });
    const last = one.records.slice(-2).map(({ residualError }) => residualError);
    expect(at(last, 0)).toBeGreaterThan(1e-12);
    expect(at(last, 1)).toBeLessThanOrEqual(1e-12);
  });
});

describe('bad input of a run', () => {
  const run = (changes: Partial<EmOptions>) => () =>
    runExpectationMaximisation(threeByTwo(), { schedule: solve, target: 'optimal', ...changes });

  it('is named', () => {
    const [short, broken] = [new Float64Array(5), Float64Array.of(0, 0, 0, 0, Number.NaN, 0)];
    expectError(run({ actionValue: short }), 'LENGTH_MISMATCH', 'actionValue: expected 6', 'got 5');
    expectError(run({ actionValue: broken }), 'NOT_FINITE', 'actionValue[4]');
    expectError(run({ stateWeights: short }), 'LENGTH_MISMATCH', 'stateWeights: expected 3');
    const weights = Float64Array.of(0.5, Number.POSITIVE_INFINITY, 0);
    expectError(run({ stateWeights: weights }), 'NOT_FINITE', 'stateWeights[1]');
    const sum = Float64Array.of(0.5, 0.5, 0.5);
    expectError(
      run({ stateWeights: sum }),
      'DISTRIBUTION_INVALID',
      'stateWeights: expected',
      '1.5',
    );
    const kinds = 'optimal, boltzmann, annealed, variational';
    const target = run({ target: 'soft' as never });
    expectError(target, 'KIND_UNKNOWN', `target: expected one of ${kinds}`, 'got soft');
    const schedules = 'complete, partial, incremental';
    const schedule = run({ schedule: { kind: 'whole' } as never });
    expectError(schedule, 'KIND_UNKNOWN', `schedule.kind: expected one of ${schedules}`, 'whole');
    const none = run({ schedule: undefined as never });
    expectError(none, 'KIND_UNKNOWN', 'schedule.kind', 'got undefined');
    const frozen = { start: 0, factor: 0.5, every: 1 };
    const cold = run({ target: 'annealed', annealing: frozen });
    expectError(cold, 'TEMPERATURE_NOT_POSITIVE', 'temperature', 'got 0');
  });
});

describe('a run', () => {
  it('leaves the Q that it starts from alone', () => {
    fc.assert(
      fc.property(fc.constantFrom(...SCHEDULES), fc.constantFrom(...KINDS), (schedule, target) => {
        const actionValue = Float64Array.of(1, 2, 0.5, 1.2, 2.2, 0.3);
        endOf(threeByTwo(), 2, { schedule, target, actionValue });
        expect([...actionValue]).toEqual([1, 2, 0.5, 1.2, 2.2, 0.3]);
      }),
      { numRuns: 40 },
    );
  });
});
