/** Runs that a program starts: each has a process of its own, whose death is an error of the run and not of the program. */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { holdsOnlyRun } from '../../src/sweep/state.js';
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

/**
 * What a script told, by lines.
 *
 * @param options Of Node.
 * @param leads Whether it leads a process group, as a command in a terminal does.
 */
async function script(
  text: string,
  options: readonly string[] = [],
  leads = false,
): Promise<{ told: unknown[]; stderr: string }> {
  const { NODE_OPTIONS: _jest, ...env } = process.env;
  const node = [process.execPath, ...options, '--input-type=module', '-e', HEAD + text];
  const [program = '', ...words] = leads ? ['setsid', '--wait', ...node] : node;
  const { stdout, stderr } = await promisify(execFile)(program, words, { cwd: folder, env });
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
        names.delete('progress'); // a run this short may tell none
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
        ['checkpoint', 'episode', 'evaluation', 'metrics', 'start', 'summary'],
      ]);
      expect(left(join(folder, 'bits-false'))).toEqual(left(join(folder, 'bits-true')));
      // a sweep may empty such a folder, if its run has no checkpoint yet
      expect(holdsOnlyRun(join(folder, 'bits-false'))).toBe(true);
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
        tell(refused(() => train(null)));
        tell(refused(() => train(small, null)));
        tell(refused(() => train(small, { signal: 'x' })));
        tell(refused(() => train(small, { setup: 1 })));
        tell(refused(() => train(small, { argv: [() => 1] })));
        for (const [dir, control] of [
          [42, {}], ['taken', null], ['taken', { step: '60' }], ['taken', { layers: [1] }],
          ['taken', { layers: [{ origin: 'x', values: { steps: () => 1 } }] }],
        ]) tell(await caught(resume(dir, control)));
        await new Promise((resolve) => setTimeout(resolve, 3000));
        tell(process.getActiveResourcesInfo().filter((name) => name === 'ProcessWrap'));
      `);
      expect(told).toEqual([
        expect.objectContaining({ code: 'RUN_LOCKED', where: join(folder, 'taken') }),
        expect.objectContaining({ code: 'RUN_NOT_FOUND' }),
        expect.objectContaining({ code: 'CHECKPOINT_NONE' }),
        ['CONFIG_CONFLICT', 'option inProcess'],
        ['ARGUMENT_TYPE', 'inProcess'],
        ['ARGUMENT_TYPE', 'options'],
        ['ARGUMENT_TYPE', 'control'],
        ['ARGUMENT_TYPE', 'signal'],
        ['ARGUMENT_TYPE', 'setup'],
        ['ARGUMENT_TYPE', 'argv'],
        ...['runDir', 'control', 'step', 'layers', 'options of train or resume'].map((where) =>
          expect.objectContaining({ code: 'ARGUMENT_TYPE', where }),
        ),
        [],
      ]);
    },
    PATIENCE,
  );

  it(
    'tells an end that its process wrote and had no time to tell',
    async () => {
      // the trainer is killed as it is about to tell its error
      const mute = `data:text/javascript,${encodeURIComponent(`
        const send = process.send?.bind(process);
        if (send) process.send = (message, ...rest) =>
          message.event?.event === 'error' ? process.kill(process.pid, 'SIGKILL') : send(message, ...rest);
      `)}`;
      const text = `
        const run = train({ ...small, engine: 'tensor', device: 'cuda', runDir: 'mute' });
        const events = [];
        for await (const { event, code } of run) events.push([event, code]);
        tell([await caught(run.finished), events.slice(-2), run.status().state]);
      `;
      const { told } = await script(text, ['--import', mute]);
      expect(told).toEqual([
        [
          expect.objectContaining({ code: 'DEVICE_MISSING', isVirelError: true }),
          [
            ['error', 'DEVICE_MISSING'],
            ['summary', 'DEVICE_MISSING'],
          ],
          'failed',
        ],
      ]);
    },
    PATIENCE,
  );

  it(
    "leaves signals to the program: a terminal's Ctrl-C that it goes on from stops no run",
    async () => {
      const { told } = await script(
        `
        let heard = 0;
        process.on('SIGINT', () => { heard += 1; });
        const run = train({ ...small, steps: 2000, runDir: 'signals' });
        for await (const { event } of run) if (event === 'evaluation') break;
        process.kill(-process.pid, 'SIGINT');
        process.kill(pidOf(run), 'SIGTERM');
        const { state, steps } = await run.finished;
        tell([heard, state, steps]);
      `,
        [],
        true,
      );
      expect(told).toEqual([[1, 'finished', 2000]]);
    },
    PATIENCE,
  );

  it(
    'goes on from where it was taken up: status and save say so before a step is done',
    async () => {
      const { told } = await script(`
        await train({ ...small, runDir: 'goes-on' }).finished;
        for (const inProcess of [false, true]) {
          const layers = [{ origin: 'this script', values: { steps: 1e9 } }];
          const run = await resume('goes-on', { layers, inProcess });
          const { step } = run.status();
          run.stop();
          const saved = await run.save();
          tell([step, saved === run.from.checkpoint || saved.startsWith(run.dir), (await run.finished).state]);
        }
      `);
      expect(told[0]).toEqual([600, true, 'stopped']);
      expect(told[1]).toEqual([expect.any(Number), true, 'stopped']);
      expect((told[1] as [number])[0]).toBeGreaterThanOrEqual(600);
    },
    PATIENCE,
  );

  it(
    'is held by nothing once it has ended, whatever signal it shared',
    async () => {
      const { told } = await script(
        `
        const stop = new AbortController();
        let freed = 0;
        const registry = new FinalizationRegistry(() => { freed += 1; });
        for (let index = 0; index < 3; index += 1) {
          const run = train({ ...small, steps: 120, runDir: 'held-' + index }, { signal: stop.signal });
          registry.register(await run.finished, index);
        }
        for (let turn = 0; turn < 50 && freed < 2; turn += 1) {
          globalThis.gc();
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
        tell([freed >= 2, stop.signal.aborted]);
      `,
        ['--expose-gc'],
      );
      expect(told).toEqual([[true, false]]);
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

it("gives a trainer the options of Node that are not of the program's own text, debugger, profile or test", () => {
  const words = [
    ...['--input-type', 'module', '--import', 'tsx', '--inspect-port', '0', '--test-reporter'],
    ...['spec', '--max-old-space-size=4096', '--cpu-prof', '--cpu-prof-dir', 'prof', '--expose-gc'],
    ...['--inspect-brk=9229', '-C', 'development', '--test-name-pattern', 'a', '-e', 'train()'],
  ];
  expect(inheritedOptions(words)).toEqual([
    ...['--import', 'tsx', '--max-old-space-size=4096', '--expose-gc', '-C', 'development'],
  ]);
});
