/**
 * Does training in this process leave the event loop free? Ticks of a 50 ms interval while `train` runs on one thread, evaluations,
 * metrics and checkpoints included, and how long an abort of `Session.advance` takes to settle.
 *
 *     npm run build && node benchmarks/throughput/event-loop.mjs [--engine kernel] [--seconds 20] [--aborts 20]
 *
 * A tick's time is 50 ms after the one before it: Node sets its interval anew at each.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Session, train } from 'virel-native';

const { values } = parseArgs({
  options: {
    engine: { type: 'string', default: 'kernel' },
    seconds: { type: 'string', default: '20' },
    aborts: { type: 'string', default: '20' },
  },
});
const PERIOD = 50;
const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const options = { env: 'HalfCheetah-v5', engine: values.engine, threads: 1 };

/** Milliseconds by which each tick missed its time, while a run trains. */
async function lateness() {
  const folder = mkdtempSync(join(tmpdir(), 'virel-event-loop-'));
  const control = new AbortController();
  const { signal } = control;
  const run = train({ ...options, runDir: join(folder, 'run') }, { signal, inProcess: true });
  // from the first gradient steps on
  for await (const event of run) if (event.event === 'evaluation') break;
  const late = [];
  let before = performance.now();
  const interval = setInterval(() => {
    const now = performance.now();
    late.push(Math.abs(now - before - PERIOD));
    before = now;
  }, PERIOD);
  await sleep(Number(values.seconds) * 1000);
  clearInterval(interval);
  control.abort();
  await run.finished;
  rmSync(folder, { recursive: true });
  return late.sort((a, b) => a - b);
}

/** Milliseconds from an abort to the settled promise of an `advance`. */
async function settling(session) {
  const control = new AbortController();
  const phases = [{ collect: 1 }, { update: { mSteps: 1, eSteps: 1 } }];
  const running = session.advance({ repeat: 1e9, phases }, { signal: control.signal });
  await sleep(100);
  const aborted = performance.now();
  control.abort();
  await running;
  return performance.now() - aborted;
}

const late = await lateness();
const session = Session.create(options);
await session.advance({ repeat: 1000, phases: [{ collect: 1 }] });
const settled = [];
for (let turn = 0; turn < Number(values.aborts); turn += 1) settled.push(await settling(session));
session.dispose();

const within = late.filter((milliseconds) => milliseconds <= 10).length / late.length;
console.log(`${cpus()[0].model}, ${values.engine}, HalfCheetah-v5, 1 thread`);
console.log(
  `${late.length} ticks of ${PERIOD} ms: ${(100 * within).toFixed(1)} % within 10 ms of their time,`,
);
console.log(`  worst ${late.at(-1).toFixed(1)} ms`);
console.log(`${settled.length} aborts settled in at most ${Math.max(...settled).toFixed(1)} ms`);
