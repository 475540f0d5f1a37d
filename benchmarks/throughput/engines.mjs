/**
 * Updates per second of the learner, engine by engine and thread by thread, on a task's shapes.
 *
 *     node benchmarks/throughput/engines.mjs [--learners kernel:1,tensor:1,cuda] [--algorithm virel] [--env HalfCheetah-v5]
 *         [--batch 128] [--hidden 300] [--blocks 9] [--seconds 1] [--json]
 *
 * A learner is `kernel:THREADS`, `tensor:THREADS` or `cuda`, the tensor engine on the first GPU. All of them are warmed up, then
 * take turns, block by block, in one process; a ratio is of medians, to the first learner's. Ratios of one run can be compared
 * between machines, updates per second cannot. `--json` prints one line of JSON instead of the table.
 */
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { Session } from 'virel-native';
import { median } from '../../dist/bench/blocks.js';

const { values } = parseArgs({
  options: {
    learners: { type: 'string', default: 'kernel:1,tensor:1' },
    algorithm: { type: 'string', default: 'virel' },
    env: { type: 'string', default: 'HalfCheetah-v5' },
    batch: { type: 'string', default: '128' },
    hidden: { type: 'string', default: '300' },
    blocks: { type: 'string', default: '9' },
    seconds: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
});
const { algorithm, env } = values;
const [batchSize, hidden, blocks, seconds] = [
  values.batch,
  values.hidden,
  values.blocks,
  values.seconds,
].map(Number);

// more rows than the residual error of `beta` takes, which it is not measured without
const COLLECT = { repeat: 6000, phases: [{ collect: 1 }] };
const update = (repeat) => ({ repeat, phases: [{ update: { mSteps: 1, eSteps: 1 } }] });

/** Engine, device and threads of a learner's name. */
function runtimeOf(name) {
  const [engine, threads = '1'] = name.split(':');
  if (engine === 'cuda') return { engine: 'tensor', device: 'cuda', threads: 1 };
  if (engine === 'kernel' || engine === 'tensor') return { engine, threads: Number(threads) };
  throw new Error(`--learners: kernel:THREADS, tensor:THREADS or cuda, got ${name}`);
}

/** A session with a filled replay buffer, and the updates that take about `seconds`. */
async function prepare(name) {
  const session = Session.create({
    ...{ env, algorithm, seed: 0 },
    ...runtimeOf(name),
    network: { hidden: [hidden, hidden] },
    replay: { batchSize },
  });
  await session.advance(COLLECT);
  await session.advance(update(50));
  const started = performance.now();
  await session.advance(update(50));
  const perUpdate = (performance.now() - started) / 50;
  return { name, session, updates: Math.ceil((seconds * 1000) / perUpdate), rates: [] };
}

async function block(contestant) {
  const started = performance.now();
  await contestant.session.advance(update(contestant.updates));
  contestant.rates.push((contestant.updates * 1000) / (performance.now() - started));
}

const contestants = [];
for (const name of values.learners.split(',')) contestants.push(await prepare(name));
for (let turn = 0; turn < blocks; turn += 1) for (const each of contestants) await block(each);
for (const { session } of contestants) session.dispose();

const first = median(contestants[0].rates);
const results = contestants.map(({ name, rates }) => ({
  learner: name,
  median: median(rates),
  low: Math.min(...rates),
  high: Math.max(...rates),
  ratio: median(rates) / first,
}));
const cpu = cpus()[0].model;
if (values.json)
  console.log(JSON.stringify({ cpu, algorithm, env, batch: batchSize, hidden, results }));
else {
  console.log(`${cpu}; ${algorithm}, ${env}, ${hidden}x${hidden}, batch ${batchSize}`);
  for (const { learner, ratio, ...rates } of results) {
    const [middle, low, high] = [rates.median, rates.low, rates.high].map((rate) =>
      rate.toFixed(0),
    );
    console.log(
      `${learner.padEnd(10)} ${middle.padStart(7)} updates/s (${low} to ${high}), ratio ${ratio.toFixed(2)}`,
    );
  }
}
