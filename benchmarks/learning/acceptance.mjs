/**
 * Does it learn? Trains virel on InvertedPendulum-v5 (40,000 steps, five seeds, both engines) and on
 * HalfCheetah-v5 (100,000 steps, two seeds), and writes the table of their evaluations.
 *
 *     npm run build && node benchmarks/learning/acceptance.mjs DIR [--jobs 2]
 *
 * Runs go to DIR/<task>-<engine>-seed-<n>; a finished one is not run again. The table goes to DIR/README.md.
 * Each run uses one thread, and `--jobs` of them go on side by side. Evaluations are the preset's: every 1,000
 * steps, the deterministic policy, whole episodes until more than 1,000 steps.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadEvaluations } from './evaluations.mjs';

const { values, positionals } = parseArgs({
  options: { jobs: { type: 'string', default: '2' } },
  allowPositionals: true,
});
const [directory] = positionals;
if (directory === undefined) throw new Error('usage: acceptance.mjs DIR [--jobs 2]');

const ENGINES = ['kernel', 'tensor'];
const pendulum = (engine, seed) => ({ env: 'InvertedPendulum-v5', steps: 40_000, engine, seed });
const cheetah = (seed) => ({ env: 'HalfCheetah-v5', steps: 100_000, engine: 'kernel', seed });
const RUNS = [
  ...ENGINES.flatMap((engine) => [0, 1, 2, 3, 4].map((seed) => pendulum(engine, seed))),
  ...[0, 1].map(cheetah),
];

const folder = ({ env, engine, seed }) => join(directory, `${env}-${engine}-seed-${seed}`);

function argumentsOf({ env, steps, engine, seed }) {
  const target = ['--set', 'optim.targetUpdateRate=0.005'];
  return [
    'train',
    '--env',
    env,
    '--steps',
    `${steps}`,
    ...target,
    '--seed',
    `${seed}`,
    '--engine',
    engine,
    '--threads',
    '1',
  ];
}

/** A run that did not finish is begun anew. */
function isFinished(run) {
  const summary = join(folder(run), 'summary.json');
  if (existsSync(summary) && JSON.parse(readFileSync(summary, 'utf8')).state === 'finished')
    return true;
  rmSync(folder(run), { recursive: true, force: true });
  return false;
}

function train(run) {
  if (isFinished(run)) return Promise.resolve();
  const words = ['bin/virel-native.js', ...argumentsOf(run), '--quiet', '--run-dir', folder(run)];
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'ignore', 'inherit'] });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) =>
      code === 0 ? resolve() : reject(new Error(`${folder(run)}: ${code}`)),
    );
  });
}

/** Takes runs off the list until none is left. */
async function work(left) {
  for (let run = left.shift(); run !== undefined; run = left.shift()) await train(run);
}

const mean = (list) => list.reduce((sum, value) => sum + value, 0) / list.length;
function median(list) {
  const sorted = [...list].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return mean(sorted.slice(Math.ceil(middle) - 1, Math.floor(middle) + 1));
}

function row(run) {
  const evaluations = loadEvaluations(folder(run));
  const tail = evaluations
    .filter(({ step }) => step > run.steps - 10_000)
    .map((e) => e.return_mean);
  const score = run.env.startsWith('Half') ? mean(tail.slice(-5)) : median(tail);
  return `| ${run.env} | ${run.engine} | ${run.seed} | ${score.toFixed(0)} |`;
}

mkdirSync(directory, { recursive: true });
const left = [...RUNS];
await Promise.all(Array.from({ length: Number(values.jobs) }, () => work(left)));

const day = new Date().toISOString().slice(0, 10);
const table = `# Does it learn? ${day}

${cpus()[0].model}, one thread a run, ${values.jobs} runs side by side. Made by
\`node benchmarks/learning/acceptance.mjs ${directory}\`; each row is

    npx virel-native ${argumentsOf({ env: 'ENV', steps: 'STEPS', engine: 'ENGINE', seed: 'SEED' }).join(' ')}

with 40,000 steps on InvertedPendulum-v5 (score: median of the evaluations in the last 10,000 steps, at most 999) and
100,000 steps on HalfCheetah-v5 (score: mean of the last five evaluations).

| task | engine | seed | score |
| --- | --- | ---: | ---: |
${RUNS.map(row).join('\n')}
`;
writeFileSync(join(directory, 'README.md'), table);
console.log(table);
