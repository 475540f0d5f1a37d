import { describe, expect, it } from '@jest/globals';
import { passesOf, updateOperations } from '../../src/bench/arithmetic.js';
import { type ConfigOptions, resolveConfig } from '../../src/config/resolve.js';
import { TASKS } from '../../src/environments/tasks.js';

const operations = (options: ConfigOptions) => {
  const config = resolveConfig(options);
  const task = TASKS.find(({ id }) => id === config.env.id);
  if (task === undefined) throw new Error(config.env.id);
  return updateOperations(config, task);
};

describe('passes of a network', () => {
  it('count each weight once forward, and all but the first layer twice backward', () => {
    const passes = passesOf([2, 3, 5, 1]);
    expect(passes.forward).toBe(2 * 3 + 3 * 5 + 5);
    expect(passes.backward).toBe(passes.forward + 3 * 5 + 5);
    expect(passes.backwardTo(1)).toBe(5 + 5 * 3 + 3);
  });
});

describe('floor of an update', () => {
  // HalfCheetah, 17 observations, 6 actions, two layers of 300, batch 128: counted by hand
  const policy = { forward: 98_700, backward: 98_700 + 90_000 + 3_600 };
  const q = { forward: 97_200, states: 5_100, backward: 97_200 + 90_300, byAction: 90_300 + 1_800 };
  const v = { forward: 95_400, backward: 95_400 + 90_300 };
  const virel =
    policy.forward +
    policy.backward +
    // Q(s, a) and Q(s, ã): what the states give is the same
    2 * q.forward -
    q.states +
    q.backward +
    q.byAction +
    2 * v.forward +
    v.backward;

  it('is that of virel by hand', () => {
    expect(operations({ algorithm: 'virel' })).toBe(2 * 128 * virel);
  });

  it('has 4,096 rows of V and Q more for beta, in every update or in some', () => {
    const residual = 2 * 4096 * (v.forward + q.forward);
    expect(operations({ algorithm: 'beta' })).toBe(2 * 128 * virel + residual);
    const seldom = operations({ algorithm: 'beta', schedule: { residualEvery: 4 } });
    expect(seldom).toBe(2 * 128 * virel + residual / 4);
  });

  it('is that of sac-twin by hand: two Q, their targets at the next action, no V, one derivative of the minimum', () => {
    const twin = operations({
      algorithm: 'sac-twin',
      network: { hidden: [300, 300] },
      replay: { batchSize: 128 },
    });
    const row =
      2 * policy.forward +
      policy.backward +
      2 * (2 * q.forward - q.states + q.backward) +
      q.byAction +
      2 * q.forward;
    expect(twin).toBe(2 * 128 * row);
  });

  it.each(['sac', 'ddpg', 'mpo'] as const)('grows with the batch alone for %s', (algorithm) => {
    const of = (batchSize: number) => operations({ algorithm, replay: { batchSize } });
    expect(of(256)).toBe(2 * of(128));
  });

  it('grows with the actions that mpo samples', () => {
    const of = (samples: number) =>
      operations({
        algorithm: 'mpo',
        eStep: { samples },
        network: { hidden: [300, 300] },
        replay: { batchSize: 128 },
      });
    // at the state and at the next one
    expect(of(11) - of(10)).toBe(2 * 128 * 2 * (q.forward - q.states));
  });

  it('grows with a derivative by each action too where mpo differentiates through them', () => {
    const of = (samples: number) =>
      operations({
        algorithm: 'mpo',
        policyGradient: 'priorDivergence',
        temperature: { kind: 'fixed', temperature: 0.1 },
        eStep: { samples },
        network: { hidden: [300, 300] },
        replay: { batchSize: 128 },
      });
    expect(of(11) - of(10)).toBe(2 * 128 * (2 * (q.forward - q.states) + q.byAction));
  });
});
