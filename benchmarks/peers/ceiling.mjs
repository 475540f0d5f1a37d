/**
 * What the cores can do at most, for the line protocol of protocol.py: fused multiply-adds in registers on every thread at once.
 * Unit: 10⁹ floating-point operations. How long a block takes is its own affair; the best moments of it count.
 *
 *     node benchmarks/peers/ceiling.mjs [--threads 1]
 */
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { loadAddon } from '../../dist/native/addon.js';

/** Seconds of a speed, of which a calibration measures some; the multiply-adds come last. */
const SECONDS = 0.3;

if (isMainThread) {
  const { values } = parseArgs({ options: { threads: { type: 'string', default: '1' } } });
  const threads = Number(values.threads);
  // a worker that fails ends the process, as an unheard error does
  const workers = Array.from({ length: threads }, () => new Worker(new URL(import.meta.url)));
  const speedOf = (worker) =>
    new Promise((resolve) => {
      worker.once('message', resolve);
      worker.postMessage('measure');
    });
  const measure = async () => {
    const started = performance.now();
    const speeds = await Promise.all(workers.map(speedOf));
    const seconds = (performance.now() - started) / 1000;
    return { count: seconds * speeds.reduce((sum, speed) => sum + speed, 0), seconds };
  };
  const say = (answer) => process.stdout.write(`${JSON.stringify(answer)}\n`);
  await measure();
  say({ ready: true, versions: {}, threads, settings: {} });
  for await (const _ of createInterface({ input: process.stdin })) say(await measure());
  await Promise.all(workers.map((worker) => worker.terminate()));
} else {
  parentPort.on('message', () => parentPort.postMessage(loadAddon().calibrate(SECONDS).fmaGflops));
}
