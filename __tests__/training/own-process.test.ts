/** Runs that a program starts: each has a process of its own, whose death is an error of the run and not of the program. */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { inheritedOptions } from '../../src/training/trainer-process.js';
import { install } from '../cli/command.js';
import { left } from './left.js';
import { endOf, isAlive, json, until } from './supervised.js';

const PATIENCE = 300_000;
const folder = mkdtempSync(join(tmpdir(), 'virel-own-process-'));
beforeAll(() => {
  install(folder);
}, PATIENCE);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What the scripts below begin with. */
const HEAD = `
import { readFileSync } from 'node:fs';
import { resume, train, defineEnvironment } from 'virel-native';
const small = {
  env: 'InvertedPendulum-v5', algorithm: 'virel', seed: 3, threads: 1, steps: 600,
  network: { hidden: [16, 16] }, replay: { batchSize: 32 }, collect: { startUpdates: 100 },
  evaluation: { every: 170, episodes: 2 }, checkpoint: { every: 60, keep: 2 }, logging: { every: 110 },
};
const pidOf = (run) => JSON.parse(readFileSync(run.dir + '/status.json', 'utf8')).pid;
const tell = (value) => console.log(JSON.stringify(value));
const caught = async (promise) => {
  try { return { resolved: await promise }; }
  catch ({ code, message, where, expected, got, fix, cause, isVirelError }) {
    return { code, message, where, expected, got, fix, cause: cause?.message, isVirelError };
  }
};
`;

/** What a script told, by lines. */
async function script(text: string): Promise<{ told: unknown[]; stderr: string }> {
  const { NODE_OPTIONS: _jest, ...env } = process.env;
  const words = ['--input-type=module', '-e', HEAD + text];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, words, {
    cwd: folder,
    env,
  });
  const told = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  return { told, stderr };
}

