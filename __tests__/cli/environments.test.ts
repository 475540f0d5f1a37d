import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TASKS } from '../../src/environments/tasks.js';
import { modelDirectory } from '../../src/native/addon.js';
import { loadPolicy } from '../../src/training/load-policy.js';
import { compile, virel } from './command.js';

const PATIENCE = 120_000;
let folder: string;
beforeAll(() => {
  compile();
  folder = mkdtempSync(join(tmpdir(), 'virel-environments-'));
}, PATIENCE);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Small networks and few steps: these tests are about the environment. */
const SMALL = [
  '--threads=1',
  '--steps=2000',
  '--set=network.hidden=[16,16]',
  '--set=replay.batchSize=8',
  '--set=evaluation.every=2000',
];

describe('envs --check', () => {
  it(
    'loads every shipped model and compares it',
    async () => {
      const { code, stdout } = await virel(['envs', '--check', '--json'], folder);
      expect(code).toBe(0);
      const { ok, models } = JSON.parse(stdout);
      expect(ok).toBe(true);
      expect(models.map(({ id }: { id: string }) => id)).toEqual(TASKS.map(({ id }) => id));
      expect(models.filter((each: { sha256: string | null }) => each.sha256)).toHaveLength(21);
    },
    PATIENCE,
  );

  it(
    'names a model that is not the task’s, and one that is another file with the same content',
    async () => {
      const models = join(folder, 'models');
      cpSync(modelDirectory(), models, { recursive: true });
      const hopper = readFileSync(join(models, 'hopper.xml'), 'utf8');
      writeFileSync(join(models, 'hopper.xml'), hopper.replace('gear="200.0"', 'gear="100.0"'));
      const swimmer = readFileSync(join(models, 'swimmer.xml'), 'utf8');
      writeFileSync(join(models, 'swimmer.xml'), `${swimmer}\n`);
      const { code, stdout } = await virel(['envs', '--check'], folder, { VIREL_MODELS: models });
      expect(code).toBe(2);
      expect(stdout).toMatch(/^FAILED +Hopper-v5 .*MODEL_FINGERPRINT: .*gear of an actuator/m);
      expect(stdout).toMatch(/^ok +Swimmer-v5 .*not the file of Gymnasium 1\.4\.0/m);
      expect(stdout).toMatch(/^ok +Ant-v5 +ant\.xml +cd5f83ef0ea3$/m);
    },
    PATIENCE,
  );
});

