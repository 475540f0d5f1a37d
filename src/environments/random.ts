/** The randomness that an environment written in TypeScript is given: equal seeds give equal runs, bit for bit. */
import { uniformStream } from '../random/stream.js';

/** Where an environment draws from. Every number comes from the run's seed; `Math.random` would not repeat. */
export interface Random {
  /** Uniform on [low, high); 53 random bits, of [0, 1) by default. */
  uniform(low?: number, high?: number): number;
  /** Normal, by Box and Muller; standard normal by default. */
  normal(mean?: number, deviation?: number): number;
  /** A whole number, uniform on 0 to count − 1; `count` a whole number from 1 to 2³². */
  integer(count: number): number;
}

/**
 * The source of one use of an environment: a training run has one for all its episodes, an evaluation one of its own.
 *
 * @param instance Which evaluation, of those that follow from one seed.
 */
export function environmentRandom(
  seed: number,
  purpose: 'reset' | 'evaluation' | 'evaluationNoise',
  instance = 0,
): Random {
  const draw = uniformStream(seed, purpose, instance);
  const standardNormal = () => {
    // 1 − u lies in (0, 1]: its logarithm is finite
    const radius = Math.sqrt(-2 * Math.log(1 - draw()));
    return radius * Math.cos(2 * Math.PI * draw());
  };
  return Object.freeze({
    uniform: (low = 0, high = 1) => low + (high - low) * draw(),
    normal: (mean = 0, deviation = 1) => mean + deviation * standardNormal(),
    integer: (count: number) => Math.floor(count * draw()),
  });
}
