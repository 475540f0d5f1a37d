/** Mutants of the projected M-step. */

import { EQUATIONS } from '../../../src/reference/index.js';
import {
  at,
  type MutantTable,
  scaled,
  withConfig,
  withEquations,
  withReversedDraws,
  zeros,
} from './build.js';

/** Its mutants. */
export const projected: MutantTable = {
  step: {
    'the Hessian’s term dropped': withEquations({
      projectedResidualLoss: (terms) => {
        const { loss, gradient } = EQUATIONS.projectedResidualLoss(terms);
        return { loss, gradient: { ...gradient, derivative: zeros(gradient.derivative) } };
      },
    }),
    '½ j² dropped': withEquations({
      projectedResidualLoss: ({ residual, derivative }) => {
        const rows = residual.length;
        return {
          loss: residual.reduce((sum, value, b) => sum + value * at(derivative, b), 0) / rows,
          gradient: {
            residual: scaled(derivative, 1 / rows),
            derivative: scaled(residual, 1 / rows),
          },
        };
      },
    }),
    'the target held constant': withEquations({ bellmanTargetGradient: zeros }),
    'the discount dropped from ∇β': withEquations({
      bellmanTargetGradient: (gradient, terminated) =>
        EQUATIONS.bellmanTargetGradient(gradient, terminated, 1),
    }),
    'the mask dropped from ∇β': withEquations({
      bellmanTargetGradient: (gradient, terminated, discount) =>
        EQUATIONS.bellmanTargetGradient(gradient, zeros(terminated), discount),
    }),
    'the residual’s sign flipped': withEquations({
      bellmanResidual: (values, target) => scaled(EQUATIONS.bellmanResidual(values, target), -1),
    }),
    'the draws for s and s′ exchanged': withReversedDraws(2),
  },
  update: {
    'ζ descending L': withEquations({
      stepAuxiliaryWeights: (values, gradient, stepSize, leak) =>
        EQUATIONS.stepAuxiliaryWeights(values, scaled(gradient, -1), stepSize, leak),
    }),
    'the leak dropped': withEquations({
      stepAuxiliaryWeights: (values, gradient, stepSize) =>
        EQUATIONS.stepAuxiliaryWeights(values, gradient, stepSize, 0),
    }),
    'the two step sizes exchanged': withConfig(({ mStep }) => ({
      mStep: { ...mStep, stepOrder: 'printed' } as typeof mStep,
    })),
    'the decay dropped': withConfig(({ mStep }) => ({
      mStep: { ...mStep, stepScale: 1e9 } as typeof mStep,
    })),
  },
};

/** Its mutants. */
export const projectedOnTheBall: MutantTable = {
  step: {},
  update: {
    'the ball dropped': withEquations({
      stepProjectedValue: (values, gradient, stepSize) =>
        EQUATIONS.stepProjectedValue(values, gradient, stepSize, Number.POSITIVE_INFINITY),
    }),
    'the printed order of step sizes corrected': withConfig(({ mStep }) => ({
      mStep: { ...mStep, stepOrder: 'corrected' } as typeof mStep,
    })),
  },
};
