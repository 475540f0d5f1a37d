/** `evaluate` and the other calls that do in Node what a verb does. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { configJsonSchema, PRESET_NAMES } from '../../src/config/schema.js';
import {
  defineEnvironment,
  doctor,
  evaluate,
  loadPolicy,
  presets,
  train,
} from '../../src/index.js';

const PATIENCE = 120_000;
const folder = mkdtempSync(join(tmpdir(), 'virel-evaluate-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const small = { steps: 40, network: { hidden: [8, 8] }, collect: { startUpdates: 20 } };
const facts = { id: 'corridor', observationSize: 1, actionSize: 1, maxEpisodeSteps: 5 };
const corridor = defineEnvironment({
  ...facts,
  reset: () => [0],
  step: ([push = 0]) => ({ observation: [push], reward: 1, terminated: false }),
});

describe('evaluate', () => {
  const runDir = join(folder, 'task');
  beforeAll(async () => {
    await train({ ...small, env: 'InvertedPendulum-v5', runDir }, { inProcess: true }).finished;
  }, PATIENCE);

  it('gives what the policy of the checkpoint gives, in the task and time limit of the run', async () => {
    const policy = await loadPolicy(runDir, { step: 40 });
    const asked = { episodes: 3, seed: 4 };
    expect(await evaluate(runDir, { ...asked, step: 40 })).toEqual(
      await policy.evaluate({ ...asked, maxEpisodeSteps: 999 }),
    );
    policy.dispose();
  });

  it('runs ten episodes from seed 0 of the newest checkpoint unless told', async () => {
    const told = { step: 'latest', episodes: 10, seed: 0 } as const;
    expect(await evaluate(runDir)).toEqual(await evaluate(runDir, told));
  });

  it('draws the actions where that is asked for, to the same returns each time', async () => {
    const asked = { episodes: 3, seed: 4 };
    const drawn = await evaluate(runDir, { ...asked, stochastic: true });
    expect(await evaluate(runDir, { ...asked, stochastic: true })).toEqual(drawn);
    expect(await evaluate(runDir, { ...asked, stochastic: false })).toEqual(
      await evaluate(runDir, asked),
    );
    expect(drawn.returns).not.toEqual((await evaluate(runDir, asked)).returns);
    const stochastic = 'yes' as never;
    await expect(evaluate(runDir, { stochastic })).rejects.toMatchObject({ code: 'ARGUMENT_TYPE' });
  });

  it(
    'draws no actions from a policy that has no deviation',
    async () => {
      const own = join(folder, 'ddpg');
      const options = { ...small, env: 'InvertedPendulum-v5', algorithm: 'ddpg', runDir: own };
      await train(options as never, { inProcess: true }).finished;
      await expect(evaluate(own, { stochastic: true })).rejects.toMatchObject({
        code: 'POLICY_DETERMINISTIC',
        fix: 'leave stochastic out',
        exit: 2,
      });
      expect((await evaluate(own)).episodes).toBe(10);
    },
    PATIENCE,
  );

  it('refuses what is no run, a step that is not kept, and a signal that was given', async () => {
    const refused = (code: string) => expect.objectContaining({ code });
    await expect(evaluate(folder)).rejects.toEqual(refused('RUN_NOT_FOUND'));
    await expect(evaluate(runDir, { step: 7 })).rejects.toEqual(refused('CHECKPOINT_NONE'));
    await expect(evaluate(runDir, { episodes: 0 })).rejects.toEqual(refused('CONFIG_RANGE'));
    const signal = AbortSignal.abort();
    await expect(evaluate(runDir, { signal })).rejects.toEqual(refused('ABORTED'));
  });

  it(
    'asks for the environment that a program gave',
    async () => {
      const own = join(folder, 'own');
      await train({ ...small, env: corridor, runDir: own }).finished;
      await expect(evaluate(own)).rejects.toMatchObject({ code: 'ENV_MISSING' });
      const result = await evaluate(own, { environment: corridor, episodes: 2 });
      expect(result.returns).toEqual([5, 5]);
      const pushes: number[] = [];
      const told = defineEnvironment({
        ...facts,
        reset: () => [0],
        step: ([push = 0]) => {
          pushes.push(push);
          return { observation: [push], reward: 1, terminated: false };
        },
      });
      const pushesOf = async (stochastic: boolean) => {
        pushes.length = 0;
        await evaluate(own, { environment: told, episodes: 1, stochastic });
        return [...pushes];
      };
      const drawn = await pushesOf(true);
      expect(await pushesOf(true)).toEqual(drawn);
      expect(await pushesOf(false)).not.toEqual(drawn);
    },
    PATIENCE,
  );
});

describe('the other verbs in Node', () => {
  it('presets names what preset takes, with a line for each', () => {
    expect(presets().map(({ name }) => name)).toEqual([...PRESET_NAMES]);
    for (const { summary } of presets()) expect(summary).toMatch(/^.{20,90}$/);
  });

  it(
    'doctor finds the parts that the verb shows',
    async () => {
      const { parts } = await doctor();
      const names = ['libtorch', 'mujoco', 'models', 'addon', 'cpu'];
      expect(parts.map(({ name }) => name)).toEqual(expect.arrayContaining(names));
    },
    PATIENCE,
  );

  it('virel-native/schema is the schema of a config', () => {
    const schema = createRequire(import.meta.url)('../../schema/config.schema.json');
    expect(schema).toEqual(configJsonSchema());
  });
});
