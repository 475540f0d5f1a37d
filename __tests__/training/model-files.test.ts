import { expect, it } from '@jest/globals';
import { MODEL_FILES } from '../../src/environments/models.js';
import { TASKS } from '../../src/environments/tasks.js';
import { modelHashes } from '../../src/setup/parts.js';

it('every task names a model file that set-up fetches and checks', () => {
  expect(Object.keys(MODEL_FILES).sort()).toEqual(TASKS.map(({ id }) => id).sort());
  expect(Object.values(MODEL_FILES).filter((file) => !(file in modelHashes))).toEqual([]);
});
