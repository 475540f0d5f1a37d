import { describe, expect, it } from '@jest/globals';
import { leavesOf } from '../../src/config/leaves.js';

describe('the leaves of a config', () => {
  it('are its values by dotted path, in order; lists and null are values, an empty section has none', () => {
    const config = { steps: 5, a: { b: { c: null, d: [{ e: 1 }] }, empty: {} }, last: 'x' };
    expect([...leavesOf(config)]).toEqual([
      ['steps', 5],
      ['a.b.c', null],
      ['a.b.d', [{ e: 1 }]],
      ['last', 'x'],
    ]);
  });

  it('of a hostile file have any name', () => {
    const hostile = JSON.parse('{"__proto__": {"constructor": 1}, "": 2}');
    expect([...leavesOf(hostile)]).toEqual([
      ['__proto__.constructor', 1],
      ['', 2],
    ]);
  });
});
