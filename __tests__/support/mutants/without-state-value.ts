/** Mutants of the algorithms without a state value: sac-twin, ddpg, mpo. */

import { EQUATIONS } from '../../../src/reference/index.js';
import {
  at,
  type MutantTable,
  rowOf,
  scaled,
  targetFromBeforeTheStep,
  withConfig,
  withEquations,
  withMemory,
  withOnlineTarget,
  withReversedDraws,
  zeros,
} from './build.js';

/** Its mutants. */
export const sacTwin: MutantTable = {
  step: {
    'the entropy dropped from y_Q': withEquations({
      softNextValue: (values, logDensity) => EQUATIONS.softNextValue(values, logDensity, 0),
    }),
    'the entropy’s sign in y_Q flipped': withEquations({
      softNextValue: (values, logDensity, temperature) =>
        EQUATIONS.softNextValue(values, logDensity, -temperature),
    }),
    'the first Q for the smaller': withEquations({
      minimumActionValue: EQUATIONS.firstActionValue,
    }),
    'the gradient of the minimum to the other Q': withEquations({
      minimumActionValue: (values) => {
        const minimum = EQUATIONS.minimumActionValue(values);
        return { ...minimum, source: minimum.source.map((i) => 1 - i) };
      },
    }),
    'y_Q from the online Q': withOnlineTarget('actionValue.0'),
    'the draws for s and s′ exchanged': withReversedDraws(2),
    'the target entropy dropped': withConfig(({ temperature }) => ({
      temperature: { ...temperature, targetEntropy: 0 } as typeof temperature,
    })),
    'J_T’s sign flipped': withEquations({
      tunedTemperatureLoss: (logDensity, temperature, targetEntropy) => {
        const { loss, gradient } = EQUATIONS.tunedTemperatureLoss(
          logDensity,
          temperature,
          targetEntropy,
        );
        return { loss: -loss, gradient: -gradient };
      },
    }),
    'the entropy dropped from J_π': withEquations({
      reparameterisedLoss: (terms) => EQUATIONS.reparameterisedLoss(terms, 0),
    }),
  },
  update: {
    'log T not stepped': withConfig(({ temperature }) => ({
      temperature: { ...temperature, learningRate: 0 } as typeof temperature,
    })),
    'T stepped for log T': withEquations({
      optimise: (parameters, gradient, state, rate) => {
        if (parameters.length > 1) return EQUATIONS.optimise(parameters, gradient, state, rate);
        const temperature = parameters.map(Math.exp);
        EQUATIONS.optimise(temperature, gradient, state, rate);
        parameters.set(temperature.map(Math.log));
      },
    }),
    'the second target never updated': withMemory(() => {
      let calls = 0;
      return {
        updateTarget: (target, online, rate) => {
          calls += 1;
          if (calls % 2 === 1) EQUATIONS.updateTarget(target, online, rate);
        },
      };
    }),
  },
};

/** Its mutants. */
export const ddpg: MutantTable = {
  step: {
    'Q’s sign in J_π flipped': withEquations({
      deterministicLoss: (values) => {
        const { loss, gradient } = EQUATIONS.deterministicLoss(values);
        const sampledActionValue = scaled(gradient.sampledActionValue, -1);
        return { loss: -loss, gradient: { sampledActionValue } };
      },
    }),
    'the derivative of tanh dropped': withEquations({
      policySampleGradient: (sample, byLogDensity, byAction) => {
        const byPreTanh = byAction.map((g, i) => g / (1 - at(sample.action, i) ** 2));
        return EQUATIONS.policySampleGradient(sample, byLogDensity, byPreTanh);
      },
    }),
    'tanh dropped from the action': withEquations({
      deterministicAction: (mean, rows) => ({
        ...EQUATIONS.deterministicAction(mean, rows),
        action: mean,
      }),
    }),
    'y_Q at the online policy’s action': withOnlineTarget('policy'),
    'y_Q from the online Q': withOnlineTarget('actionValue.0'),
  },
  update: {
    'the policy’s target never updated': withMemory(() => {
      let calls = 0;
      return {
        // Q's target comes first
        updateTarget: (target, online, rate) => {
          calls += 1;
          if (calls % 2 === 1) EQUATIONS.updateTarget(target, online, rate);
        },
      };
    }),
    'targets updated before the step': withMemory(targetFromBeforeTheStep),
  },
};

/** Its mutants. */
export const ddpgRegularised: MutantTable = {
  step: {
    'the regulariser of μ dropped': withConfig(({ policyRegulariser }) => ({
      policyRegulariser: { ...policyRegulariser, mean: 0 },
    })),
  },
  update: {
    'targets updated at every step': withConfig(() => ({ schedule: { targetEvery: 1 } })),
  },
};

