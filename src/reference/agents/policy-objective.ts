/** E-step, the parts that train π_θ: each loss of e-step.ts with its way back to μ_θ and log σ_θ. */

import type { PolicyCritic, PolicyObjective } from '../../algorithms/recipe.js';
import { actionGradient, type CriticValue } from '../networks/action-value.js';
import { policyForward } from '../networks/policy.js';
import { repeatRows, sumRepeats } from '../networks/repeat.js';
import { stateValueForward } from '../networks/state-value.js';
import type { TanhGaussianGradient } from '../tanh-gaussian.js';
import type { Drawn, DrawnActions, StepInputs } from './step-inputs.js';

/** A policy loss without its regulariser, and its gradient by μ_θ(s) and log σ_θ(s), `[B, A]`. */
export interface ObjectiveGradient extends TanhGaussianGradient {
  loss: number;
}

/** A policy objective; `critic` says which Q it reads. */
export type Objective = (
  inputs: StepInputs,
  drawn: Drawn,
  critic: PolicyCritic,
) => ObjectiveGradient;

/** One function per objective. */
export const OBJECTIVES: Record<PolicyObjective, Objective> = {
  reparameterised,
  score,
  deterministic,
  weightedLikelihood,
  priorDivergence,
};

/** The gradient flows through ã into Q, whose weights are constants, and through log π. */
function reparameterised(
  inputs: StepInputs,
  drawn: Drawn,
  critic: PolicyCritic,
): ObjectiveGradient {
  const { equations, temperature } = inputs;
  const own = drawn.own!;
  const value = criticValue(inputs, own, critic);
  const { loss, gradient } = equations.reparameterisedLoss(
    { logDensity: own.sample.logDensity, sampledActionValue: value.values },
    temperature,
  );
  const byAction = criticActionGradient(inputs, own, value, gradient.sampledActionValue);
  return {
    loss,
    ...equations.policySampleGradient(own.sample, gradient.logDensity, byAction),
  };
}

/** ã and its factor are constants: the gradient flows through log π alone. */
function score(inputs: StepInputs, drawn: Drawn, critic: PolicyCritic): ObjectiveGradient {
  const { equations, networks, batch, temperature } = inputs;
  const own = drawn.own!;
  const { policy, sample } = own;
  const sampledActionValue = criticValue(inputs, own, critic).values;
  const stateValue = stateValueForward(networks.stateValue!, batch.observations).values;
  const { loss, gradient } = equations.scoreLoss(
    { logDensity: sample.logDensity, sampledActionValue, stateValue },
    temperature,
  );
  const { mean, logStd } = equations.policyDensityGradient(
    sample.preTanh,
    policy.mean,
    policy.logStd,
    gradient.logDensity,
  );
  return { loss, mean, logStd };
}

/** The gradient flows through tanh μ into Q. */
function deterministic(inputs: StepInputs, drawn: Drawn, critic: PolicyCritic): ObjectiveGradient {
  const { equations, batch } = inputs;
  const own = drawn.own!;
  const value = criticValue(inputs, own, critic);
  const { loss, gradient } = equations.deterministicLoss(value.values);
  const byAction = criticActionGradient(inputs, own, value, gradient.sampledActionValue);
  const { mean } = equations.policySampleGradient(
    own.sample,
    new Float64Array(batch.rows),
    byAction,
  );
  return { loss, mean, logStd: new Float64Array(0) };
}

/** π_φ's actions and their weights are constants; with trained multipliers the KL divergences are added. */
function weightedLikelihood(inputs: StepInputs, drawn: Drawn): ObjectiveGradient {
  const { equations, config, batch, temperature } = inputs;
  const { samples } = config.eStep;
  const { policy } = drawn;
  const prior = drawn.prior!;
  const repeated = (values: Float64Array) => repeatRows(values, batch.rows, samples);
  const [mean, logStd] = [repeated(policy.mean), repeated(policy.logStd)];

  const weights = equations.boltzmannWeights(prior.actionValues[0]!.values, temperature, samples);
  const { preTanh } = prior.sample;
  const fit = equations.weightedLikelihoodLoss(
    equations.policyDensity(preTanh, mean, logStd, batch.rows * samples),
    weights,
    samples,
  );
  const byDensity = equations.policyDensityGradient(preTanh, mean, logStd, fit.gradient.logDensity);
  const penalties = divergencePenalties(inputs, drawn);
  return {
    loss: fit.loss + penalties.loss,
    mean: add(sumRepeats(byDensity.mean, batch.rows, samples), penalties.mean),
    logStd: add(sumRepeats(byDensity.logStd, batch.rows, samples), penalties.logStd),
  };
}

