/**
 * Where the time of an update goes: the native functions that `perf` finds in gradient steps on a replay buffer larger than
 * the caches, as text.
 *
 *     npm run build && node benchmarks/throughput/profile.mjs [--env HalfCheetah-v5] [--algorithm virel] [--updates 3000]
 *
 * One thread. Needs Linux's perf. An addon that was built with `RUSTFLAGS=-Csymbol-mangling-version=v0 npx virel-native setup
 * --force` tells functions of the same name apart by their types.
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Session } from 'virel-native';
import { configOf } from '../../dist/bench/bench.js';

const { values } = parseArgs({
  options: {
    env: { type: 'string', default: 'HalfCheetah-v5' },
    algorithm: { type: 'string', default: 'virel' },
    updates: { type: 'string', default: '3000' },
  },
});
const { env, algorithm } = values;
const updates = Number(values.updates);

/** Milliseconds that perf takes to attach. */
const ATTACH = 1000;
/** Functions below this share of the time are left out, in percent. */
const LEAST = 0.3;

const config = configOf({ env, algorithm }, 1);
const session = Session.create(config);
const update = (repeat) => ({ repeat, phases: [{ update: { mSteps: 1, eSteps: 1 } }] });
await session.advance({ repeat: config.replay.capacity, phases: [{ collect: 1 }] });
await session.advance(update(50));

const folder = mkdtempSync(join(tmpdir(), 'virel-profile-'));
const data = join(folder, 'perf.data');
const perf = spawn('perf', ['record', '--quiet', '-o', data, '-p', String(process.pid)], {
  stdio: 'ignore',
});
await sleep(ATTACH);
const started = performance.now();
await session.advance(update(updates));
const seconds = (performance.now() - started) / 1000;
perf.kill('SIGINT');
await new Promise((resolve) => perf.once('close', resolve));
session.dispose();

const report = execFileSync(
  'perf',
  [
    'report',
    '-i',
    data,
    '--stdio',
    '--fields',
    'overhead,symbol',
    '--percent-limit',
    String(LEAST),
  ],
  { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
);
rmSync(folder, { recursive: true });
console.log(
  `${cpus()[0].model}, ${env}, ${algorithm}, kernel, 1 thread: ${(updates / seconds).toFixed(0)} updates/s while watched`,
);
for (const line of report.split('\n')) {
  const found = /^\s*([\d.]+)%\s+\[(.)\]\s+(.+?)\s*$/.exec(line);
  if (found) console.log(`${found[1].padStart(6)} %  ${found[3].replaceAll('virel_engine::', '')}`);
}
