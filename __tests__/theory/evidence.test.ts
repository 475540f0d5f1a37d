/** EM in general (App. A): the identity (9) for random joints, and a mixture of coins by enumeration. */

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  type CoinData,
  type CoinMixture,
  drawsOf,
  jensenBound,
  klDivergence,
  logEvidence,
  mixtureEmStep,
  mixtureLogEvidence,
  posterior,
  simplexOf,
} from '../../src/theory/index.js';
import { at, differences, expectClose, range, sumOver, tolerance } from './support.js';

const drawn = (check: (draw: () => number, size: number) => void) =>
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 1, max: 6 }), (seed, size) =>
      check(drawsOf(seed), size),
    ),
  );

describe('log evidence ℓ(x) (8)', () => {
  it('is the log of the sum, and the posterior the shares of it', () => {
    const joint = Float64Array.of(0.1, 0.2, 0.5);
    expectClose(logEvidence(joint), Math.log(0.8), tolerance.rounding);
    expectClose(posterior(joint), [0.125, 0.25, 0.625], tolerance.rounding);
  });

  it('is the bound plus KL(q‖p(h|x)) for every q (9), (T1)', () => {
    drawn((draw, size) => {
      const joint = Float64Array.from({ length: size }, () => 0.01 + draw());
      const guess = simplexOf(draw, size);
      const bound = sumOver(
        size,
        (h) => at(guess, h) * (Math.log(at(joint, h)) - Math.log(at(guess, h))),
      );
      expectClose(jensenBound(joint, guess), bound, tolerance.rounding);
      const divergence = klDivergence(guess, posterior(joint));
      expectClose(bound + divergence, logEvidence(joint), tolerance.rounding);
      expect(bound).toBeLessThanOrEqual(logEvidence(joint) + 1e-12);
    });
  });

  it('is met by the bound at the posterior: the E-step', () => {
    drawn((draw, size) => {
      const joint = Float64Array.from({ length: size }, () => 0.01 + draw());
      expectClose(jensenBound(joint, posterior(joint)), logEvidence(joint), tolerance.rounding);
    });
  });

  it('has a bound where q leaves an outcome out', () => {
    const joint = Float64Array.of(0.1, 0.2, 0.5);
    const guess = Float64Array.of(0.5, 0, 0.5);
    const expected = 0.5 * Math.log(0.2) + 0.5 * Math.log(1);
    expectClose(jensenBound(joint, guess), expected, tolerance.rounding);
  });
});

/** A mixture and data, by seed. */
const coins = (check: (mixture: CoinMixture, data: CoinData) => void, runs = 100) =>
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 1, max: 3 }), (seed, size) => {
      const draw = drawsOf(seed);
      const shares = simplexOf(draw, size);
      const heads = Float64Array.from({ length: size }, () => 0.1 + 0.8 * draw());
      const tosses = 1 + Math.floor(6 * draw());
      const seen = range(12).map(() => Math.floor((tosses + 1) * draw()));
      check({ shares, heads }, { tosses, heads: seen });
    }),
    { numRuns: runs },
  );

/** p(x|coin) of one sequence with `seen` heads, toss by toss. */
const likelihood = (p: number, tosses: number, seen: number) =>
  range(tosses).reduce((product, toss) => product * (toss < seen ? p : 1 - p), 1);

describe('mixture of coins', () => {
  it('has the evidence Σ_x log Σ_coins share · p^k (1 − p)^(n − k)', () => {
    coins((mixture, data) => {
      const { shares, heads } = mixture;
      const expected = data.heads.reduce((sum, seen) => {
        const terms = (k: number) => at(shares, k) * likelihood(at(heads, k), data.tosses, seen);
        return sum + Math.log(sumOver(shares.length, terms));
      }, 0);
      expectClose(mixtureLogEvidence(mixture, data), expected, tolerance.rounding);
    });
  });

  it('is moved by EM to the averages weighted by posteriors', () => {
    coins((mixture, data) => {
      const { shares, heads } = mixture;
      const responsibility = (seen: number, k: number) => {
        const joint = (coin: number) =>
          at(shares, coin) * likelihood(at(heads, coin), data.tosses, seen);
        return joint(k) / sumOver(shares.length, joint);
      };
      const weights = range(shares.length).map((k) =>
        data.heads.reduce((sum, seen) => sum + responsibility(seen, k), 0),
      );
      const counts = range(shares.length).map((k) =>
        data.heads.reduce((sum, seen) => sum + seen * responsibility(seen, k), 0),
      );
      const next = mixtureEmStep(mixture, data);
      expectClose(
        next.shares,
        weights.map((weight) => weight / 12),
        tolerance.rounding,
      );
      const rates = counts.map((count, k) => count / at(weights, k) / data.tosses);
      expectClose(next.heads, rates, tolerance.rounding);
    });
  });

  it('never loses evidence by EM: 60 steps (T1)', () => {
    coins((start, data) => {
      let mixture = start;
      let last = mixtureLogEvidence(mixture, data);
      for (const _ of range(60)) {
        mixture = mixtureEmStep(mixture, data);
        const next = mixtureLogEvidence(mixture, data);
        expect(next).toBeGreaterThanOrEqual(last - 1e-12 * (1 + Math.abs(last)));
        last = next;
      }
    }, 30);
  });

  it('ends where the evidence has no slope', () => {
    const data = { tosses: 6, heads: [5, 1, 2, 6, 4, 1, 0, 5, 2, 1, 5, 3] };
    let mixture: CoinMixture = {
      shares: Float64Array.of(0.5, 0.5),
      heads: Float64Array.of(0.6, 0.4),
    };
    for (const _ of range(500)) mixture = mixtureEmStep(mixture, data);
    const evidence = (x: Float64Array) => {
      const [share, first, second] = [at(x, 0), at(x, 1), at(x, 2)];
      const moved = {
        shares: Float64Array.of(share, 1 - share),
        heads: Float64Array.of(first, second),
      };
      return mixtureLogEvidence(moved, data);
    };
    const end = Float64Array.of(at(mixture.shares, 0), ...mixture.heads);
    const slope = differences(evidence, end);
    expectClose(slope, [0, 0, 0], tolerance.finiteDifference, Math.abs(evidence(end)));
    expect(Math.abs(at(mixture.heads, 0) - at(mixture.heads, 1))).toBeGreaterThan(0.3);
  });
});
