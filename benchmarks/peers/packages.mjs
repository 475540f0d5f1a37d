/** The peers' Python: a virtual environment per requirements file, shared by all clones of a user. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { takeLock } from '../../dist/setup/lock.js';
import { cacheHome } from '../../dist/setup/places.js';

const REQUIREMENTS = fileURLToPath(new URL('requirements.txt', import.meta.url));

function run(program, words) {
  const { status, error } = spawnSync(program, words, { stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) throw error ?? new Error(`${program} ${words.join(' ')} ended with ${status}`);
}

/**
 * The Python that has the peers, in a virtual environment of its own; installs them where they are missing, which an
 * interrupted set-up repeats.
 *
 * @param {string} python The Python to begin with, 3.11 or newer.
 * @returns {Promise<string>} Its path.
 */
export async function setUpPeers(python) {
  // a comment is no reason to install anew
  const requirements = readFileSync(REQUIREMENTS, 'utf8').replace(/^(#.*)?\n/gm, '');
  const name = createHash('sha256').update(requirements).digest('hex').slice(0, 8);
  const home = join(cacheHome(process.env), 'peers');
  const folder = join(home, name);
  const own = join(folder, 'bin', 'python');
  const complete = join(folder, 'complete');
  const release = await takeLock(join(home, 'setup.lock'), { onWait: console.error });
  try {
    if (existsSync(complete)) return own;
    console.error(`installing the peers into ${folder} (7 GB on disk)`);
    run(python, ['-m', 'venv', folder]);
    run(own, ['-m', 'pip', 'install', '--quiet', '-r', REQUIREMENTS]);
    writeFileSync(complete, '');
    return own;
  } finally {
    release();
  }
}
