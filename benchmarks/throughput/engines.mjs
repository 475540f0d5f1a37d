/**
 * How much faster the `kernel` engine is than `tensor`: virel updates per second on HalfCheetah's shapes.
 *
 *     node benchmarks/throughput/engines.mjs [--threads 1] [--blocks 9] [--seconds 2]
 *
 * Both learners are warmed up, then take turns, block by block, in one process; the figure is the ratio of the
 * medians. Ratios of one run can be compared between machines, updates per second cannot.
 */
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { Session } from 'virel-native';
import { median } from '../../dist/bench/blocks.js';

const { values } = parseArgs({
  options: {
    env: { type: 'string', default: 'HalfCheetah-v5' },
    threads: { type: 'string', default: '1' },
    blocks: { type: 'string', default: '9' },
    seconds: { type: 'string', default: '2' },
  },
});
const [threads, blocks, seconds] = [values.threads, values.blocks, values.seconds].map(Number);

const COLLECT = { repeat: 2000, phases: [{ collect: 1 }] };
const update = (repeat) => ({ repeat, phases: [{ update: { mSteps: 1, eSteps: 1 } }] });

/** A session with a filled replay buffer, and the updates that take about `seconds`. */
async function prepare(engine) {
  const session = Session.create({ env: values.env, seed: 0, engine, threads });
  await session.advance(COLLECT);
  await session.advance(update(50));
  const started = performance.now();
  await session.advance(update(50));
  const perUpdate = (performance.now() - started) / 50;
  return { engine, session, updates: Math.ceil((seconds * 1000) / perUpdate), rates: [] };
}

async function block(contestant) {
  const started = performance.now();
  await contestant.session.advance(update(contestant.updates));
  contestant.rates.push((contestant.updates * 1000) / (performance.now() - started));
}

const contestants = [await prepare('kernel'), await prepare('tensor')];
for (let turn = 0; turn < blocks; turn += 1) for (const each of contestants) await block(each);

console.log(`${cpus()[0].model}, ${threads} thread(s), ${values.env}, 300x300, batch 128`);
for (const { engine, rates, session } of contestants) {
  const [low, high] = [Math.min(...rates), Math.max(...rates)].map((rate) => rate.toFixed(0));
  console.log(`${engine.padEnd(6)} ${median(rates).toFixed(0)} updates/s (${low} to ${high})`);
  session.dispose();
}
const ratio = median(contestants[0].rates) / median(contestants[1].rates);
console.log(`kernel / tensor: ${ratio.toFixed(2)}`);