/** Its mutants. */
export const mpo: MutantTable = {
  step: {
    'equal weights for Boltzmann’s': withEquations({
      boltzmannWeights: (values, _, samples) => values.map(() => 1 / samples),
    }),
    'the temperature dropped from the weights': withEquations({
      boltzmannWeights: (values, _, samples) => EQUATIONS.boltzmannWeights(values, 1, samples),
    }),
    'the weights’ sign flipped': withEquations({
      boltzmannWeights: (values, temperature, samples) =>
        EQUATIONS.boltzmannWeights(scaled(values, -1), temperature, samples),
    }),
    'the likelihood averaged over the weighted actions': withEquations({
      weightedLikelihoodLoss: (logDensity, weights, samples) =>
        EQUATIONS.weightedLikelihoodLoss(logDensity, scaled(weights, 1 / samples), samples),
    }),
    'the likelihood without its tanh': withEquations({
      policyDensity: (preTanh, mean, logStd, rows) => {
        const logDensity = EQUATIONS.policyDensity(preTanh, mean, logStd, rows);
        preTanh.forEach((u, i) => {
          const row = rowOf(i, preTanh, logDensity);
          logDensity[row] = at(logDensity, row) - 2 * Math.log(Math.cosh(u));
        });
        return logDensity;
      },
    }),
    'the KL divergence of the mean dropped': withEquations({
      meanDivergence: (policy, prior, rows) => {
        const { values, gradient } = EQUATIONS.meanDivergence(policy, prior, rows);
        return { values, gradient: (multipliers) => zeros(gradient(multipliers)) };
      },
    }),
    'the mean’s divergence by the policy’s own deviation': withEquations({
      meanDivergence: (policy, prior, rows) =>
        EQUATIONS.meanDivergence(policy, { mean: prior.mean, logStd: policy.logStd }, rows),
    }),
    'the covariances’ divergence the other way round': withEquations({
      covarianceDivergence: (policy, prior, rows) => {
        const { values, gradient } = EQUATIONS.covarianceDivergence(prior, policy, rows);
        return { values, gradient: (multipliers) => scaled(gradient(multipliers), -1) };
      },
    }),
    'the KL bound dropped from J_T': withEquations({
      dualTemperatureLoss: (values, temperature, samples) =>
        EQUATIONS.dualTemperatureLoss(values, temperature, samples, 0),
    }),
    'a sum for the mean in the log partition': withEquations({
      dualTemperatureLoss: (values, temperature, samples, klBound) =>
        EQUATIONS.dualTemperatureLoss(values, temperature, samples, klBound + Math.log(samples)),
    }),
    'the multipliers’ sign flipped': withEquations({
      multiplierLoss: (multiplier, divergence, bound) => {
        const { loss, gradient } = EQUATIONS.multiplierLoss(multiplier, divergence, bound);
        return { loss: -loss, gradient: scaled(gradient, -1) };
      },
    }),
    'dual variables by their logarithms': withEquations({
      dualVariable: (trained) => {
        const values = trained.map(Math.exp);
        return { values, slope: values };
      },
    }),
    'the slope of the softplus dropped': withEquations({
      dualVariable: (trained) => {
        const { values } = EQUATIONS.dualVariable(trained);
        return { values, slope: values.map(() => 1) };
      },
    }),
    'the two KL bounds exchanged': withConfig(({ temperature }) => {
      if (temperature.kind !== 'dual') throw new Error('a dual temperature');
      const { meanKlBound, covarianceKlBound } = temperature;
      return {
        temperature: {
          ...temperature,
          meanKlBound: covarianceKlBound,
          covarianceKlBound: meanKlBound,
        },
      };
    }),
    'one next action for the mean over K': withEquations({
      meanNextValue: (values, samples) => values.filter((_, i) => i % samples === 0),
    }),
    'y_Q summed over K': withEquations({
      meanNextValue: (values, samples) => scaled(EQUATIONS.meanNextValue(values, samples), samples),
    }),
    'y_Q and weights from the online Q': withOnlineTarget('actionValue.0'),
    'the draws of a row in another order': withReversedDraws(8),
  },
  update: {
    'targets copied at every step': withConfig(() => ({ schedule: { targetEvery: 1 } })),
    'the prior policy never copied': withMemory(() => {
      let calls = 0;
      return {
        // Q's target comes first
        updateTarget: (target, online, rate) => {
          calls += 1;
          if (calls % 2 === 1) EQUATIONS.updateTarget(target, online, rate);
        },
      };
    }),
    'multipliers not stepped': withEquations({
      optimise: (parameters, gradient, state, rate) => {
        // T has one value, multipliers one per action dimension, networks many
        if (parameters.length === 1 || parameters.length > 3)
          EQUATIONS.optimise(parameters, gradient, state, rate);
      },
    }),
  },
};

/** Its mutants. */
export const mpoPriorDivergence: MutantTable = {
  step: {
    'the prior dropped': withEquations({
      priorDivergenceLoss: (terms, temperature) => {
        const { loss, gradient } = EQUATIONS.priorDivergenceLoss(
          { ...terms, priorLogDensity: zeros(terms.priorLogDensity) },
          temperature,
        );
        return {
          loss,
          gradient: { ...gradient, priorLogDensity: zeros(gradient.priorLogDensity) },
        };
      },
    }),
    'the path through the action into the prior dropped': withEquations({
      priorDivergenceLoss: (terms, temperature) => {
        const { loss, gradient } = EQUATIONS.priorDivergenceLoss(terms, temperature);
        return {
          loss,
          gradient: { ...gradient, priorLogDensity: zeros(gradient.priorLogDensity) },
        };
      },
    }),
    'the temperature dropped': withEquations({
      priorDivergenceLoss: (terms) => EQUATIONS.priorDivergenceLoss(terms, 1),
    }),
    'Q’s path dropped': withEquations({
      priorDivergenceLoss: (terms, temperature) => {
        const { loss, gradient } = EQUATIONS.priorDivergenceLoss(terms, temperature);
        return {
          loss,
          gradient: { ...gradient, sampledActionValue: zeros(gradient.sampledActionValue) },
        };
      },
    }),
  },
};
