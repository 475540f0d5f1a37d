// Trains two algorithms on one task with several seeds, and says what the seeds allow to say:
//   node examples/compare-algorithms.mjs --env InvertedPendulum-v5 --steps 20000 --seeds 5 --out comparison.svg
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { compareRuns, drawComparison, train } from 'virel-native';

const text = { type: 'string' };
const flags = { env: text, steps: text, seeds: text, algorithm: text, baseline: text, out: text };
const { values } = parseArgs({ options: flags });
const { env = 'InvertedPendulum-v5', algorithm = 'beta', baseline = 'sac' } = values;
const steps = Number(values.steps ?? 20_000);
const seeds = Array.from({ length: Number(values.seeds ?? 5) }, (_, seed) => seed);

/** What both share, so that they may be compared: only the algorithm differs. */
const shared = {
  env,
  steps,
  network: { hidden: [64, 64] },
  optim: { targetUpdateRate: 0.005 },
  evaluation: { every: Math.ceil(steps / 20) },
};

const runs = [];
for (const seed of seeds)
  for (const name of [algorithm, baseline]) {
    const { runDir, finalScore } = await train({ ...shared, algorithm: name, seed }).finished;
    console.log(`${name}, seed ${seed}: ${finalScore?.toFixed(1)}`);
    runs.push(runDir);
  }

const comparison = compareRuns(runs, { baseline, at: steps });
const show = ({ value, interval }) =>
  `${value.toFixed(2)} [${interval?.map((end) => end.toFixed(2)).join(', ') ?? 'one seed'}]`;
for (const { task, groups } of comparison.tasks)
  for (const { name, iqm, improvement } of groups)
    console.log(
      `${task} ${name}: IQM ${show(iqm)}`,
      improvement ? `P(> ${baseline}) ${show(improvement)}` : '',
    );
for (const { code, message } of comparison.warnings) console.log(`${code}: ${message}`);
writeFileSync(values.out ?? 'comparison.svg', await drawComparison(comparison));
