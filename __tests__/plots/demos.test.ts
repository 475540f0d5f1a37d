/** What the demos show, as facts. */

import { describe, expect, it } from '@jest/globals';
import {
  DEMOS,
  type DemoScheduleName,
  greedyPolicy,
  NAMED_MDPS,
  policyActionValue,
  sweepTrap,
  type Target,
  TRAP,
  uniformPolicy,
} from '../../src/theory/index.js';

/** Some hundred roundings of values up to 17. */
const ROUNDING = 1e-12;

const demos = NAMED_MDPS.map(({ name, make }) => {
  const result = DEMOS.find((demo) => demo.name === name)?.run();
  if (result === undefined) throw new Error(`no demo of ${name}`);
  const traceOf = (schedule: DemoScheduleName, target: Target['kind']) => {
    const found = result.traces.find(
      (each) => each.schedule === schedule && each.options.target === target,
    );
    if (found === undefined) throw new Error(`${name}: no trace of ${schedule}, ${target}`);
    return found.trace;
  };
  return { name, mdp: make(), result, traceOf };
});

describe.each(demos.map((demo) => [demo.name, demo] as const))('EM on %s', (_, demo) => {
  const { mdp, result, traceOf } = demo;

  it('ends by its tolerance with every schedule and target', () => {
    expect(result.traces).toHaveLength(16);
    for (const { trace, options } of result.traces) {
      expect(trace.records.at(-1)?.residualError).toBeLessThanOrEqual(options.tolerance ?? 0);
    }
  });

  it('never has a value above the optimum, and ends near it', () => {
    for (const { trace } of result.traces) {
      const values = trace.records.map(({ value }) => value);
      expect(Math.max(...values)).toBeLessThanOrEqual(trace.optimalValue + ROUNDING);
      const [first = Number.NaN, last = Number.NaN] = [values[0], values.at(-1)];
      // partial E-steps end a little before the greedy policy
      expect(trace.optimalValue - last).toBeLessThan(0.02 * (trace.optimalValue - first));
    }
  });

  it('is policy iteration when complete, solved and variational (39), (40), and reaches Q*', () => {
    const trace = traceOf('complete, solve', 'variational');
    let policy = uniformPolicy(mdp);
    let actionValue = new Float64Array(mdp.pairs);
    for (const [index, record] of trace.records.entries()) {
      if (index > 0) {
        actionValue = policyActionValue(mdp, policy) as Float64Array<ArrayBuffer>;
        policy = greedyPolicy(actionValue, mdp.actions);
        const before = trace.records[index - 1]?.value ?? Number.NaN;
        expect(record.value).toBeGreaterThanOrEqual(before - ROUNDING);
      }
    }
    expect(trace.records.length).toBeLessThanOrEqual(5);
    expect([...trace.actionValue]).toEqual([...actionValue]);
    expect([...trace.policy]).toEqual([...policy]);
    expect(trace.records.at(-1)?.distance).toBeLessThan(ROUNDING);
  });

  it('is done in one iteration where the M-step solves for T* or the Boltzmann target', () => {
    for (const target of ['optimal', 'boltzmann'] as const) {
      const { records } = traceOf('complete, solve', target);
      expect(records).toHaveLength(2);
      expect(records[1]?.distance).toBeLessThan(ROUNDING);
    }
  });

  it('is value iteration when complete with backups of T*: a γ-contraction (41)', () => {
    const { records } = traceOf('complete, backup', 'optimal');
    for (const [index, { distance }] of records.entries()) {
      const before = records[index - 1]?.distance ?? Number.POSITIVE_INFINITY;
      expect(distance).toBeLessThanOrEqual(mdp.discount * before + ROUNDING);
    }
  });

  it('keeps the residual error above the floor, and the policy softer, when incremental (F.2)', () => {
    for (const target of ['optimal', 'boltzmann', 'annealed', 'variational'] as const) {
      const { records } = traceOf('incremental', target);
      for (const { residualError, floor } of records) {
        expect(residualError).toBeGreaterThanOrEqual(floor);
      }
      const complete = traceOf('complete, backup', 'optimal').records[1];
      expect(records[1]?.policyEntropy).toBeGreaterThan(complete?.policyEntropy ?? Number.NaN);
    }
  });

  it('has an infinite bound at no residual error, and only there', () => {
    for (const { trace } of result.traces) {
      for (const { residualError, evidenceLowerBound } of trace.records) {
        expect(evidenceLowerBound === null).toBe(residualError === 0);
      }
    }
  });
});

describe('the counter-example over temperatures', () => {
  const { points, critical, complete } = sweepTrap();
  const { payoff, branches, discount } = TRAP;
  const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

  it('is by rising temperature, c* among them', () => {
    const temperatures = points.map(({ temperature }) => temperature);
    expect(temperatures).toEqual([...temperatures].sort((one, other) => one - other));
    expect(temperatures).toContain(critical);
  });

  it('goes from 0.001 to 10 by 24 equal factors a decade', () => {
    const even = points.map(({ temperature }) => temperature).filter((each) => each !== critical);
    expect(even).toHaveLength(4 * 24 + 1);
    even.forEach((temperature, step) => {
      expect(Math.log10(temperature)).toBeCloseTo(-3 + step / 24, 12);
    });
  });

  it('has maximum-entropy RL prefer the good way below c* alone', () => {
    for (const { temperature, maximumEntropy } of points) {
      if (temperature < critical) expect(maximumEntropy).toBeGreaterThan(0.5);
      if (temperature > critical) expect(maximumEntropy).toBeLessThan(0.5);
    }
  });

  it('has maximum-entropy RL cross one half at c*, but for what a miss adds at a payoff of 0', () => {
    const at = points.find(({ temperature }) => temperature === critical)?.maximumEntropy;
    // k − 1 misses add log(1 + (k − 1) exp(−1/c)) to the soft value of one good action
    const added = discount * Math.log1p((branches - 1) * Math.exp(-1 / critical));
    expect(added).toBeLessThan(2e-12);
    expect(Math.abs((at ?? Number.NaN) - sigmoid(added))).toBeLessThan(ROUNDING);
  });

  it('has VIREL prefer the good way at every temperature, by its hard values', () => {
    for (const { temperature, virel } of points) {
      expect(virel).toBeGreaterThan(0.5);
      const closed = sigmoid((discount * (1 - payoff)) / temperature);
      expect(Math.abs(virel - closed)).toBeLessThan(ROUNDING);
    }
  });

  it('has complete EM end certain of the good way', () => {
    expect(complete).toBe(1);
  });
});
