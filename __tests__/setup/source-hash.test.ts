import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { sourceHash } from '../../src/setup/source-hash.js';
import { addonSource, checkout, write } from './stand-in.js';

describe('the hash of the Rust sources', () => {
  it('is equal for equal checkouts', () => {
    expect(sourceHash(checkout())).toBe(sourceHash(checkout()));
  });

  it.each([
    'Cargo.toml',
    'Cargo.lock',
    'native/binding/Cargo.toml',
    'native/binding/src/lib.rs',
    'native/engine/src/new.rs',
  ])('changes with %s', (file) => {
    const root = checkout();
    const before = sourceHash(root);
    write(join(root, file), `${addonSource()} `);
    expect(sourceHash(root)).not.toBe(before);
  });

  it.each(['native/binding/tests/fact.rs', 'src/index.ts'])('does not change with %s', (file) => {
    const root = checkout();
    const before = sourceHash(root);
    write(join(root, file), 'text');
    expect(sourceHash(root)).toBe(before);
  });

  it('tells a moved byte between two files', () => {
    const [one, other] = [checkout(), checkout()];
    write(join(one, 'native/a.rs'), 'xy');
    write(join(one, 'native/b.rs'), 'z');
    write(join(other, 'native/a.rs'), 'x');
    write(join(other, 'native/b.rs'), 'yz');
    expect(sourceHash(one)).not.toBe(sourceHash(other));
  });
});
