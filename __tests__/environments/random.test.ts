/** The randomness that environments are given. */
import { describe, expect, it } from '@jest/globals';
import { environmentRandom } from '../../src/environments/random.js';

const first = (...of: Parameters<typeof environmentRandom>) => environmentRandom(...of).uniform();

describe('the random source of an environment', () => {
  it('repeats itself for the same seed, purpose and instance, and for no other', () => {
    const base = first(3, 'reset', 0);
    expect(first(3, 'reset', 0)).toBe(base);
    const others = [
      first(4, 'reset', 0),
      first(3 + 2 ** 32, 'reset', 0),
      first(3, 'evaluation', 0),
      first(3, 'reset', 1),
      first(3, 'reset', 2 ** 32),
    ];
    expect(new Set([base, ...others]).size).toBe(6);
  });

  it('draws within the ranges it is asked for', () => {
    const random = environmentRandom(1, 'reset');
    const draws = Array.from({ length: 2000 }, () => random.uniform(-3, 5));
    expect(Math.min(...draws)).toBeGreaterThanOrEqual(-3);
    expect(Math.max(...draws)).toBeLessThan(5);
    const counts = [0, 0, 0];
    for (let i = 0; i < 3000; i += 1) {
      const index = random.integer(3);
      counts[index] = (counts[index] ?? 0) + 1;
    }
    expect(counts).toHaveLength(3);
    // binomial with n = 3000, p = 1/3: standard deviation 25.8; five of them
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(130);
  });

  it('has the moments of a normal distribution', () => {
    const random = environmentRandom(5, 'evaluation', 9);
    const n = 50_000;
    const values = Array.from({ length: n }, () => random.normal(2, 3));
    const mean = values.reduce((sum, x) => sum + x, 0) / n;
    const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / n;
    // standard errors 3 / √n = 0.0134 and 9 √(2 / n) = 0.057; five of them
    expect(Math.abs(mean - 2)).toBeLessThan(0.067);
    expect(Math.abs(variance - 9)).toBeLessThan(0.29);
  });
});
