/** Trainers that die: one error, a folder that says so, and a run that goes on to the same bits. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { modelDirectory } from '../../src/native/addon.js';
import { listCheckpoints } from '../../src/training/checkpoint.js';
import { install, type Running, start, virel } from '../cli/command.js';
import { untimedMetrics } from '../support/untimed.js';
import { left } from './left.js';
import { endless, endOf, events, isAlive, json, succeed, trainerOf, words } from './supervised.js';

const PATIENCE = 300_000;
const folder = mkdtempSync(join(tmpdir(), 'virel-trainer-'));
beforeAll(() => {
  install(folder);
}, PATIENCE);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The lines of standard error that tell an error. */
const errors = (stderr: string) => stderr.split('\n').filter((line) => line.startsWith('error '));

/** Trains on after a death until `steps`, and compares with a run that was never touched. */
async function goesOnTo(steps: number, runDir: string): Promise<void> {
  const untouched = `${runDir}-untouched`;
  await succeed(words(untouched, steps), folder);
  await succeed(['resume', runDir, '--steps', String(steps), '--quiet'], folder);
  expect(left(runDir)).toEqual(left(untouched));
}

describe('a trainer that is ended by', () => {
  it.each(['SIGKILL', 'SIGABRT', 'SIGSEGV'] as const)(
    '%s is one error with the checkpoint that stands; resume goes on exactly',
    async (signal) => {
      const runDir = join(folder, signal);
      const running = start(endless(runDir), folder);
      const pid = await trainerOf(running, runDir);
      process.kill(pid, signal);
      const { code, stdout, stderr } = await running.ended;
      const all = events(stdout);
      const step = Number(listCheckpoints(runDir).at(-1));

      expect(code).toBe(1);
      expect(errors(stderr)).toHaveLength(1);
      expect(all.slice(-2)).toMatchObject([
        {
          event: 'error',
          code: 'TRAINER_DIED',
          message: expect.stringMatching(
            new RegExp(`^virel, InvertedPendulum-v5, seed 3: .* ${signal}.* checkpoint ${step} st`),
          ),
          where: runDir,
          fix: `npx virel-native resume ${runDir}`,
          exit: 1,
        },
        { event: 'summary', state: 'failed', code: 'TRAINER_DIED', runDir },
      ]);
      const { status, summary, log, isLocked } = endOf(runDir);
      expect(summary).toEqual(all.at(-1));
      expect(summary.steps).toBeGreaterThanOrEqual(step);
      expect(status).toMatchObject({ state: 'failed', code: 'TRAINER_DIED', step: summary.steps });
      expect(log.slice(-2).map(({ event }) => event)).toEqual(['error', 'summary']);
      expect(isLocked).toBe(false);
      expect(isAlive(pid)).toBe(false);
      // nothing that was told is missing from the files
      const told = all.filter(({ event }) => event === 'metrics').map((event) => event.step);
      const written = untimedMetrics(join(runDir, 'metrics.jsonl')).map((record) => record.step);
      expect(written.slice(0, told.length)).toEqual(told);
      if (signal === 'SIGKILL') await goesOnTo(step + 300, runDir);
    },
    PATIENCE,
  );

  it(
    'a signal while a run goes on keeps its earlier evaluations in the summary',
    async () => {
      const runDir = join(folder, 'twice');
      await succeed(words(runDir, 400), folder);
      const rare = ['--steps', '1000000000', '--set', 'evaluation.every=1000000000'];
      const running = start(['resume', runDir, ...rare, '--json'], folder);
      await running.says('"event":"checkpoint"');
      process.kill(json(join(runDir, 'status.json')).pid, 'SIGKILL');
      const { code, stdout } = await running.ended;
      expect(code).toBe(1);
      const summary = events(stdout).at(-1);
      expect(summary).toMatchObject({
        state: 'failed',
        code: 'TRAINER_DIED',
        seed: 3,
        evaluation: { step: 400 },
      });
      expect(summary.steps).toBeGreaterThan(400);
      expect(endOf(runDir).summary).toEqual(summary);
    },
    PATIENCE,
  );
});

describe('MuJoCo', () => {
  it(
    'ending the process is MUJOCO_FATAL, with its reason',
    async () => {
      const model = readFileSync(join(modelDirectory(), 'hopper.xml'), 'utf8');
      const small = model.replace('<worldbody>', '<size memory="8K"/><worldbody>');
      writeFileSync(join(folder, 'small.xml'), small);
      const asked = ['--env', 'Hopper-v5', '--set', 'env.modelFile=small.xml'];
      const place = ['--run-dir', 'fatal'];
      const { code, stderr } = await virel(['train', ...asked, '--quiet', ...place], folder);
      expect(code).toBe(1);
      expect(stderr).toMatch(
        /^error MUJOCO_FATAL: virel, Hopper-v5, seed 0: MuJoCo ended the trainer process: "mj_stackAlloc: [^"]*", near step 0; there is no checkpoint yet\n {2}where: .*fatal\n {2}got: max = 8192, .*increase <size memory.*\n {2}fix: mend the model/,
      );
      const { status, summary, isLocked } = endOf(join(folder, 'fatal'));
      expect(status).toMatchObject({ state: 'failed', code: 'MUJOCO_FATAL' });
      expect(summary).toMatchObject({ state: 'failed', code: 'MUJOCO_FATAL', steps: 0 });
      expect(isLocked).toBe(false);
    },
    PATIENCE,
  );
});