describe('a run with options of its task', () => {
  it(
    'keeps them in its config and checkpoint, and eval and loadPolicy use them',
    async () => {
      const words = ['train', '--env=Ant-v4', '--run-dir=ant', ...SMALL];
      const options = ['--set=env.useContactForces=true', '--set=env.healthyReward=100'];
      expect(await virel([...words, ...options], folder)).toMatchObject({ code: 0 });
      const run = join(folder, 'ant');
      expect(readFileSync(join(run, 'config.yaml'), 'utf8')).toContain('useContactForces: true');
      const model = join(run, 'checkpoints/000000002000/pretrained_model');
      expect(JSON.parse(readFileSync(join(model, 'config.json'), 'utf8'))).toMatchObject({
        env: 'Ant-v4',
        envOptions: { useContactForces: true, healthyReward: 100 },
        observationSize: 111,
      });

      const { code, stdout } = await virel(['eval', 'ant', '--episodes=2', '--json'], folder);
      expect(code).toBe(0);
      const { returnMean, lengths } = JSON.parse(stdout);
      // 100 for every step alive, and little else
      expect(returnMean / ((lengths[0] + lengths[1]) / 2)).toBeGreaterThan(90);

      const policy = await loadPolicy(run);
      expect(policy.act(new Float32Array(111))).toHaveLength(8);
      policy.dispose();
    },
    PATIENCE,
  );

  it(
    'warns of a model that is not Gymnasium’s file, and trains on it',
    async () => {
      const pendulum = readFileSync(join(modelDirectory(), 'inverted_pendulum.xml'), 'utf8');
      writeFileSync(join(folder, 'softer.xml'), pendulum.replace('gear="100"', 'gear="50"'));
      const words = ['train', '--env=InvertedPendulum-v5', '--run-dir=softer', '--json', ...SMALL];
      const { code, stdout } = await virel(
        [...words, '--set=env.modelFile=softer.xml', '--set=env.frameSkip=3'],
        folder,
      );
      expect(code).toBe(0);
      expect(stdout).toMatch(/"code":"MODEL_CUSTOM","message":"softer\.xml .*80910a9af85c/);
    },
    PATIENCE,
  );

  it(
    'is refused before anything is written where an option is not of the task',
    async () => {
      const words = ['train', '--env=Hopper-v5', '--run-dir=refused', '--set=env.mainBody=torso'];
      const { code, stderr } = await virel(words, folder);
      expect(code).toBe(2);
      expect(stderr).toContain('Hopper-v5 has no option env.mainBody');
      expect(stderr).toContain('forwardRewardWeight, ctrlCostWeight, healthyReward');
    },
    PATIENCE,
  );

  it(
    'trains rllab’s swimmer on a model of the user’s, and says without one which it takes',
    async () => {
      const words = ['train', '--env=swimmer-rllab', ...SMALL];
      const without = await virel([...words, '--run-dir=without'], folder);
      expect(without.code).toBe(3);
      expect(without.stderr).toContain('MODEL_MISSING');
      expect(without.stderr).toContain('collision="predefined"');

      const fixture = new URL('../fixtures/environments/swimmer-rllab.xml', import.meta.url);
      cpSync(fixture, join(folder, 'mine.xml'));
      const withModel = await virel(
        [...words, '--run-dir=swimmer', '--set=env.modelFile=mine.xml'],
        folder,
      );
      expect(withModel).toMatchObject({ code: 0 });
      const manifest = JSON.parse(readFileSync(join(folder, 'swimmer/run.json'), 'utf8'));
      expect(manifest.model.file).toBe('mine.xml');
      // from another folder the file is still found
      const evaluated = await virel(['eval', join(folder, 'swimmer'), '--episodes=1'], tmpdir());
      expect(evaluated).toMatchObject({ code: 0 });
    },
    PATIENCE,
  );
});

describe('a robot of one’s own', () => {
  const example = (name: string) =>
    fileURLToPath(new URL(`../../examples/${name}`, import.meta.url));
  const cartPole = (task: string) => [
    'train',
    '--run-dir=own',
    `--set=env.modelFile=${example('cart-pole.xml')}`,
    `--set=env.taskFile=${task}`,
    ...SMALL,
  ];

  it(
    'is trained and evaluated as its task file says',
    async () => {
      expect(await virel(cartPole(example('cart-pole.json')), folder)).toMatchObject({ code: 0 });
      const run = join(folder, 'own');
      const config = join(run, 'checkpoints/000000002000/pretrained_model/config.json');
      expect(JSON.parse(readFileSync(config, 'utf8'))).toMatchObject({
        env: 'cart-pole',
        observationSize: 5,
        actionSize: 1,
        maxEpisodeSteps: 500,
      });
      expect(readFileSync(join(run, 'task.json'), 'utf8')).toContain('"tip_height"');
      const { code, stdout } = await virel(['eval', 'own', '--episodes=1', '--json'], folder);
      expect(code).toBe(0);
      expect(JSON.parse(stdout).lengths[0]).toBeLessThanOrEqual(500);
    },
    PATIENCE,
  );

  it(
    'is refused with the line where its task names a joint that is not there',
    async () => {
      const text = readFileSync(example('cart-pole.json'), 'utf8');
      const changed = join(folder, 'wing.json');
      writeFileSync(changed, text.replace('"joint": "hinge"', '"joint": "wing"'));
      const words = cartPole(changed).map((word) => word.replace('=own', '=refused-own'));
      const { code, stderr } = await virel(words, folder);
      expect(code).toBe(2);
      expect(stderr).toMatch(
        /TASK_INVALID: .*wing\.json:16: no joint named wing; the model has track, hinge/,
      );
      writeFileSync(changed, text.replace('"frameSkip": 2,', '"frameSkip": 2'));
      const broken = await virel(words, folder);
      expect(broken.code).toBe(2);
      expect(broken.stderr).toMatch(/TASK_INVALID: .*wing\.json:3: no JSON/);
    },
    PATIENCE,
  );
});
