/** The claims of the paper: each holds, covers what it should, and is checked by code that shares nothing with the theory. */

import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { sourceOf } from '../../src/cli/claim-source.js';
import {
  CLAIMS,
  checkClaim,
  isNumeric,
  type NumericClaim,
  selectClaims,
} from '../../src/theory/claims/index.js';
import * as theory from '../../src/theory/index.js';

const numeric = CLAIMS.filter(isNumeric);
const ids = CLAIMS.map(({ id }) => id);
const folder = fileURLToPath(new URL('../../src/theory/claims', import.meta.url));

describe('claims', () => {
  it.each(numeric.map((claim) => [claim.id, claim] as const))('%s holds', (_, claim) => {
    const { measured, printed, status } = checkClaim(claim);
    expect(measured).toBeLessThanOrEqual(claim.tolerance);
    if (claim.printed !== undefined) expect(printed).toBeGreaterThan(1000 * claim.tolerance);
    expect(status).toBe('passed');
  });

  it('cover equations (3) to (43), the theorems and both parts of Lemma 1', () => {
    const equations = Array.from({ length: 41 }, (_, i) => `equation-${i + 3}`);
    const results = ['theorem-1', 'theorem-2', 'theorem-3', 'theorem-4', 'lemma-1-i', 'lemma-1-ii'];
    const parts = ['theorem-5-i', 'theorem-5-ii', 'theorem-5-iii'];
    const named = ['contraction', 'merl-counterexample', 'tanh-gaussian-density'];
    const asked = [...equations, ...results, ...parts, ...named, 'reward-shift', 'reward-scale'];
    expect(asked.filter((id) => !numeric.some((claim) => claim.id === id))).toEqual([]);
  });

  it('show every erratum as printed and as corrected', () => {
    const errata = ['theorem-4', 'equation-30', 'equation-31', 'e3-optimal-example', 'equation-35'];
    const more = ['equation-41', 'two-timescale', 'lemma-1-i-discrete', 'direct-method'];
    const printed = numeric.filter((claim) => claim.printed !== undefined).map(({ id }) => id);
    expect(printed).toEqual(expect.arrayContaining([...errata, ...more]));
  });

  it('have ids of their own, a reason for the tolerance, a derivation, and functions that are exported', () => {
    expect(new Set(ids).size).toBe(ids.length);
    for (const { id, why, derivation, uses } of numeric) {
      expect([id, why.length > 20, derivation.join(' ').length > 40]).toEqual([id, true, true]);
      const exported = theory as Record<string, unknown>;
      const missing = uses.filter((name) => typeof exported[name] !== 'function');
      expect([id, missing]).toEqual([id, []]);
    }
  });

  it('show the code that checks them, which calls the functions they name', () => {
    for (const { id, uses } of numeric) {
      const { code = '', file = '' } = sourceOf(id) ?? {};
      expect([id, file.startsWith('src/theory/claims/')]).toEqual([id, true]);
      expect([id, uses.filter((name) => !code.includes(name))]).toEqual([id, []]);
    }
  });

  it('say why a definition or an assumption has no number', () => {
    const described = CLAIMS.filter((claim) => !isNumeric(claim));
    expect(described.map((claim) => checkClaim(claim).status)).toEqual(
      described.map(() => 'not-numeric'),
    );
    for (const claim of described)
      expect('reason' in claim && claim.reason.length).toBeGreaterThan(20);
  });

  it('are selected by id or by how ids begin', () => {
    expect(selectClaims(['theorem-5']).map(({ id }) => id)).toEqual([
      'theorem-5-i',
      'theorem-5-ii',
      'theorem-5-iii',
    ]);
    expect(selectClaims(['equation-3', 'theorem-4'])).toHaveLength(2);
    expect(() => selectClaims(['theorem-9'])).toThrow(
      expect.objectContaining({
        code: 'CLAIM_UNKNOWN',
        expected: expect.stringContaining('theorem-4'),
      }),
    );
  });
});

describe('a check', () => {
  const [claim] = selectClaims(['theorem-4']) as [NumericClaim];

  it('fails where the two sides differ by more than the tolerance, or by NaN', () => {
    const off = { ...claim, measure: () => 2 * claim.tolerance };
    expect(checkClaim(off).status).toBe('failed');
    expect(checkClaim({ ...claim, measure: () => Number.NaN }).status).toBe('failed');
  });

  it('fails where a print that is said to be wrong is right', () => {
    const printed = { statement: 'the same', measure: () => 0 };
    expect(checkClaim({ ...claim, measure: () => 0, printed }).status).toBe('failed');
  });
});

describe('the independent computations', () => {
  it('import nothing of the theory but the type of an MDP', () => {
    for (const file of readdirSync(`${folder}/independent`)) {
      const text = readFileSync(`${folder}/independent/${file}`, 'utf8');
      const imports = [...text.matchAll(/^import .*$/gm)].map(([line]) => line);
      const allowed = "import type { TabularMdp } from '../../tabular-mdp.js';";
      expect(imports.filter((line) => line !== allowed)).toEqual([]);
    }
  });
});