describe('an environment in TypeScript', () => {
  /** A module whose 300th step does a deed. */
  const room = (deed: string, atImport: string) => `
import { defineEnvironment } from 'virel-native';
${atImport}
let steps = 0;
export default defineEnvironment({
  id: 'room', observationSize: 1, actionSize: 1, maxEpisodeSteps: 10,
  create: () => ({
    reset: () => [0],
    step() {
      steps += 1;
      if (steps === 300) { ${deed} }
      return { observation: [0], reward: 0, terminated: false };
    },
  }),
});
`;
  const train = (name: string, deed: string, atImport = '') => {
    writeFileSync(join(folder, `${name}.mjs`), room(deed, atImport));
    const asked = ['--env-module', `${name}.mjs`, '--steps', '100000', '--threads', '1'];
    const small = ['--set', 'network.hidden=[8]', '--set', 'replay.batchSize=8'];
    const rare = ['--eval-every', '100000', '--set', 'logging.every=100', '--quiet', '--json'];
    return start(['train', ...asked, ...small, ...rare, '--run-dir', name], folder);
  };

  /** Resolves once standard error holds a text. */
  const hears = ({ child }: Running, text: string) =>
    new Promise<void>((resolve) => {
      child.stderr?.on('data', (said: string) => said.includes(text) && resolve());
    });

  it(
    'that ends the process is TRAINER_DIED with the exit code, and no command that goes on',
    async () => {
      const { code, stdout } = await train('exits', 'process.exit(7)').ended;
      expect(code).toBe(1);
      expect(events(stdout).at(-2)).toMatchObject({
        code: 'TRAINER_DIED',
        message: expect.stringContaining('exit code 7'),
        fix: 'train into a new run',
      });
    },
    PATIENCE,
  );

  it(
    'that dies while it is imported leaves a folder that says so',
    async () => {
      // the supervisor imports it, too, for its name
      const atImport = "if (process.send) process.kill(process.pid, 'SIGKILL');";
      const { code, stdout } = await train('imported', '', atImport).ended;
      expect(code).toBe(1);
      const { status, summary, log, isLocked } = endOf(join(folder, 'imported'));
      expect(status).toMatchObject({ state: 'failed', code: 'TRAINER_DIED', step: 0 });
      expect(summary).toEqual(events(stdout).at(-1));
      expect(log.map(({ event }) => event)).toEqual(['error', 'summary']);
      expect(isLocked).toBe(false);
    },
    PATIENCE,
  );

  it(
    'that is stopped while it is imported ends as a stopped run, saved at its first step',
    async () => {
      const wait = 'await new Promise((resolve) => setTimeout(resolve, 500));';
      const atImport = `if (process.send) { console.error('now'); ${wait} }`;
      const running = train('early', '', atImport);
      await hears(running, 'now');
      running.child.kill('SIGTERM');
      expect((await running.ended).code).toBe(143);
      const { status, summary } = endOf(join(folder, 'early'));
      expect(status).toMatchObject({ state: 'saved', step: 0 });
      expect(summary).toMatchObject({ state: 'stopped', steps: 0 });
      expect(listCheckpoints(join(folder, 'early'))).toEqual(['000000000000']);
    },
    PATIENCE,
  );

  it(
    'that throws where nobody catches is TRAINER_DIED, and the stack is shown',
    async () => {
      const deed = 'setTimeout(() => { throw new Error("too late"); })';
      const { stdout, stderr } = await train('throws', deed).ended;
      expect(events(stdout).at(-2)).toMatchObject({ code: 'TRAINER_DIED' });
      expect(stderr).toMatch(/Error: too late\n {4}at .*throws\.mjs/);
    },
    PATIENCE,
  );

  it(
    'that never returns is ended 10 s after a stop',
    async () => {
      const running = train('hangs', 'console.error("now"); for (;;);');
      await hears(running, 'now');
      const from = performance.now();
      running.child.kill('SIGTERM');
      const { code, stdout } = await running.ended;
      expect(performance.now() - from).toBeGreaterThan(9_900);
      expect(code).toBe(1);
      expect(events(stdout).at(-2)).toMatchObject({
        code: 'TRAINER_DIED',
        message: expect.stringContaining('did not stop within 10 s'),
      });
      expect(endOf(join(folder, 'hangs')).status).toMatchObject({ state: 'failed' });
    },
    PATIENCE,
  );
});