describe('a run that a program starts', () => {
  it(
    'is trained by another process to the bits of one that is trained in this',
    async () => {
      const { told } = await script(`
        const names = new Set();
        for (const inProcess of [false, true]) {
          const run = train({ ...small, runDir: 'bits-' + inProcess }, { inProcess });
          tell([run.dir ?? null, run.status()]);
          let pid;
          for await (const event of run) {
            names.add(event.event);
            pid ??= event.event === 'evaluation' ? pidOf(run) : undefined;
          }
          const { state, steps, runDir } = await run.finished;
          tell({ isOwn: pid !== process.pid, state, steps, isDir: runDir === run.dir, status: run.status() });
        }
        tell([...names].sort());
      `);
      const before = [null, { state: 'starting', step: 0 }];
      const after = { state: 'finished', steps: 600, isDir: true };
      const status = { state: 'finished', step: 600 };
      expect(told).toEqual([
        before,
        { isOwn: true, ...after, status },
        before,
        { isOwn: false, ...after, status },
        ['checkpoint', 'episode', 'evaluation', 'metrics', 'progress', 'start', 'summary'],
      ]);
      expect(left(join(folder, 'bits-false'))).toEqual(left(join(folder, 'bits-true')));
    },
    PATIENCE,
  );

  it.each(['SIGKILL', 'SIGABRT'])(
    'rejects with TRAINER_DIED when its process is ended by %s; the program goes on, and resumes it',
    async (signal) => {
      const { told } = await script(
        `
        const run = train({ ...small, steps: 1e9, runDir: '${signal}' });
        for await (const { event } of run) if (event === 'evaluation') break;
        process.kill(pidOf(run), '${signal}');
        tell(await caught(run.finished));
        tell(run.status().state);
        tell(await caught(run.save()));
        const again = await resume('${signal}', {
          layers: [{ origin: 'this script', values: { steps: run.status().step + 200 } }],
        });
        tell([again.from.step <= run.status().step, again.config.algorithm, again.from.inexact]);
        tell((await again.finished).state);
      `,
      );
      expect(told).toEqual([
        expect.objectContaining({
          code: 'TRAINER_DIED',
          message: expect.stringContaining(signal),
          where: join(folder, signal),
          fix: `npx virel-native resume ${join(folder, signal)}`,
          isVirelError: true,
        }),
        'failed',
        expect.objectContaining({ code: 'ABORTED' }),
        [true, 'virel', []],
        'finished',
      ]);
    },
    PATIENCE,
  );

  it(
    'saves when it is asked to, even before it has begun, and stops when it is asked to',
    async () => {
      const { told } = await script(`
        const run = train({ ...small, steps: 1e9, checkpoint: { every: 1e9 }, runDir: 'saves' });
        const [first, same] = await Promise.all([run.save(), run.save()]);
        tell([first === same, first.startsWith(run.dir)]);
        for await (const { event } of run) if (event === 'evaluation') break;
        const second = await run.save();
        tell([first !== second, second]);
        run.stop();
        const { state, steps } = await run.finished;
        tell([state, run.status().state, steps === run.status().step]);
      `);
      expect(told[0]).toEqual([true, true]);
      const [isAnother, path] = told[1] as [boolean, string];
      expect([isAnother, existsSync(join(path, 'MANIFEST.json'))]).toEqual([true, true]);
      expect(told[2]).toEqual(['stopped', 'saved', true]);
    },
    PATIENCE,
  );

  it(
    'writes nothing, and starts no process, where it is stopped before it begins',
    async () => {
      const { told } = await script(`
        const run = train({ ...small, runDir: 'never' }, { signal: AbortSignal.abort() });
        const events = [];
        for await (const { event, code } of run) events.push([event, code]);
        tell([await caught(run.finished), events, process.getActiveResourcesInfo().includes('ProcessWrap')]);
      `);
      expect(told).toEqual([
        [
          expect.objectContaining({ code: 'ABORTED' }),
          [
            ['error', 'ABORTED'],
            ['summary', 'ABORTED'],
          ],
          false,
        ],
      ]);
      expect(existsSync(join(folder, 'never'))).toBe(false);
    },
    PATIENCE,
  );

  it(
    'rejects with what its process met, cause included, and refuses what cannot leave this process',
    async () => {
      const { told } = await script(`
        await train({ ...small, steps: 150, runDir: 'taken' }).finished;
        tell(await caught(train({ ...small, runDir: 'taken' }).finished));
        tell(await caught(resume('nothing')));
        tell(await caught(resume('taken', { step: 7 })));
        const refused = (work) => { try { work(); } catch ({ code, where }) { return [code, where]; } };
        const createSession = () => {};
        tell(refused(() => train(small, { inProcess: false, createSession })));
        tell(refused(() => train(small, { inProcess: 'yes' })));
      `);
      expect(told).toEqual([
        expect.objectContaining({ code: 'RUN_LOCKED', where: join(folder, 'taken') }),
        expect.objectContaining({ code: 'RUN_NOT_FOUND' }),
        expect.objectContaining({ code: 'CHECKPOINT_NONE' }),
        ['CONFIG_CONFLICT', 'option inProcess'],
        ['CONFIG_TYPE', 'option inProcess'],
      ]);
    },
    PATIENCE,
  );

  it(
    'is saved and ended by its own process when the program is killed',
    async () => {
      const dying = script(`
        const run = train({ ...small, steps: 1e9, runDir: 'orphan' });
        for await (const { event } of run) if (event === 'evaluation') process.kill(process.pid, 'SIGKILL');
      `);
      await expect(dying).rejects.toMatchObject({ signal: 'SIGKILL' });
      const runDir = join(folder, 'orphan');
      await until(() => existsSync(join(runDir, 'summary.json')));
      const { pid } = json(join(runDir, 'status.json'));
      await until(() => !isAlive(pid));
      expect(endOf(runDir)).toMatchObject({ summary: { state: 'stopped' }, isLocked: false });
    },
    PATIENCE,
  );

  it(
    'sets the native part up where that is asked for, and says so where it is not',
    async () => {
      const { told, stderr } = await script(`
        process.env.VIREL_HOME = process.cwd() + '/empty-home';
        tell(await caught(train({ ...small, runDir: 'unset' }).finished));
        // no compiler and no download: what set-up itself says shows that it was begun
        process.env.PATH = '/nowhere';
        for (const inProcess of [false, true])
          tell(await caught(train({ ...small, runDir: 'set-' + inProcess }, { setup: true, inProcess }).finished));
      `);
      expect(told).toEqual([
        expect.objectContaining({ code: 'NATIVE_MISSING', fix: expect.stringContaining('setup') }),
        expect.objectContaining({ code: 'TOOL_MISSING' }),
        expect.objectContaining({ code: 'TOOL_MISSING' }),
      ]);
      expect(stderr).not.toContain('    at ');
      expect(existsSync(join(folder, 'set-false'))).toBe(false);
    },
    PATIENCE,
  );
});

it("gives a trainer the options of Node that are not of the program's own text", () => {
  expect(
    inheritedOptions([
      ...[
        '--input-type',
        'module',
        '--import=tsx',
        '--inspect-brk=9229',
        '--max-old-space-size=4096',
      ],
      ...['--input-type=module', '-e', 'train()'],
    ]),
  ).toEqual(['--import=tsx', '--max-old-space-size=4096']);
});
