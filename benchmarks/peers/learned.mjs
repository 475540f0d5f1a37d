/**
 * What both sides of a matchup of learners that have learned begin with: the networks and the transitions of a run of ours.
 *
 *     node benchmarks/peers/learned.mjs FOLDER [--algorithm virel] [--env HalfCheetah-v5] [--steps 20000] [--threads 2]
 *
 * FOLDER gets parameters.safetensors, the rows of the replay buffer as rows-N.safetensors, and the rest of the session's state,
 * which is ours alone.
 */
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { openSession, ROWS, STARTS, STEP } from './session.mjs';

/** The files of a folder, as a session takes them up. */
export const savedState = (folder) => ({
  parameters: join(folder, 'parameters.safetensors'),
  folder,
  rows: readdirSync(folder)
    .filter((name) => name.startsWith('rows-'))
    .sort()
    .map((name) => join(folder, name)),
});

/** Writes all transitions; a file takes so many and no more. */
async function saveRows(session, folder) {
  for (let next = 0; ; ) {
    const path = join(folder, `rows-${String(next).padStart(12, '0')}.safetensors`);
    const { first, count } = await session.saveReplay(path, next);
    if (count === 0) return;
    next = first + count;
  }
}

/**
 * Trains and writes.
 *
 * @param {string} folder Is made where it is missing.
 * @param {{algorithm: string, env: string, steps: number, threads: number}} what
 */
export async function learn(folder, { steps, ...what }) {
  mkdirSync(folder, { recursive: true });
  const session = openSession({ ...what, capacity: ROWS });
  await session.advance({ repeat: STARTS, phases: [{ collect: 1 }] });
  await session.advance({ repeat: steps, phases: STEP });
  await session.saveParameters(savedState(folder).parameters);
  await session.saveState(folder);
  await saveRows(session, folder);
  session.dispose();
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { values, positionals } = parseArgs({
    options: {
      algorithm: { type: 'string', default: 'virel' },
      env: { type: 'string', default: 'HalfCheetah-v5' },
      steps: { type: 'string', default: '20000' },
      threads: { type: 'string', default: '2' },
    },
    allowPositionals: true,
  });
  const [folder] = positionals;
  if (folder === undefined) throw new Error('usage: learned.mjs FOLDER [--steps 20000]');
  const { algorithm, env, steps, threads } = values;
  await learn(folder, { algorithm, env, steps: Number(steps), threads: Number(threads) });
}
