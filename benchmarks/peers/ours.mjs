/**
 * Ours, for the line protocol of protocol.py: the learner alone on a full replay buffer (unit: one update), or training
 * (unit: one environment step with its update).
 *
 *     node benchmarks/peers/ours.mjs [--work update|train] [--algorithm virel] [--env HalfCheetah-v5] [--threads 1]
 *
 * 300x300 and batch 128 for every algorithm; everything else as `train` has it.
 */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { Session } from 'virel-native';
import { updateOperations } from '../../dist/bench/arithmetic.js';
import { findTask } from '../../dist/config/choices.js';
import { TASKS } from '../../dist/environments/tasks.js';

const { values } = parseArgs({
  options: {
    work: { type: 'string', default: 'update' },
    algorithm: { type: 'string', default: 'virel' },
    env: { type: 'string', default: 'HalfCheetah-v5' },
    threads: { type: 'string', default: '1' },
    rows: { type: 'string', default: '100000' },
  },
});
const rows = Number(values.rows);
const update = { update: { mSteps: 1, eSteps: 1 } };
const phases = { update: [update], train: [{ collect: 1 }, update] }[values.work];
if (phases === undefined) throw new Error(`--work: update or train, got ${values.work}`);

const session = Session.create({
  env: values.env,
  algorithm: values.algorithm,
  seed: 0,
  threads: Number(values.threads),
  network: { hidden: [300, 300] },
  // training fills a buffer of the size that the peers have
  replay: { batchSize: 128, capacity: values.work === 'update' ? rows : 1_000_000 },
  collect: { uniformSteps: 1000 },
});
const say = (answer) => process.stdout.write(`${JSON.stringify(answer)}\n`);

async function work(count) {
  const started = performance.now();
  await session.advance({ repeat: count, phases });
  return { count, seconds: (performance.now() - started) / 1000 };
}

await session.advance({ repeat: values.work === 'update' ? rows : 1000, phases: [{ collect: 1 }] });
await work(200);

const { version } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
);
const { engine, threads } = session.config.runtime;
const task = findTask({ value: values.env, origin: '--env' }, TASKS);
say({
  ready: true,
  versions: { 'virel-native': version, node: process.version },
  threads,
  settings: { engine },
  // of the products of a unit of work; what an environment costs is none of them
  operations: updateOperations(session.config, task),
});
for await (const line of createInterface({ input: process.stdin })) {
  const [word, count] = line.split(' ');
  if (word !== 'block') throw new Error(`expected \`block N\`, got ${line}`);
  say(await work(Number(count)));
}
session.dispose();
