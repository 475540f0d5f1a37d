/**
 * Real processes killed for real: supervisor and trainer of `train` and `resume` end together by SIGKILL at random instants,
 * as with a machine, again and again, and the run is at its end what one is that was never touched. Stop signals save first.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { listCheckpoints } from '../../src/training/checkpoint.js';
import { compile, start } from '../cli/command.js';
import { left } from './left.js';

const MINUTE = 60_000;
const folder = mkdtempSync(join(tmpdir(), 'virel-killed-'));
beforeAll(compile);
afterAll(() => rmSync(folder, { recursive: true }));

const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** A short run with every phase in it: evaluations, records and checkpoints that are not due at once. */
const words = (algorithm: string, engine: string, runDir: string) => [
  ...['train', '--env', 'InvertedPendulum-v5', '--algorithm', algorithm, '--engine', engine],
  ...['--steps', '900', '--seed', '3', '--threads', '1', '--quiet', '--run-dir', runDir],
  ...['--eval-every', '170', '--eval-episodes', '2', '--checkpoint-every', '60', '--keep', '2'],
  ...['--set', 'network.hidden=[16,16]', '--set', 'replay.batchSize=32'],
  ...['--set', 'collect.startUpdates=100', '--set', 'logging.every=110'],
  ...(algorithm === 'beta' ? ['--set', 'residual.batch=128'] : []),
];

/** Starts a command and kills all its processes after some milliseconds, unless it ends before; whether it did. */
async function killAfter(milliseconds: number, command: readonly string[]): Promise<boolean> {
  const running = start(command, folder, {}, true);
  let ended = false;
  const end = running.ended.then((result) => {
    ended = true;
    return result;
  });
  await Promise.race([sleep(milliseconds), end]);
  if (!ended) process.kill(-(running.child.pid as number), 'SIGKILL');
  const { code, stderr } = await end;
  if (code !== 0 && code !== null) throw new Error(stderr);
  return code === 0;
}

/** Milliseconds that a whole run takes here, and how it ended. */
async function whole(command: readonly string[]): Promise<number> {
  const from = performance.now();
  expect(await start(command, folder).ended).toMatchObject({ code: 0 });
  return performance.now() - from;
}

describe('a run that is killed at random instants', () => {
  it.each([
    ['virel', 'kernel', 5],
    ['beta', 'kernel', 4],
    ['sac-twin', 'kernel', 4],
    ['virel', 'tensor', 4],
    ['beta', 'tensor', 3],
  ])(
    '%s on %s, %i times, is at its end what one is that was never touched',
    async (algorithm, engine, kills) => {
      const untouched = join(folder, `${algorithm}-${engine}-whole`);
      const runDir = join(folder, `${algorithm}-${engine}`);
      // before there is a first checkpoint, a run begins anew
      const next = () => {
        if (listCheckpoints(runDir).length > 0) return ['resume', runDir, '--quiet'];
        rmSync(runDir, { recursive: true, force: true });
        return words(algorithm, engine, runDir);
      };
      let time = await whole(words(algorithm, engine, untouched));
      let [killed, done] = [0, false];
      while (!done && killed < kills) {
        const ended = await killAfter(time * (0.25 + 0.6 * Math.random()), next());
        // a kill may also come when all is said
        done = ended || existsSync(join(runDir, 'summary.json'));
        if (!done) killed += 1;
        if (!done || killed > 0) continue;
        // the machine is faster than it was: another run, killed earlier
        rmSync(runDir, { recursive: true });
        [time, done] = [time * 0.7, false];
      }
      expect(killed).toBeGreaterThan(0);
      if (!done) await whole(next());
      expect(left(runDir)).toEqual(left(untouched));
    },
    10 * MINUTE,
  );
});

describe('a stop signal', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)(
    '%s saves and exits with %i, and the run goes on to the same end',
    async (signal, exit) => {
      const untouched = join(folder, `${signal}-whole`);
      const runDir = join(folder, signal);
      await whole(words('virel', 'kernel', untouched));
      const running = start([...words('virel', 'kernel', runDir), '--json'], folder);
      await running.says('"event":"episode"');
      running.child.kill(signal);
      expect(await running.ended).toMatchObject({ code: exit });
      expect(JSON.parse(readFileSync(join(runDir, 'status.json'), 'utf8')).state).toBe('saved');
      await whole(['resume', runDir, '--quiet']);
      expect(left(runDir)).toEqual(left(untouched));
    },
    5 * MINUTE,
  );
});
