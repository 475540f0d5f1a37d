/**
 * Trains the runs of a study, some side by side, each on one thread, and keeps of each what its record needs:
 * `<run>.eval.csv`, every evaluation, and `<run>.json`, who made it. A run that the record has is not run again,
 * wherever it was made.
 */
import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEvaluations } from './evaluations.mjs';

/** One run: the name of its group, words of `train` and the seed. @typedef {{name: string, words: string[], seed: number}} Run */

/** The run's name in folders and files. */
export const runName = ({ name, seed }) => `${name}-seed-${seed}`;

/** The words behind `virel-native` that make a run. */
export const commandOf = ({ words, seed }) => [
  'train',
  ...words,
  '--seed',
  `${seed}`,
  '--threads',
  '1',
];

const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'));

/** What the record holds of a run; undefined where it holds nothing. */
export function recordedRun(record, run) {
  const file = join(record, `${runName(run)}.json`);
  if (!existsSync(file)) return undefined;
  const evaluations = join(record, `${runName(run)}.eval.csv`);
  return {
    run,
    ...readJson(file),
    evaluations: parseEvaluations(readFileSync(evaluations, 'utf8')),
  };
}

/** Copies what a finished run left to the record; whether it had finished. */
function keep(folder, record, run) {
  const summaryFile = join(folder, 'summary.json');
  if (!existsSync(summaryFile)) return false;
  const { state, env, algorithm, steps, updates, wallSeconds } = readJson(summaryFile);
  if (state !== 'finished') return false;
  const { created, git, machine, versions } = readJson(join(folder, 'run.json'));
  const made = { created, git, cpu: machine.cpu, versions };
  const facts = { env, algorithm, seed: run.seed, steps, updates, wallSeconds, ...made };
  mkdirSync(record, { recursive: true });
  copyFileSync(join(folder, 'eval.csv'), join(record, `${runName(run)}.eval.csv`));
  writeFileSync(join(record, `${runName(run)}.json`), `${JSON.stringify(facts, null, 2)}\n`);
  return true;
}

/** One run from its start; what an interrupted one left is begun anew. */
async function train(directory, record, run) {
  const folder = join(directory, runName(run));
  rmSync(folder, { recursive: true, force: true });
  const words = ['bin/virel-native.js', ...commandOf(run), '--quiet', '--run-dir', folder];
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'ignore', 'inherit'] });
  const code = await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (status, signal) => resolve(status ?? signal));
  });
  if (!keep(folder, record, run)) throw new Error(`${folder} ended with ${code}`);
}

/** All runs of a list, `jobs` at a time, in its order. A failed one is said and left; the others go on. */
export async function trainAll(directory, record, runs, jobs) {
  const isKept = (run) =>
    recordedRun(record, run) !== undefined || keep(join(directory, runName(run)), record, run);
  const left = runs.filter((run) => !isKept(run));
  async function work() {
    for (let run = left.shift(); run !== undefined; run = left.shift()) {
      try {
        await train(directory, record, run);
      } catch (error) {
        console.error(error.message);
      }
    }
  }
  await Promise.all(Array.from({ length: jobs }, work));
}
