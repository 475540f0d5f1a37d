/** The supervisor: without native code, survived by its trainer, and obeyed. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { compile, start, virel } from '../cli/command.js';
import { left } from './left.js';
import { endless, endOf, events, isAlive, succeed, trainerOf, until, words } from './supervised.js';

const PATIENCE = 300_000;
const folder = mkdtempSync(join(tmpdir(), 'virel-supervisor-'));
beforeAll(compile, PATIENCE);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Files of native code in a process, beside those of the system. */
const nativeFiles = (pid: number) =>
  readFileSync(`/proc/${pid}/maps`, 'utf8').match(/\S+(\.node|libtorch\S*|libmujoco\S*)$/gm) ?? [];

/** Trains to a step beyond the newest checkpoint, and compares with a run that was never touched. */
async function goesOnExactly(runDir: string): Promise<void> {
  const steps = String(endOf(runDir).summary.steps + 300);
  await succeed(['resume', runDir, '--steps', steps, '--quiet'], folder);
  await succeed(words(`${runDir}-untouched`, Number(steps)), folder);
  expect(left(runDir)).toEqual(left(`${runDir}-untouched`));
}

describe('the supervisor', () => {
  it(
    'loads no native code, the trainer does; killed, the trainer saves, ends, and the run goes on exactly',
    async () => {
      const runDir = join(folder, 'orphan');
      const running = start(endless(runDir), folder);
      const pid = await trainerOf(running, runDir);
      const supervisor = running.child.pid as number;
      expect(nativeFiles(supervisor)).toEqual([]);
      expect(nativeFiles(pid).join(' ')).toMatch(
        /virel-native\.node.*libtorch|libtorch.*virel-nat/,
      );

      running.child.kill('SIGKILL');
      await until(() => !isAlive(pid));
      const { status, summary, isLocked } = endOf(runDir);
      expect(status).toMatchObject({ state: 'saved', step: summary.steps });
      expect(summary).toMatchObject({ state: 'stopped' });
      expect(isLocked).toBe(false);
      await goesOnExactly(runDir);
    },
    PATIENCE,
  );

  it(
    'ends with the words of a run that cannot be taken up',
    async () => {
      const runDir = join(folder, 'done');
      await succeed(words(runDir, 200), folder);
      const before = endOf(runDir);
      const { code, stdout, stderr } = await virel(['resume', runDir, '--json'], folder);
      expect(code).toBe(2);
      expect(stderr).toMatch(/^error CONFIG_CONFLICT: .*is finished: 200 steps\n {2}where: /);
      expect(events(stdout)).toMatchObject([
        { event: 'error', code: 'CONFIG_CONFLICT', exit: 2 },
        { event: 'summary', state: 'failed' },
      ]);
      // a number that JSON lacks reaches the check, too
      const nan = await virel(['resume', runDir, '--set', 'optim.policyLearningRate=.nan'], folder);
      expect(nan.stderr).toContain('expected a finite number, got NaN');
      expect(endOf(runDir)).toEqual(before);
    },
    PATIENCE,
  );
});

describe('a signal to all processes of a terminal', () => {
  const group = (runDir: string) => start(endless(runDir), folder, {}, true);
  const signalGroup = (pid: number, signal: NodeJS.Signals) => process.kill(-pid, signal);

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)(
    '%s saves, and the command exits %i within 10 s',
    async (signal, exit) => {
      const runDir = join(folder, signal);
      const running = group(runDir);
      const pid = await trainerOf(running, runDir);
      const from = performance.now();
      signalGroup(running.child.pid as number, signal);
      const { code, stdout } = await running.ended;
      expect(performance.now() - from).toBeLessThan(10_000);
      expect(code).toBe(exit);
      expect(isAlive(pid)).toBe(false);
      const { status, summary, isLocked } = endOf(runDir);
      expect(status.state).toBe('saved');
      expect(summary).toMatchObject({ state: 'stopped' });
      expect(summary).toEqual(events(stdout).at(-1));
      expect(isLocked).toBe(false);
      if (signal === 'SIGHUP') await goesOnExactly(runDir);
    },
    PATIENCE,
  );

  it(
    'a second one ends all of them at once; the newest checkpoint stands',
    async () => {
      const runDir = join(folder, 'second');
      const running = group(runDir);
      const pid = await trainerOf(running, runDir);
      // asleep, it cannot save meanwhile
      process.kill(pid, 'SIGSTOP');
      signalGroup(running.child.pid as number, 'SIGINT');
      await new Promise((resolve) => setTimeout(resolve, 500));
      signalGroup(running.child.pid as number, 'SIGINT');
      expect((await running.ended).code).toBe(130);
      await until(() => !isAlive(pid));
      const again = start(['resume', runDir, '--json'], folder);
      await again.says('"event":"episode"');
      again.child.kill('SIGTERM');
      expect((await again.ended).stderr).toMatch(/^resuming .* at step [1-9]\d* .*, exact\)$/m);
    },
    PATIENCE,
  );
});

describe('a signal to the trainer alone', () => {
  it(
    'stops its run, saved, with the exit code of the signal',
    async () => {
      const runDir = join(folder, 'alone');
      const running = start(endless(runDir), folder);
      process.kill(await trainerOf(running, runDir), 'SIGTERM');
      expect((await running.ended).code).toBe(143);
      expect(endOf(runDir).summary).toMatchObject({ state: 'stopped' });
    },
    PATIENCE,
  );
});
