/**
 * Ours, for the line protocol of protocol.py: the learner alone on a full replay buffer (unit: one update), or training
 * (unit: one environment step with its update).
 *
 *     node benchmarks/peers/ours.mjs [--work update|train] [--algorithm virel] [--env HalfCheetah-v5] [--threads 1]
 *         [--start FOLDER] [--steps 200]
 *
 * A learner goes on with what learned.mjs wrote, `--start FOLDER`; training has `--steps` steps behind it when it is ready.
 */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { updateOperations } from '../../dist/bench/arithmetic.js';
import { savedState } from './learned.mjs';
import { openSession, ROWS, STARTS, STEP, UPDATE } from './session.mjs';

const { values } = parseArgs({
  options: {
    work: { type: 'string', default: 'update' },
    algorithm: { type: 'string', default: 'virel' },
    env: { type: 'string', default: 'HalfCheetah-v5' },
    threads: { type: 'string', default: '1' },
    start: { type: 'string' },
    steps: { type: 'string', default: '200' },
  },
});
const { algorithm, env, start } = values;
const threads = Number(values.threads);

const session = openSession({
  algorithm,
  env,
  threads,
  // training fills a buffer of the size that the peers have
  capacity: values.work === 'update' ? ROWS : 1_000_000,
});

const say = (answer) => process.stdout.write(`${JSON.stringify(answer)}\n`);
const collect = (steps) => session.advance({ repeat: steps, phases: [{ collect: 1 }] });

/** Begins, and makes what the unit of work is. */
const works = {
  update: async () => {
    await (start === undefined ? collect(ROWS) : session.loadState(savedState(start)));
    return { phases: [UPDATE], warm: 200 };
  },
  train: async () => {
    await collect(STARTS);
    return { phases: STEP, warm: Number(values.steps) };
  },
};
const begin = works[values.work];
if (begin === undefined) throw new Error(`--work: update or train, got ${values.work}`);
const { phases, warm } = await begin();

async function work(count) {
  const started = performance.now();
  await session.advance({ repeat: count, phases });
  return { count, seconds: (performance.now() - started) / 1000 };
}

await work(warm);
const { version } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
);
const { runtime } = session.config;
say({
  ready: true,
  versions: { 'virel-native': version, node: process.version },
  threads: runtime.threads,
  settings: { engine: runtime.engine },
  // of the products of a unit of work; what an environment costs is none of them
  operations: updateOperations(session.config, session.task),
});
for await (const line of createInterface({ input: process.stdin })) {
  const [word, count] = line.split(' ');
  if (word !== 'block') throw new Error(`expected \`block N\`, got ${line}`);
  say(await work(Number(count)));
}
session.dispose();
