/** M-step, the parts that say what follows a transition: next(s′) of bellman.ts, by the online or the target networks. */

import type { ActionValueTarget } from '../../algorithms/recipe.js';
import type { Critics } from '../networks/networks.js';
import { stateValueForward } from '../networks/state-value.js';
import { drawActions, modeActions, type StepInputs } from './step-inputs.js';

/** next(s′) for every row of the batch, `[B]`, read from `critics`. */
export type NextValue = (inputs: StepInputs, critics: Critics) => Float64Array;

/** One function per target. */
export const NEXT_VALUES: Record<ActionValueTarget, NextValue> = {
  stateValue: ({ batch }, { stateValue }) =>
    stateValueForward(stateValue!, batch.nextObservations).values,

  softActionValue(inputs, { actionValues }) {
    const { equations, networks, temperature } = inputs;
    const next = drawActions(equations, networks.policy, actionValues, nextStates(inputs), 1);
    const smallest = equations.minimumActionValue(next.actionValues.map(({ values }) => values));
    return equations.softNextValue(smallest.values, next.sample.logDensity, temperature);
  },

  targetPolicy(inputs, { actionValues, policy }) {
    const next = modeActions(inputs.equations, policy!, actionValues, nextStates(inputs));
    return next.actionValues[0]!.values;
  },

  priorPolicy(inputs, { actionValues }) {
    const { equations, networks, config } = inputs;
    const { samples } = config.eStep;
    const next = drawActions(
      equations,
      networks.priorPolicy!,
      actionValues,
      nextStates(inputs),
      samples,
    );
    return equations.meanNextValue(next.actionValues[0]!.values, samples);
  },
};

/** Q(s′, ã′), ã′ ~ π_θ: what the projected M-step follows, of the online networks at all times. */
export const sampledNextValue: NextValue = (inputs) => {
  const { equations, networks } = inputs;
  const next = drawActions(
    equations,
    networks.policy,
    networks.actionValues,
    nextStates(inputs),
    1,
  );
  return next.actionValues[0]!.values;
};

/** s′ and its noise. */
export function nextStates({ batch, noise }: StepInputs) {
  return { rows: batch.rows, observations: batch.nextObservations, noise: noise.nextState };
}
