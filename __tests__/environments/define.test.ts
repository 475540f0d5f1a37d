/** What a definition may say; everything else is refused at once, naming the field. */
import { describe, expect, it } from '@jest/globals';
import { defineEnvironment, type EnvironmentDefinition } from '../../src/environments/define.js';

const whole = {
  observationSize: 3,
  actionSize: 2,
  reset: () => [0, 0, 0],
  step: () => ({ observation: [0, 0, 0], reward: 0, terminated: false }),
};

/** The definition with changed fields, right or wrong. */
const define = (changes: object) =>
  defineEnvironment({ ...whole, ...changes } as EnvironmentDefinition);

function refusal(definition: unknown) {
  try {
    defineEnvironment(definition as EnvironmentDefinition);
  } catch (error) {
    const { code, message, where, expected, got, fix, exit } = error as Record<string, unknown>;
    return { code, message, where, expected, got, fix, exit };
  }
  throw new Error('it was accepted');
}

describe('defineEnvironment', () => {
  it('fills in name, bounds and limit, and freezes all of it', () => {
    const environment = define({});
    expect(environment).toMatchObject({
      id: 'custom',
      observationSize: 3,
      actionSize: 2,
      actionLow: [-1, -1],
      actionHigh: [1, 1],
      maxEpisodeSteps: 1000,
    });
    expect(Object.isFrozen(environment)).toBe(true);
    expect(Object.isFrozen(environment.actionLow)).toBe(true);
  });

  it('takes one bound for all dimensions or one for each, of any array', () => {
    expect(define({ actionLow: -2, actionHigh: Float32Array.of(0.5, 3) })).toMatchObject({
      actionLow: [-2, -2],
      actionHigh: [0.5, 3],
    });
  });

  it('may be spread into another definition', () => {
    const environment = define({ id: 'one' });
    expect(defineEnvironment({ ...environment, maxEpisodeSteps: 5 })).toMatchObject({
      id: 'one',
      maxEpisodeSteps: 5,
    });
  });

  it('calls the functions as methods, so that an instance of a class will do', () => {
    class Counter {
      observationSize = 1;
      actionSize = 1;
      steps = 0;
      reset() {
        this.steps = 0;
        return [this.steps];
      }
      step() {
        this.steps += 1;
        return { observation: [this.steps], reward: 1, terminated: false };
      }
    }
    const { step } = defineEnvironment(new Counter());
    step?.(Float64Array.of(0), {} as never);
    expect(step?.(Float64Array.of(0), {} as never).observation).toEqual([2]);
  });

  it.each([
    ['observationSize', 0],
    ['observationSize', 2.5],
    ['observationSize', '3'],
    ['observationSize', Number.NaN],
    ['observationSize', 65_537],
    ['observationSize', undefined],
    ['actionSize', -1],
    ['actionSize', null],
    ['actionSize', Infinity],
    ['maxEpisodeSteps', 0],
    ['maxEpisodeSteps', Infinity],
    ['maxEpisodeSteps', 1.5],
    ['id', ''],
    ['id', '../up'],
    ['id', 'a/b'],
    ['id', 7],
    ['id', 'x'.repeat(65)],
    ['id', 'Hopper-v5'],
    ['actionLow', '-1'],
    ['actionLow', Number.NaN],
    ['actionHigh', Infinity],
    ['actionHigh', 1e31],
    ['actionHigh', [1]],
    ['actionHigh', [1, 1, 1]],
    ['reset', undefined],
    ['reset', 3],
    ['step', undefined],
    ['step', 'go'],
    ['create', 3],
  ])('refuses %s %p', (field, value) => {
    const error = refusal({ ...whole, [field]: value });
    expect(error).toMatchObject({ code: 'ENV_INVALID', exit: 2 });
    expect(error.where).toBe(`defineEnvironment: ${field}`);
    for (const part of ['expected', 'got', 'fix'] as const) expect(error[part]).toBeTruthy();
    expect(error.message).toContain(`${error.expected}, got ${error.got}`);
  });

  it.each([
    ['actionLow[1]', { actionLow: [-1, Number.NaN] }],
    ['actionHigh[0]', { actionHigh: ['1', 1] }],
    ['actionHigh[1]', { actionLow: [0, 1], actionHigh: [1, 1] }],
    ['actionHigh[0]', { actionLow: 2 }],
  ])('refuses a wrong bound by its index: %s', (field, changes) => {
    expect(refusal({ ...whole, ...changes })).toMatchObject({
      code: 'ENV_INVALID',
      where: `defineEnvironment: ${field}`,
    });
  });

  it('refuses create beside reset and step', () => {
    const error = refusal({ ...whole, create: () => whole });
    expect(error).toMatchObject({ where: 'defineEnvironment: reset', got: 'a function' });
  });

  it('refuses a misspelt field whose default would stand instead', () => {
    expect(refusal({ ...whole, maxEpisodesSteps: 5 })).toMatchObject({
      code: 'ENV_INVALID',
      got: 'maxEpisodesSteps',
      fix: 'did you mean maxEpisodeSteps?',
    });
    // state of its own is none of our business
    expect(() => define({ steps: 0, x: 1, velocity: 2 })).not.toThrow();
  });

  it.each([[undefined], [null], [3], ['pendulum'], [() => whole]])('refuses %p', (definition) => {
    expect(refusal(definition)).toMatchObject({ code: 'ENV_INVALID' });
  });
});
