/** The order of an observation as exports state it, against observations of the native tasks. */
import { describe, expect, it } from '@jest/globals';
import { observationOrder } from '../../src/environments/observation-order.js';
import { OPTIONS } from '../../src/environments/task-options.js';
import { TASKS } from '../../src/environments/tasks.js';
import { Environment } from '../../src/native/environment.js';

/** Values of a row of MuJoCo's arrays that are not one wide. */
const WIDTHS: Readonly<Record<string, number>> = { cinert: 10, cvel: 6, cfrc_ext: 6 };
const maps: Readonly<Record<string, (value: number) => number>> = {
  sin: Math.sin,
  cos: Math.cos,
  clip: (value) => Math.min(10, Math.max(-10, value)),
};

/** `clip(qvel[0:6], -10, 10)` taken apart. */
function parse(run: string) {
  const [, from = '', to = ''] = /\[(\d+):(\d+)\]/.exec(run) ?? [];
  const array = /(\w+)(?:\[|\)\[)/.exec(run)?.[1] ?? '';
  const map = /^(\w+)\(/.exec(run)?.[1];
  const rows = Number(to) - Number(from);
  return { from: Number(from), rows, array, map, size: rows * (WIDTHS[array] ?? 1) };
}

const sizeOf = (runs: readonly string[]) => runs.reduce((total, run) => total + parse(run).size, 0);

/** Every flag of a task that changes its observation, turned from its default. */
const cases = TASKS.flatMap(({ id, modelFile }) =>
  [undefined, ...Object.keys(OPTIONS[id]?.observation ?? {})].map((flag) => ({
    id,
    options: flag === undefined ? {} : { [flag]: OPTIONS[id]?.defaults[flag] === false },
    shipped: modelFile !== '',
  })),
);

describe('observationOrder', () => {
  it.each(cases.filter(({ shipped }) => shipped))('$id $options', ({ id, options }) => {
    const environment = Environment.create(id, options);
    const runs = observationOrder(id, options);
    expect(sizeOf(runs)).toBe(environment.observationSize);
    environment.reset(3);
    const { observation } = environment.step(environment.actionHigh);
    const held = { qpos: environment.qpos, qvel: environment.qvel };
    let place = 0;
    for (const run of runs) {
      const { array, map, from, rows, size } = parse(run);
      if (array === 'qpos' || array === 'qvel') {
        const change = maps[map ?? ''] ?? ((value: number) => value);
        const expected = held[array].slice(from, from + rows).map(change);
        expect([run, ...observation.slice(place, place + size)]).toEqual([run, ...expected]);
      }
      place += size;
    }
    environment.dispose();
  });

  it("has rllab's sizes, and nothing for environments of the user's", () => {
    for (const { id, observationSize } of TASKS) {
      if (id.endsWith('-rllab')) expect(sizeOf(observationOrder(id, {}))).toBe(observationSize);
    }
    expect(observationOrder('pendulum', {})).toEqual([]);
    expect(observationOrder('toString', {})).toEqual([]);
    expect(observationOrder('Hopper-v5', { taskFile: 'task.json' })).toEqual([]);
  });

  it('follows the limits of contact forces', () => {
    const limits = { contactForceRange: [null, 2] as const };
    expect(observationOrder('Ant-v5', limits).at(-1)).toBe('clip(cfrc_ext[1:14], -inf, 2)');
  });
});
