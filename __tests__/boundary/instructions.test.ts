/** What the compiler made of the addon's vector instructions. */
import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { locate } from '../../src/setup/places.js';

/** Names of functions that stand in the addon by themselves. */
const symbols = (pattern: RegExp) => [
  ...new Set(readFileSync(locate(process.env).addon, 'latin1').match(pattern)),
];

it('no vector instruction is a function that is called: the code around it lost its instruction set', () => {
  // names are there to be found: of the functions that are never inlined
  expect(symbols(/Lanes[\w$.]*apart4call/g)).not.toEqual([]);
  expect(symbols(/_mm(256|512)_\w+/g)).toEqual([]);
});
