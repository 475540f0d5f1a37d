/**
 * The sections of a config that come in kinds: `kind` says which other keys such a section has. The keys of every kind
 * are keys of the schema, so that presets give a value for each of them and `--set temperature.kind=fixed` alone is
 * complete; the keys of the kinds that were not chosen are left out of a resolved config.
 */
import * as z from 'zod';
import { count, countOrZero, factor, MOST_STEPS, positive, rate } from './numbers.js';

const kind = <const Name extends string>(name: Name, description: string) => ({
  kind: z.literal(name).meta({ description }),
});

const trained = {
  learningRate: rate('Adam rate of what is trained with the temperature'),
  initial: positive('temperature at the start'),
};

/** Where the temperature T comes from. */
export const temperatureSchema = z.discriminatedUnion('kind', [
  z.strictObject({ ...kind('none', 'no entropy term, T = 0') }),
  z.strictObject({
    ...kind('fixed', 'a constant'),
    temperature: factor('factor of log pi in the policy loss'),
  }),
  z.strictObject({
    ...kind('residual', 'temperatureScale times the residual error in use'),
    temperatureScale: positive('temperature per unit of residual error'),
  }),
  z.strictObject({
    ...kind('residualAuto', '(1 - discount) / mean |r| of the buffer, times the residual error'),
  }),
  z.strictObject({
    ...kind('tuned', 'trained until the entropy of the policy is the target'),
    targetEntropy: z
      .number()
      .min(-1e6)
      .max(1e6)
      .nullable()
      .meta({ description: 'entropy the temperature is tuned to, nats; null: minus action size' }),
    ...trained,
  }),
  z.strictObject({
    ...kind('dual', "the dual variable of MPO's bound on the divergence from the prior policy"),
    klBound: positive('bound on the divergence of the weights over sampled actions, nats'),
    meanKlBound: positive('bound on the divergence by the mean, per dimension, nats'),
    covarianceKlBound: positive('bound on the divergence by the deviation, per dimension, nats'),
    ...trained,
    initialMeanMultiplier: positive('multiplier of the bound on the mean at the start'),
    initialCovarianceMultiplier: positive('multiplier of the bound on the deviation at the start'),
  }),
]);

const cadence = {
  residualEvery: count('gradient steps between measurements of the residual error in use', 1e6),
  targetEvery: count('gradient steps between updates of the target networks', 1e6),
};

const envSteps = count('environment steps of an iteration', 1e6);

const stepsEach = {
  mSteps: countOrZero('M-steps of an iteration: action value, state value and target', 1e6),
  eSteps: countOrZero('E-steps of an iteration: policy', 1e6),
};

/** What an iteration of EM is. */
export const scheduleSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    ...kind('partial', 'a few gradient steps on each part per iteration (F.3)'),
    envSteps,
    ...stepsEach,
    ...cadence,
  }),
  z.strictObject({
    ...kind('complete', 'gradient steps on each part until it no longer changes (F.5)'),
    envSteps,
    tolerance: z.number().gt(0).lt(1).meta({
      description:
        'a part has converged once, from one gradient step to the next, the relative change of the action value loss on the frozen batch against frozen targets (M) or the divergence of the policy (E) is below',
    }),
    maxSteps: count('gradient steps after which a part counts as done', 1e9),
    ...cadence,
  }),
  z.strictObject({
    ...kind(
      'incremental',
      'partial, with a share of the residual error that falls in stages (F.2)',
    ),
    envSteps,
    ...stepsEach,
    ...cadence,
    floor: positive('residual error added at the start, in squared scaled return'),
    factor: z.number().gt(0).lt(1).meta({ description: 'what each stage leaves of it' }),
    every: count('environment steps of a stage', MOST_STEPS),
  }),
]);

const lossFactor = z.literal([1, 0.5]).meta({ description: 'factor of the losses of Q and V' });

/** How the critic follows the Bellman residual. */
export const mStepSchema = z.discriminatedUnion('kind', [
  z.strictObject({ ...kind('direct', 'target held constant (F.3)'), lossFactor }),
  z.strictObject({
    ...kind('projected', 'gradient of the projected residual error, two time scales (F.1)'),
    lossFactor,
    stepOrder: z
      .enum(['corrected', 'printed'])
      .meta({ description: 'printed exchanges the two step sizes, as (34), (35) have them' }),
    valueStep: rate('first step size of the action value'),
    valueDecay: z.number().min(0).max(10).meta({ description: 'exponent by which it falls' }),
    auxiliaryStep: rate('first step size of the auxiliary weights'),
    auxiliaryDecay: z.number().min(0).max(10).meta({ description: 'exponent by which it falls' }),
    stepScale: z
      .number()
      .gt(0)
      .max(1e9)
      .meta({ description: 'M-steps in which both step sizes begin to fall' }),
    radius: positive('radius of the ball that the action value is scaled back onto'),
    leak: z.number().min(0).lt(1).meta({
      description: 'share of the auxiliary weights lost in each step, against a singular E[bb]',
    }),
  }),
]);

/** What is added to the policy's action while collecting. */
export const explorationSchema = z.discriminatedUnion('kind', [
  z.strictObject({ ...kind('policy', "the policy's own noise") }),
  z.strictObject({
    ...kind('ornsteinUhlenbeck', 'x <- x - theta x + sigma N(0, I), added to the action'),
    // x is stationary only for |1 - theta| < 1
    theta: z
      .number()
      .gt(0)
      .lt(2)
      .meta({ description: 'share of the noise that a step takes back' }),
    sigma: z.number().min(0).max(100).meta({ description: 'deviation of what a step adds' }),
  }),
]);
