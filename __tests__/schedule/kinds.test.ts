import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { emSchedule, nextMultiple } from '../../src/schedule/em-schedule.js';
import { residualFloorAt } from '../../src/schedule/incremental.js';

const cadence = { residualEvery: 1, targetEvery: 1 } as const;

describe('complete EM (F.5)', () => {
  const complete = emSchedule({
    kind: 'complete',
    envSteps: 1000,
    tolerance: 0.01,
    maxSteps: 500,
    ...cadence,
  });

  it('collects, then converges M, then E, with the tolerance and cap it was given', () => {
    expect(complete.phases).toEqual([
      { collect: 1000 },
      { converge: { part: 'm', tolerance: 0.01, maxSteps: 500 } },
      { converge: { part: 'e', tolerance: 0.01, maxSteps: 500 } },
    ]);
  });

  it('plans whole iterations to the next point that is due, without a floor', () => {
    const plan = complete.next({ step: 1000, due: [4000, 9000] }, 100);
    expect(plan).toEqual({ repeat: 3, phases: complete.phases });
    // a point inside an iteration is reached by completing it
    expect(complete.next({ step: 1000, due: [1001] }, 100).repeat).toBe(1);
  });
});

describe('incremental EM (F.2)', () => {
  const stages = { floor: 2, factor: 0.5, every: 60 };
  const incremental = emSchedule({
    kind: 'incremental',
    envSteps: 3,
    mSteps: 2,
    eSteps: 1,
    ...stages,
    ...cadence,
  });

  it('has the phases of partial EM', () => {
    expect(incremental.phases).toEqual([{ collect: 3 }, { update: { mSteps: 2, eSteps: 1 } }]);
  });

  it('adds floor x factor^stage: 2, 1, 1/2, ... by steps', () => {
    const floors = [0, 59, 60, 119, 120, 600].map((step) => residualFloorAt(stages, step));
    expect(floors).toEqual([2, 2, 1, 1, 0.5, 2 / 1024]);
  });

  it('never plans over the end of a stage, and gives each plan the floor of its stage', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 1, max: 500 }),
        (chunks, every) => {
          const steps = 600;
          for (let step = 0, turn = 0; step < steps; turn += 1) {
            const due = [nextMultiple(every, step), steps];
            const plan = incremental.next({ step, due }, chunks[turn % chunks.length] as number);
            const end = step + 3 * plan.repeat;
            expect(end).toBeLessThanOrEqual(nextMultiple(60, step));
            expect(plan.residualFloor).toBe(residualFloorAt(stages, step));
            step = end;
          }
        },
      ),
    );
  });

  it('adds up to the same steps under each floor, whatever the chunks', () => {
    const stepsUnder = (chunks: readonly number[]) => {
      const under = new Map<number, number>();
      for (let step = 0, turn = 0; step < 600; turn += 1) {
        const plan = incremental.next({ step, due: [600] }, chunks[turn % chunks.length] as number);
        const floor = plan.residualFloor ?? 0;
        under.set(floor, (under.get(floor) ?? 0) + 3 * plan.repeat);
        step += 3 * plan.repeat;
      }
      return [...under];
    };
    const whole = stepsUnder([1000]);
    expect(whole).toHaveLength(10);
    expect(whole.every(([, steps]) => steps === 60)).toBe(true);
    expect(stepsUnder([1, 7, 3])).toEqual(whole);
  });
});

describe('partial EM (F.3)', () => {
  it('has no floor', () => {
    const partial = emSchedule({ kind: 'partial', envSteps: 1, mSteps: 1, eSteps: 1, ...cadence });
    expect(partial.next({ step: 0, due: [10] }, 4)).not.toHaveProperty('residualFloor');
  });
});
