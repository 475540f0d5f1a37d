// Trains a run, follows it as it goes, and draws its learning curve:
//   node examples/learning-curve.mjs --env InvertedPendulum-v5 --steps 20000 --out curve.svg
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { plotRuns, train } from 'virel-native';

const text = { type: 'string' };
const flags = { env: text, algorithm: text, steps: text, stop: text, out: text };
const { values } = parseArgs({ options: flags });
const { env = 'InvertedPendulum-v5', algorithm = 'virel', out = 'curve.svg' } = values;
const steps = Number(values.steps ?? 20_000);
// a return at which it is good enough; never, unless asked
const enough = Number(values.stop ?? Number.POSITIVE_INFINITY);

const stop = new AbortController();
const evaluation = { every: Math.ceil(steps / 20) };
const options = { env, algorithm, steps, evaluation, optim: { targetUpdateRate: 0.005 } };
const run = train(options, { signal: stop.signal });
for await (const event of run) {
  if (event.event === 'warning') console.error(event.code, event.message);
  if (event.event !== 'evaluation') continue;
  const { step, returnMean, returnStd, episodes } = event;
  console.log(
    `step ${step}: ${returnMean.toFixed(1)} +/- ${returnStd.toFixed(1)}, ${episodes} episodes`,
  );
  // saves, and ends the loop once everything is on disk
  if (returnMean >= enough) stop.abort();
}

const { state, runDir, finalScore } = await run.finished;
const { svg } = await plotRuns([runDir]);
writeFileSync(out, svg);
console.log(`${state}: final score ${finalScore?.toFixed(1)}, ${runDir}, ${out}`);
