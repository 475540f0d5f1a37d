/** M-step, the parts that say what V is regressed on (m-step.ts). */

import type { StateValueTarget } from '../../algorithms/recipe.js';
import type { Drawn, StepInputs } from './step-inputs.js';

/** y_V for every row, `[B]`; undefined where there is no V. */
export type StateValueTargetPart = (inputs: StepInputs, drawn: Drawn) => Float64Array | undefined;

/** One function per target. */
export const STATE_VALUE_TARGETS: Record<StateValueTarget, StateValueTargetPart> = {
  none: () => undefined,
  actionValue: (inputs, drawn) => inputs.equations.stateValueTarget(smallestValue(inputs, drawn)),
  softActionValue: (inputs, drawn) =>
    inputs.equations.softStateValueTarget(
      smallestValue(inputs, drawn),
      drawn.own!.sample.logDensity,
      inputs.temperature,
    ),
};

/** min_i Q_i(s, ã). */
function smallestValue({ equations }: StepInputs, { own }: Drawn): Float64Array {
  return equations.minimumActionValue(own!.actionValues.map(({ values }) => values)).values;
}
