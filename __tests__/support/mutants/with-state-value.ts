/** Mutants of the algorithms with a state value: virel, beta, sac. */

import {
  createLearner,
  EQUATIONS,
  type Equations,
  type ReferenceLearner,
} from '../../../src/reference/index.js';
import { taskOf } from '../traces.js';
import {
  at,
  halved,
  type Mutant,
  type MutantTable,
  rowOf,
  scaled,
  targetFromBeforeTheStep,
  withConfig,
  withEquations,
  withMemory,
  withOnlineTarget,
  zeros,
} from './build.js';

/** The optimiser's and the targets' terms, which every variant has: broken once, for one variant each. */
const optimiser: Record<string, Mutant> = {
  'the optimiser’s sign flipped': withEquations({
    optimise: (parameters, gradient, state, rate) =>
      EQUATIONS.optimise(parameters, gradient, state, -rate),
  }),
  'Adam without its bias correction': withEquations({
    optimise: (parameters, gradient, state, rate) => {
      const t = state.steps + 1;
      const uncorrected = (rate * (1 - 0.9 ** t)) / Math.sqrt(1 - 0.999 ** t);
      EQUATIONS.optimise(parameters, gradient, state, uncorrected);
    },
  }),
  'Adam with its moments forgotten': withEquations({
    optimise: (parameters, gradient, state, rate) => {
      state.firstMoment.fill(0);
      state.secondMoment.fill(0);
      state.steps = 0;
      EQUATIONS.optimise(parameters, gradient, state, rate);
    },
  }),
  'the rates of Q and V exchanged': withConfig(({ optim }) => ({
    optim: {
      ...optim,
      actionValueLearningRate: optim.stateValueLearningRate,
      stateValueLearningRate: optim.actionValueLearningRate,
    },
  })),
  'the target never updated': withEquations({ updateTarget: () => undefined }),
  'the target updated from V before its step': withMemory(targetFromBeforeTheStep),
  'the E-step after the M-step, at its parameters': (spec) => {
    const learner = createLearner(taskOf(spec), spec.config);
    const update: ReferenceLearner['update'] = (batch, noise, options) => {
      const m = learner.mStep(batch, noise, options);
      return { ...m, ...learner.eStep(batch, noise, options) };
    };
    return { ...learner, update };
  },
};

/** y_V with an entropy bonus of temperature 1. */
function withEntropyBonus(): Partial<Equations> {
  let logDensity = new Float64Array(0);
  return {
    samplePolicy: (mean, logStd, noise, rows) => {
      const sample = EQUATIONS.samplePolicy(mean, logStd, noise, rows);
      logDensity = Float64Array.from(sample.logDensity);
      return sample;
    },
    stateValueTarget: (values) => values.map((value, b) => value - at(logDensity, b)),
  };
}