/** The gradient flows through ã_k into Q and into both densities. */
function priorDivergence(
  inputs: StepInputs,
  drawn: Drawn,
  critic: PolicyCritic,
): ObjectiveGradient {
  const { equations, networks, config, batch, temperature } = inputs;
  const { samples } = config.eStep;
  const own = drawn.own!;
  const prior = policyForward(networks.priorPolicy!, batch.observations);
  const repeated = (values: Float64Array) => repeatRows(values, batch.rows, samples);
  const [priorMean, priorLogStd] = [repeated(prior.mean), repeated(prior.logStd)];
  const { preTanh, logDensity, deviation } = own.sample;

  const value = criticValue(inputs, own, critic);
  const { loss, gradient } = equations.priorDivergenceLoss(
    {
      logDensity,
      priorLogDensity: equations.policyDensity(
        preTanh,
        priorMean,
        priorLogStd,
        batch.rows * samples,
      ),
      sampledActionValue: value.values,
    },
    temperature,
  );

  // through log π_θ and Q at ã, then through u into log π_φ
  const byAction = criticActionGradient(inputs, own, value, gradient.sampledActionValue);
  const bySample = equations.policySampleGradient(own.sample, gradient.logDensity, byAction);
  const byPrior = equations.policyDensityGradient(
    preTanh,
    priorMean,
    priorLogStd,
    gradient.priorLogDensity,
  ).preTanh;
  const byDeviation = byPrior.map((value, i) => value * deviation[i]!);
  return {
    loss,
    mean: sumRepeats(add(bySample.mean, byPrior), batch.rows, samples),
    logStd: sumRepeats(add(bySample.logStd, byDeviation), batch.rows, samples),
  };
}

/** Σ_i m_i KL_i of mean and covariance from π_φ, m constants; nothing where no multiplier is trained. */
function divergencePenalties(
  { equations, networks, batch }: StepInputs,
  { policy, prior }: Drawn,
): ObjectiveGradient {
  const { meanMultiplier, covarianceMultiplier } = networks.duals;
  if (meanMultiplier === undefined || covarianceMultiplier === undefined) {
    const none = new Float64Array(policy.mean.length);
    return { loss: 0, mean: none, logStd: none };
  }
  const penalty = (divergence: typeof equations.meanDivergence, trained: Float64Array) => {
    const multiplier = equations.dualVariable(trained).values;
    const { values, gradient } = divergence(policy, prior!.policy, batch.rows);
    const loss = values.reduce((sum, value, i) => sum + multiplier[i]! * value, 0);
    return { loss, gradient: gradient(multiplier) };
  };
  const mean = penalty(equations.meanDivergence, meanMultiplier);
  const covariance = penalty(equations.covarianceDivergence, covarianceMultiplier);
  return {
    loss: mean.loss + covariance.loss,
    mean: mean.gradient,
    logStd: covariance.gradient,
  };
}

/** Q as the policy's loss reads it. */
function criticValue(
  { equations }: StepInputs,
  { actionValues }: DrawnActions,
  critic: PolicyCritic,
): CriticValue {
  const values = actionValues.map((pass) => pass.values);
  return critic === 'first'
    ? equations.firstActionValue(values)
    : equations.minimumActionValue(values);
}

/** The gradient by the action, `[B, A]`: that of each row's own Q. */
function criticActionGradient(
  { networks, batch }: StepInputs,
  { actionValues, policy }: DrawnActions,
  { source }: CriticValue,
  valueGradient: Float64Array,
): Float64Array {
  const actionSize = policy.mean.length / batch.rows;
  const parts = actionValues.map((pass, i) => {
    const own = valueGradient.map((value, b) => (source[b] === i ? value : 0));
    return actionGradient(networks.actionValues[i]!, pass, own, actionSize);
  });
  return parts.reduce(add);
}

function add(left: Float64Array, right: Float64Array): Float64Array {
  return left.map((value, i) => value + right[i]!);
}
