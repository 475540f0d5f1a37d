import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { resolveConfig } from '../../src/config/resolve.js';
import { emSchedule, nextMultiple, type Plan } from '../../src/schedule/em-schedule.js';
import { FIRST_CHUNK, nextChunk } from '../../src/schedule/pace.js';

const partial = (envSteps: number, mSteps = 1, eSteps = 1) =>
  emSchedule({ kind: 'partial', envSteps, mSteps, eSteps, residualEvery: 1, targetEvery: 1 });

/** Every plan from the start to `steps`, with chunks of the given sizes in turn. */
function plans(envSteps: number, steps: number, every: number, chunks: readonly number[]) {
  const schedule = partial(envSteps);
  const all: { from: number; to: number; plan: Plan }[] = [];
  let step = 0;
  for (let turn = 0; step < steps; turn += 1) {
    const due = [nextMultiple(every, step), steps];
    const plan = schedule.next({ step, due }, chunks[turn % chunks.length] as number);
    const to = step + plan.repeat * envSteps;
    all.push({ from: step, to, plan });
    step = to;
  }
  return all;
}

const sizes = fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 5 });
const scenario = fc.record({
  envSteps: fc.integer({ min: 1, max: 20 }),
  iterations: fc.integer({ min: 1, max: 3000 }),
  every: fc.integer({ min: 1, max: 3000 }),
  chunks: sizes,
});

describe('EM schedule', () => {
  it('of the paper is one environment step, one M-step, one E-step', () => {
    const { phases } = emSchedule(resolveConfig().schedule);
    expect(phases).toEqual([{ collect: 1 }, { update: { mSteps: 1, eSteps: 1 } }]);
  });

  it('carries the numbers it was given', () => {
    expect(partial(4, 3, 2).phases).toEqual([{ collect: 4 }, { update: { mSteps: 3, eSteps: 2 } }]);
  });

  it('sums to the total, whatever the chunks', () => {
    fc.assert(
      fc.property(scenario, ({ envSteps, iterations, every, chunks }) => {
        const all = plans(envSteps, envSteps * iterations, every, chunks);
        expect(all.reduce((sum, { plan }) => sum + plan.repeat, 0)).toBe(iterations);
      }),
    );
  });

  it('never runs past the iteration in which something is due', () => {
    fc.assert(
      fc.property(scenario, ({ envSteps, iterations, every, chunks }) => {
        const all = plans(envSteps, envSteps * iterations, every, chunks);
        expect(all.filter(({ from, to }) => to >= nextMultiple(every, from) + envSteps)).toEqual(
          [],
        );
      }),
    );
  });

  it('meets the same points with any chunks', () => {
    const points = (
      chunks: readonly number[],
      { envSteps, iterations, every }: { envSteps: number; iterations: number; every: number },
    ) =>
      plans(envSteps, envSteps * iterations, every, chunks)
        .map(({ from, to }) => ({ to, met: to >= nextMultiple(every, from) }))
        .filter(({ met }) => met)
        .map(({ to }) => to);
    fc.assert(
      fc.property(scenario, sizes, (setting, others) => {
        expect(points(setting.chunks, setting)).toEqual(points(others, setting));
      }),
    );
  });

  it('hands over at most the chunk, and at least one iteration', () => {
    fc.assert(
      fc.property(scenario, ({ envSteps, iterations, every, chunks }) => {
        const all = plans(envSteps, envSteps * iterations, every, chunks);
        const fits = ({ repeat }: Plan, turn: number) =>
          repeat >= 1 && repeat <= (chunks[turn % chunks.length] as number);
        expect(all.every(({ plan }, turn) => fits(plan, turn))).toBe(true);
      }),
    );
  });
});

describe('pace', () => {
  it('settles where a call lasts 10 to 100 ms, for any speed', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.001, max: 50, noNaN: true }), (millisecondsEach) => {
        let chunk = FIRST_CHUNK;
        for (let call = 0; call < 30; call += 1) chunk = nextChunk(chunk, chunk * millisecondsEach);
        const lasts = chunk * millisecondsEach;
        expect(lasts).toBeLessThanOrEqual(100);
        expect(lasts).toBeGreaterThanOrEqual(10);
      }),
    );
  });

  it('is one iteration where a single one lasts longer', () => {
    expect(nextChunk(1, 5000)).toBe(1);
    expect(nextChunk(4, 5000)).toBe(1);
  });

  it('at most doubles, also after a call too short to time', () => {
    expect(nextChunk(8, 0)).toBe(16);
  });
});
