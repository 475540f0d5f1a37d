import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { readModelFile } from '../../src/environments/models.js';
import { TASKS } from '../../src/environments/tasks.js';
import { modelHashes } from '../../src/setup/parts.js';

it('every task names a model file that set-up fetches and checks', () => {
  const shipped = TASKS.filter(({ modelNeeded }) => modelNeeded === '');
  expect(shipped).toHaveLength(21);
  for (const { modelFile, modelSha256 } of shipped)
    expect([modelFile, modelHashes[modelFile]?.slice(0, 12)]).toEqual([modelFile, modelSha256]);
});

it('a model that is not there is MODEL_MISSING with the command that brings it, not a defect', () => {
  const empty = mkdtempSync(join(tmpdir(), 'virel-models-'));
  expect(() => readModelFile({ id: 'Hopper-v5' }, empty)).toThrow(
    expect.objectContaining({
      code: 'MODEL_MISSING',
      where: join(empty, 'hopper.xml'),
      fix: expect.stringContaining('npx virel-native setup'),
      exit: 3,
    }),
  );
  rmSync(empty, { recursive: true });
});

it('a task without a model says which file it takes and how to name it', () => {
  expect(() => readModelFile({ id: 'humanoid-rllab' }, '/nowhere')).toThrow(
    expect.objectContaining({
      code: 'MODEL_MISSING',
      expected: expect.stringMatching(/rll\/rllab.*solverstat="enable"/),
      fix: '--set env.modelFile=FILE',
    }),
  );
});

it("a model of the user's that is not there is named", () => {
  expect(() => readModelFile({ id: 'Hopper-v5', modelFile: '/no/mine.xml' }, '/nowhere')).toThrow(
    expect.objectContaining({
      code: 'MODEL_MISSING',
      message: '/no/mine.xml cannot be read',
      where: 'env.modelFile',
    }),
  );
});
