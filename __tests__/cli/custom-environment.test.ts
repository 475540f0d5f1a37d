/** Environments written in TypeScript on the command line: `--env-module`. */
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { install, start, virel } from './command.js';

const PATIENCE = 120_000;
const folder = mkdtempSync(join(tmpdir(), 'virel-module-'));
const ROOM = `
import { defineEnvironment } from 'virel-native';
export default defineEnvironment({
  id: 'room',
  observationSize: 1,
  actionSize: 1,
  maxEpisodeSteps: 10,
  create() {
    let warmth = 0;
    return {
      reset(random) {
        warmth = random.uniform(-1, 1);
        return [warmth];
      },
      step([heat]) {
        warmth += 0.2 * heat;
        return { observation: [warmth], reward: -(warmth ** 2), terminated: false };
      },
    };
  },
});
`;

beforeAll(() => {
  install(folder);
  writeFileSync(join(folder, 'room.mjs'), ROOM);
}, PATIENCE);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const SHORT = [
  ...['--steps', '60', '--threads', '1', '--eval-every', '30', '--eval-episodes', '2'],
  ...['--set', 'network.hidden=[8]', '--set', 'replay.batchSize=8'],
  ...['--set', 'collect.startUpdates=20', '--json'],
];
const events = (stdout: string) =>
  stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
const train = (...words: string[]) => virel(['train', ...words], folder);

describe('train --env-module', () => {
  it(
    'trains several seeds in processes of their own, as one alone does; eval imports it again',
    async () => {
      const words = ['--env-module', './room.mjs', ...SHORT];
      const many = await train(...words, '--seeds', '0-1', '--jobs', '2', '--run-dir', 'many');
      expect(many).toMatchObject({ code: 0 });
      const one = await train(...words, '--seed', '1', '--run-dir', 'one');
      expect(one).toMatchObject({ code: 0 });
      const { runs } = events(many.stdout).at(-1);
      expect(runs.map(({ seed, state }: Record<string, unknown>) => [seed, state])).toEqual([
        [0, 'finished'],
        [1, 'finished'],
      ]);
      const summary = events(one.stdout).at(-1);
      const second = runs.find(({ seed }: { seed: number }) => seed === 1);
      expect(second.evaluation.returns).toEqual(summary.evaluation.returns);
      expect(summary.env).toBe('room');

      // the path is absolute in what is recorded, so another working folder will do
      const elsewhere = join(folder, 'elsewhere');
      mkdirSync(elsewhere);
      const run = JSON.parse(readFileSync(join(folder, 'one/run.json'), 'utf8'));
      expect(run.module).toEqual({
        module: join(folder, 'room.mjs'),
        sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      });
      const eval1 = await virel(['eval', '../one', '--episodes', '3', '--json'], elsewhere);
      expect(eval1).toMatchObject({ code: 0, stderr: '' });
      expect(events(eval1.stdout)[0]).toMatchObject({ episodes: 3, lengths: [10, 10, 10] });
      const again = await virel(['train', '--config', '../one/config.yaml', ...SHORT], elsewhere);
      expect(events(again.stdout).at(-1).evaluation.returns).toEqual(summary.evaluation.returns);

      renameSync(join(folder, 'room.mjs'), join(folder, 'moved.mjs'));
      try {
        const gone = await virel(['eval', 'one'], folder);
        expect(gone.code).toBe(2);
        expect(gone.stderr).toMatch(/^error ENV_MISSING: .*room\.mjs$/m);
        const moved = ['eval', 'one', '--env-module', 'moved.mjs', '--episodes', '3', '--json'];
        expect((await virel(moved, folder)).stdout).toBe(eval1.stdout);
        writeFileSync(join(folder, 'room.mjs'), `${ROOM}// another line\n`);
        const changed = await virel(['eval', 'one', '--episodes', '3', '--json'], folder);
        expect(changed.stderr).toMatch(/^warning: .*room\.mjs has changed since/);
        expect(changed.stdout).toBe(eval1.stdout);
      } finally {
        writeFileSync(join(folder, 'room.mjs'), ROOM);
      }
    },
    PATIENCE,
  );

  it(
    'stops on a signal, saves and exits as on a task',
    async () => {
      const words = ['train', '--env-module', 'room.mjs', ...SHORT, '--steps=10000000'];
      const { child, says, ended } = start(
        words.filter((word, index) => word !== '--steps' && words[index - 1] !== '--steps'),
        folder,
      );
      await says('"evaluation"');
      child.kill('SIGINT');
      const { code, stdout } = await ended;
      expect(code).toBe(130);
      expect(events(stdout).at(-1)).toMatchObject({ event: 'summary', state: 'stopped' });
    },
    PATIENCE,
  );

  it.each<[string, string, number, string, string[]]>([
    ['a missing file', 'ENV_MISSING', 2, 'no such file', ['--env-module', 'nowhere.mjs']],
    ['a folder', 'ENV_MISSING', 2, 'a folder', ['--env-module', '.']],
    ['no default export', 'ENV_INVALID', 2, 'no default export', ['--env-module', 'none.mjs']],
    ['a wrong definition', 'ENV_INVALID', 2, 'observationSize', ['--env-module', 'wrong.mjs']],
    ['a module that throws', 'ENV_FAILED', 1, 'no track', ['--env-module', 'throws.mjs']],
    [
      'a task beside it',
      'CONFIG_CONFLICT',
      2,
      'env.id "Hopper-v5" and env.module',
      ['--env-module', 'room.mjs', '--env', 'Hopper-v5'],
    ],
    ['an environment that fails', 'ENV_FAILED', 1, 'too hot', ['--env-module', 'fails.mjs']],
  ])(
    'refuses %s: %s, exit %i',
    async (_, code, exit, words, flags) => {
      writeFileSync(join(folder, 'none.mjs'), 'export const room = 1;');
      writeFileSync(join(folder, 'wrong.mjs'), 'export default { observationSize: 0 };');
      writeFileSync(join(folder, 'throws.mjs'), 'throw new Error("no track");');
      const fails = ROOM.replace('warmth += ', 'if (warmth > 0.5) throw new Error("too hot");\n$&');
      writeFileSync(join(folder, 'fails.mjs'), fails);
      const before = readdirSync(folder);
      const ended = await train(...flags, ...SHORT, '--runs-dir', 'refused');
      expect(ended.code).toBe(exit);
      expect(ended.stderr).toMatch(new RegExp(`^error ${code}: .*${words}`, 'm'));
      // what is wrong at load leaves no run behind
      if (words !== 'too hot') expect(readdirSync(folder)).toEqual(before);
    },
    PATIENCE,
  );

  it(
    'is shown with its name by config show',
    async () => {
      const { stdout } = await virel(
        ['config', 'show', '--env-module', 'room.mjs', '--json'],
        folder,
      );
      expect(JSON.parse(stdout).env).toMatchObject({
        id: 'room',
        maxEpisodeSteps: 10,
        module: join(folder, 'room.mjs'),
      });
    },
    PATIENCE,
  );
});
