import { describe, expect, it } from '@jest/globals';
import { editDistance, nearest, nearestPath } from '../../src/config/nearest.js';

describe('edit distance', () => {
  it.each([
    ['', '', 0],
    ['abc', 'abc', 0],
    ['abc', 'ab', 1],
    ['abc', 'axc', 1],
    ['abc', 'acb', 1],
    ['kitten', 'sitting', 3],
    ['', 'four', 4],
  ])('of %j and %j is %d', (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
    expect(editDistance(b, a)).toBe(distance);
  });
});

describe('nearest name', () => {
  it('ignores case and takes the closest', () => {
    expect(nearest('hopper-V5', ['Hopper-v4', 'Hopper-v5', 'Walker2d-v5'])).toBe('Hopper-v5');
  });

  it('suggests nothing for a name that is far from all', () => {
    expect(nearest('zzzzzz', ['Hopper-v4'])).toBeUndefined();
    expect(nearest('x'.repeat(1e6), ['Hopper-v4'])).toBeUndefined();
  });

  it('finds a path by its last key', () => {
    expect(nearestPath('batchSize', ['seed', 'replay.batchSize'])).toBe('replay.batchSize');
  });
});
