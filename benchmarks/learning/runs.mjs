/** Trains the runs of a study, some side by side, each on one thread; finished ones are not run again. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** One run: words of `train` and the seed. @typedef {{name: string, words: string[], seed: number}} Run */

/** The folder's name of a run. */
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

/** What a finished run says of itself; undefined for one that is not. */
export function summaryOf(directory, run) {
  const path = join(directory, runName(run), 'summary.json');
  if (!existsSync(path)) return undefined;
  const summary = JSON.parse(readFileSync(path, 'utf8'));
  return summary.state === 'finished' ? summary : undefined;
}

/** One run from its start; what an interrupted one left is begun anew. */
function train(directory, run) {
  if (summaryOf(directory, run) !== undefined) return Promise.resolve();
  const folder = join(directory, runName(run));
  rmSync(folder, { recursive: true, force: true });
  const words = ['bin/virel-native.js', ...commandOf(run), '--quiet', '--run-dir', folder];
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'ignore', 'inherit'] });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`${folder}: ${code}`))));
  });
}

/** All runs of a list, `jobs` at a time, in its order. A failed one is said and left; the others go on. */
export async function trainAll(directory, runs, jobs) {
  const left = [...runs];
  async function work() {
    for (let run = left.shift(); run !== undefined; run = left.shift()) {
      try {
        await train(directory, run);
      } catch (error) {
        console.error(error.message);
      }
    }
  }
  await Promise.all(Array.from({ length: jobs }, work));
}
