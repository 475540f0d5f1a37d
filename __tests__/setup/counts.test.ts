import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { packageRoot } from '../../src/setup/places.js';

const { cargoCounts, jestCounts, lastCounts, skippedIn } = await import(
  pathToFileURL(join(packageRoot, 'scripts/steps.mjs')).href
);

const cargo = `
running 3 tests
test random::streams_differ ... ok
test math::adam::matches_torch ... ignored, needs the fixture
test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s
test result: FAILED. 4 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.10s
`;

const report = {
  numPassedTests: 7,
  numFailedTests: 1,
  numRuntimeErrorTestSuites: 0,
  testResults: [
    { assertionResults: [{ status: 'pending', fullName: 'a fact' }, { status: 'passed' }] },
  ],
};

describe('the counts of a test run', () => {
  it('are the sum over all binaries of cargo test, skips named', () => {
    expect(cargoCounts(101, cargo)).toEqual({
      passed: 6,
      failed: 2,
      skipped: ['cargo: math::adam::matches_torch: ignored, needs the fixture'],
    });
  });

  it('count a workspace that does not compile, or a test binary that crashes, as a failure', () => {
    expect(cargoCounts(101, 'error: could not compile')).toMatchObject({ passed: 0, failed: 1 });
    expect(cargoCounts(101, cargo.replace('2 failed', '0 failed'))).toMatchObject({
      passed: 6,
      failed: 1,
    });
  });

  it('take jest from its report, a file that does not load being a failure', () => {
    expect(jestCounts(1, report)).toEqual({
      passed: 7,
      failed: 1,
      skipped: ['jest: a fact: pending'],
    });
    expect(jestCounts(1, { ...report, numRuntimeErrorTestSuites: 1 })).toMatchObject({ failed: 2 });
    expect(jestCounts(0, undefined)).toMatchObject({ passed: 0, failed: 1 });
  });

  it('are followed by the tests that were skipped, which are read back too', () => {
    const said =
      '\n2 skipped:\n  jest: a fact: pending\n  slurm: not installed\n7 passed, 0 failed\n';
    expect(skippedIn(said)).toEqual(['jest: a fact: pending', 'slurm: not installed']);
    expect(skippedIn('7 passed, 0 failed\n')).toEqual([]);
  });

  it('are read back from the last line that has them', () => {
    expect(lastCounts(1, '1 passed, 0 failed\n12 passed, 3 failed\n')).toEqual({
      passed: 12,
      failed: 3,
    });
    expect(lastCounts(0, '12 passed, 0 failed\n')).toEqual({ passed: 12, failed: 0 });
    expect(lastCounts(3, 'npm error')).toEqual({ passed: 0, failed: 1 });
  });
});
