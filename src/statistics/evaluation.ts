/** What is said of a set of evaluation episodes. */
import { mean } from './aggregates.js';

/** Episodes of one evaluation; returns are undiscounted and unscaled. */
export interface EvaluationResult {
  /** Number of episodes. */
  episodes: number;
  /** Mean return. */
  returnMean: number;
  /** Standard deviation over these episodes (divisor n). */
  returnStd: number;
  /** Return per episode. */
  returns: number[];
  /** Environment steps per episode. */
  lengths: number[];
}

/** Extremes of the returns and the mean length of an evaluation. */
export function evaluationRange({
  returns,
  lengths,
}: Pick<EvaluationResult, 'returns' | 'lengths'>): {
  returnMin: number;
  returnMax: number;
  lengthMean: number;
} {
  return {
    returnMin: Math.min(...returns),
    returnMax: Math.max(...returns),
    lengthMean: mean(lengths),
  };
}

/** Mean and standard deviation of the returns. */
export function summariseEvaluation(returns: number[], lengths: number[]): EvaluationResult {
  const episodes = returns.length;
  const returnMean = mean(returns);
  const variance = returns.reduce((sum, value) => sum + (value - returnMean) ** 2, 0) / episodes;
  return { episodes, returnMean, returnStd: Math.sqrt(variance), returns, lengths };
}
