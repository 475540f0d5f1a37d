/** E-step, the parts that train the temperature: the losses of temperature.ts with what they read of a step. */

import type { TrainedTemperature } from '../../algorithms/recipe.js';
import type { DualName } from '../networks/networks.js';
import type { DualVariable } from '../temperature.js';
import type { Drawn, StepInputs } from './step-inputs.js';

/** Losses of what is trained and their gradients by it, by name; none where nothing is. */
export interface TemperatureGradients {
  losses: { temperature?: number; meanMultiplier?: number; covarianceMultiplier?: number };
  gradients: Partial<Record<DualName, Float64Array>>;
}

/** The gradients of a trained temperature. */
export type TrainedTemperaturePart = (inputs: StepInputs, drawn: Drawn) => TemperatureGradients;

/** One function per kind. */
export const TRAINED_TEMPERATURES: Record<TrainedTemperature, TrainedTemperaturePart> = {
  none: () => ({ losses: {}, gradients: {} }),
  tuned,
  dual,
};

/** Towards the target entropy, by the policy loss's own ã. */
function tuned(
  { equations, config, batch, temperature }: StepInputs,
  drawn: Drawn,
): TemperatureGradients {
  if (config.temperature.kind !== 'tuned') return { losses: {}, gradients: {} };
  const { loss, gradient } = equations.tunedTemperatureLoss(
    drawn.own!.sample.logDensity,
    temperature,
    config.temperature.targetEntropy ?? -drawn.own!.sample.action.length / batch.rows,
  );
  return {
    losses: { temperature: loss },
    gradients: { logTemperature: Float64Array.of(gradient) },
  };
}

/** Towards the KL bounds, by π_φ's actions. */
function dual(
  { equations, networks, config, batch, temperature }: StepInputs,
  drawn: Drawn,
): TemperatureGradients {
  if (config.temperature.kind !== 'dual') return { losses: {}, gradients: {} };
  const { klBound, meanKlBound, covarianceKlBound } = config.temperature;
  const { policy } = drawn;
  const { policy: prior, actionValues } = drawn.prior!;

  const ofTemperature = equations.dualVariable(networks.duals.dualTemperature!);
  const ofMean = equations.dualVariable(networks.duals.meanMultiplier!);
  const ofCovariance = equations.dualVariable(networks.duals.covarianceMultiplier!);

  const byTemperature = equations.dualTemperatureLoss(
    actionValues[0]!.values,
    temperature,
    config.eStep.samples,
    klBound,
  );
  const byMean = equations.multiplierLoss(
    ofMean.values,
    equations.meanDivergence(policy, prior, batch.rows).values,
    meanKlBound,
  );
  const byCovariance = equations.multiplierLoss(
    ofCovariance.values,
    equations.covarianceDivergence(policy, prior, batch.rows).values,
    covarianceKlBound,
  );
  return {
    losses: {
      temperature: byTemperature.loss,
      meanMultiplier: byMean.loss,
      covarianceMultiplier: byCovariance.loss,
    },
    gradients: {
      dualTemperature: byTrained(ofTemperature, Float64Array.of(byTemperature.gradient)),
      meanMultiplier: byTrained(ofMean, byMean.gradient),
      covarianceMultiplier: byTrained(ofCovariance, byCovariance.gradient),
    },
  };
}

/** The gradient by x from that by T or m. */
function byTrained({ slope }: DualVariable, gradient: Float64Array): Float64Array {
  return gradient.map((value, i) => value * slope[i]!);
}
