/**
 * Does training leave the event loop free? Ticks of a 50 ms interval while a session trains on one thread, and how
 * long an abort takes to settle.
 *
 *     node benchmarks/throughput/event-loop.mjs [--engine kernel] [--seconds 20] [--aborts 20]
 */
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { Session } from 'virel-native';

const { values } = parseArgs({
  options: {
    engine: { type: 'string', default: 'kernel' },
    seconds: { type: 'string', default: '20' },
    aborts: { type: 'string', default: '20' },
  },
});
const PERIOD = 50;
const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const session = Session.create({ env: 'HalfCheetah-v5', engine: values.engine, threads: 1 });
const training = { repeat: 1e9, phases: [{ collect: 1 }, { update: { mSteps: 1, eSteps: 1 } }] };

/** Trains until the returned function is called; it resolves to the milliseconds from abort to settled. */
function start() {
  const control = new AbortController();
  const running = session.advance(training, { signal: control.signal });
  return async () => {
    const aborted = performance.now();
    control.abort();
    await running;
    return performance.now() - aborted;
  };
}

// updates begin once the buffer holds enough
await session.advance({ repeat: 1000, phases: [{ collect: 1 }] });
const stop = start();
const late = [];
let due = performance.now() + PERIOD;
const interval = setInterval(() => {
  const now = performance.now();
  late.push(Math.abs(now - due));
  due = now + PERIOD;
}, PERIOD);
await sleep(Number(values.seconds) * 1000);
clearInterval(interval);
const settled = [await stop()];
for (let turn = 1; turn < Number(values.aborts); turn += 1) {
  const stopAgain = start();
  await sleep(100);
  settled.push(await stopAgain());
}
session.dispose();

late.sort((a, b) => a - b);
const within = late.filter((milliseconds) => milliseconds <= 10).length / late.length;
console.log(`${cpus()[0].model}, ${values.engine}, HalfCheetah-v5, 1 thread`);
console.log(
  `${late.length} ticks of ${PERIOD} ms: ${(100 * within).toFixed(1)} % within 10 ms of their time,`,
);
console.log(`  worst ${late.at(-1).toFixed(1)} ms`);
console.log(`${settled.length} aborts settled in at most ${Math.max(...settled).toFixed(1)} ms`);