/** Its mutants. */
export const virel: MutantTable = {
  step: {
    'the entropy’s sign flipped': withEquations({
      reparameterisedLoss: (terms, temperature) =>
        EQUATIONS.reparameterisedLoss(terms, -temperature),
    }),
    'the entropy dropped': withEquations({
      reparameterisedLoss: (terms) => EQUATIONS.reparameterisedLoss(terms, 0),
    }),
    'Q’s sign in J_π flipped': withEquations({
      reparameterisedLoss: ({ logDensity, sampledActionValue }, temperature) => {
        const flipped = { logDensity, sampledActionValue: scaled(sampledActionValue, -1) };
        const { loss, gradient } = EQUATIONS.reparameterisedLoss(flipped, temperature);
        const back = scaled(gradient.sampledActionValue, -1);
        return { loss, gradient: { ...gradient, sampledActionValue: back } };
      },
    }),
    'the regulariser of μ dropped': withConfig(({ policyRegulariser }) => ({
      policyRegulariser: { ...policyRegulariser, mean: 0 },
    })),
    'the regulariser of log σ dropped': withConfig(({ policyRegulariser }) => ({
      policyRegulariser: { ...policyRegulariser, logStd: 0 },
    })),
    'the regulariser summed over dimensions': (spec) => {
      const { mean, logStd } = spec.config.policyRegulariser;
      const { actionSize } = taskOf(spec);
      const policyRegulariser = { mean: actionSize * mean, logStd: actionSize * logStd };
      return createLearner(taskOf(spec), { ...spec.config, policyRegulariser });
    },
    'a half in J_Q': withEquations({
      actionValueLoss: (values, target) => halved(EQUATIONS.actionValueLoss(values, target)),
    }),
    'a half in J_V': withEquations({
      stateValueLoss: (values, target) => halved(EQUATIONS.stateValueLoss(values, target)),
    }),
    'the discount dropped': withEquations({
      bellmanTarget: (rewards, terminated, _, next) =>
        EQUATIONS.bellmanTarget(rewards, terminated, 1, next),
    }),
    'the mask of terminations dropped': withEquations({
      bellmanTarget: (rewards, terminated, discount, next) =>
        EQUATIONS.bellmanTarget(rewards, zeros(terminated), discount, next),
    }),
    'the reward dropped': withEquations({
      bellmanTarget: (rewards, terminated, discount, next) =>
        EQUATIONS.bellmanTarget(zeros(rewards), terminated, discount, next),
    }),
    'y_Q from the online V': withOnlineTarget('stateValue'),
    'an entropy bonus in y_V, as SAC has': withMemory(withEntropyBonus),
    'y_V’s sign flipped': withEquations({ stateValueTarget: (values) => scaled(values, -1) }),
    'the tanh correction dropped from the density': withEquations({
      samplePolicy: (mean, logStd, noise, rows) => {
        const sample = EQUATIONS.samplePolicy(mean, logStd, noise, rows);
        const logDensity = sample.logDensity.slice();
        sample.action.forEach((a, i) => {
          const row = rowOf(i, sample.action, logDensity);
          logDensity[row] = at(logDensity, row) + Math.log1p(-(a ** 2));
        });
        return { ...sample, logDensity };
      },
    }),
    'the tanh correction dropped from the gradient': withEquations({
      policySampleGradient: (sample, byLogDensity, byAction) => {
        const { mean, logStd } = EQUATIONS.policySampleGradient(sample, byLogDensity, byAction);
        const extra = sample.action.map(
          (a, i) => 2 * a * at(byLogDensity, rowOf(i, sample.action, byLogDensity)),
        );
        return {
          mean: mean.map((value, i) => value - at(extra, i)),
          logStd: logStd.map((value, i) => value - at(extra, i) * at(sample.deviation, i)),
        };
      },
    }),
    'the derivative of tanh dropped': withEquations({
      policySampleGradient: (sample, byLogDensity, byAction) => {
        const byPreTanh = byAction.map((g, i) => g / (1 - at(sample.action, i) ** 2));
        return EQUATIONS.policySampleGradient(sample, byLogDensity, byPreTanh);
      },
    }),
    'log σ’s own part of the density dropped from the gradient': withEquations({
      policySampleGradient: (sample, byLogDensity, byAction) => {
        const gradient = EQUATIONS.policySampleGradient(sample, byLogDensity, byAction);
        const logStd = gradient.logStd.map(
          (value, i) => value + at(byLogDensity, rowOf(i, sample.action, byLogDensity)),
        );
        return { ...gradient, logStd };
      },
    }),
    'the noise dropped': withEquations({
      samplePolicy: (mean, logStd, noise, rows) =>
        EQUATIONS.samplePolicy(mean, logStd, zeros(noise), rows),
    }),
  },
  update: optimiser,
};

/** Its mutants. */
export const twoQ: MutantTable = {
  step: {
    'y_V of the first Q alone': withEquations({ minimumActionValue: EQUATIONS.firstActionValue }),
    'y_V of the larger Q': withEquations({
      minimumActionValue: (values) => {
        const { values: smallest, source } = EQUATIONS.minimumActionValue(
          values.map((each) => scaled(each, -1)),
        );
        return { values: scaled(smallest, -1), source };
      },
    }),
    'J_π on the smaller Q': withEquations({ firstActionValue: EQUATIONS.minimumActionValue }),
    'J_Q of the second Q dropped': withMemory(() => {
      let calls = 0;
      return {
        actionValueLoss: (values, target) => {
          const regression = EQUATIONS.actionValueLoss(values, target);
          calls += 1;
          return calls % 2 === 1 ? regression : { loss: 0, gradient: zeros(values) };
        },
      };
    }),
  },
};

