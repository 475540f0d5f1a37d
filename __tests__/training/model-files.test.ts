import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { MODEL_FILES, readModelFile } from '../../src/environments/models.js';
import { TASKS } from '../../src/environments/tasks.js';
import { modelHashes } from '../../src/setup/parts.js';

it('every task names a model file that set-up fetches and checks', () => {
  expect(Object.keys(MODEL_FILES).sort()).toEqual(TASKS.map(({ id }) => id).sort());
  expect(Object.values(MODEL_FILES).filter((file) => !(file in modelHashes))).toEqual([]);
});

it('a model that is not there is MODEL_MISSING with the command that brings it, not a defect', () => {
  const empty = mkdtempSync(join(tmpdir(), 'virel-models-'));
  expect(() => readModelFile('Hopper-v5', empty)).toThrow(
    expect.objectContaining({
      code: 'MODEL_MISSING',
      where: join(empty, 'hopper.xml'),
      fix: expect.stringContaining('npx virel-native setup'),
      exit: 3,
    }),
  );
  rmSync(empty, { recursive: true });
});