/** Its mutants. */
export const score: MutantTable = {
  step: {
    'the baseline V dropped': withEquations({
      scoreLoss: (terms, temperature) =>
        EQUATIONS.scoreLoss({ ...terms, stateValue: zeros(terms.stateValue) }, temperature),
    }),
    'the entropy dropped from the factor': withEquations({
      scoreLoss: (terms) => EQUATIONS.scoreLoss(terms, 0),
    }),
    'Q’s sign flipped': withEquations({
      scoreLoss: (terms, temperature) =>
        EQUATIONS.scoreLoss(
          { ...terms, sampledActionValue: scaled(terms.sampledActionValue, -1) },
          temperature,
        ),
    }),
    'the factor’s log π not held constant': withEquations({
      scoreLoss: (terms, temperature) => {
        const { loss, gradient } = EQUATIONS.scoreLoss(terms, temperature);
        const rows = terms.logDensity.length;
        const logDensity = gradient.logDensity.map(
          (g, b) => g + (temperature * at(terms.logDensity, b)) / rows,
        );
        return { loss, gradient: { logDensity } };
      },
    }),
    'ã not held constant': withEquations({
      policyDensityGradient: (preTanh, mean, logStd, byLogDensity) => {
        const gradient = EQUATIONS.policyDensityGradient(preTanh, mean, logStd, byLogDensity);
        const through = gradient.preTanh;
        return { ...gradient, mean: gradient.mean.map((g, i) => g + at(through, i)) };
      },
    }),
    'the −1 of ξ² − 1 dropped': withEquations({
      policyDensityGradient: (preTanh, mean, logStd, byLogDensity) => {
        const gradient = EQUATIONS.policyDensityGradient(preTanh, mean, logStd, byLogDensity);
        const logStdGradient = gradient.logStd.map(
          (g, i) => g + at(byLogDensity, rowOf(i, mean, byLogDensity)),
        );
        return { ...gradient, logStd: logStdGradient };
      },
    }),
  },
};

/** Its mutants. */
export const beta: MutantTable = {
  step: {
    'the scale of the temperature dropped': withConfig(() => ({
      temperature: { kind: 'residual', temperatureScale: 1 },
    })),
    'a half in the residual error': withConfig(({ residual }) => ({
      residual: { ...residual, warmupValue: residual.warmupValue / 2 },
    })),
  },
};

/** Its mutants. */
export const betaAutomatic: MutantTable = {
  step: {
    'the factor 1 − γ dropped': withConfig(({ residual }) => ({
      temperature: { kind: 'residual', temperatureScale: residual.warmupValue },
    })),
    'the residual error dropped': withConfig(({ residual }) => ({
      residual: { ...residual, warmupValue: 1 },
    })),
  },
};

/** Its mutants. */
export const sac: MutantTable = {
  step: {
    'the entropy bonus dropped from y_V': withEquations({
      softStateValueTarget: (values, logDensity) =>
        EQUATIONS.softStateValueTarget(values, logDensity, 0),
    }),
    'the entropy bonus’s sign flipped': withEquations({
      softStateValueTarget: (values, logDensity, temperature) =>
        EQUATIONS.softStateValueTarget(values, logDensity, -temperature),
    }),
    'Q dropped from y_V': withEquations({
      softStateValueTarget: (values, logDensity, temperature) =>
        EQUATIONS.softStateValueTarget(zeros(values), logDensity, temperature),
    }),
  },
};

/** Its mutants. */
export const sacTwoQ: MutantTable = {
  step: {
    'the half of both losses dropped': withConfig(() => ({
      mStep: { kind: 'direct', lossFactor: 1 },
    })),
    'y_V of the first Q alone': withEquations({ minimumActionValue: EQUATIONS.firstActionValue }),
  },
};
