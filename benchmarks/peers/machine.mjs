/** The machine that a record is made on: its name, its commit, its cores, and whether they are idle. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

/** The processor as a part of a folder's name: `amd-epyc`, `intel-xeon`. */
export const slugOf = (model) =>
  model
    .replace(/\((R|TM|tm)\)/g, '')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter(Boolean)
    .slice(0, 2)
    .join('-');

/** Cores that this process may use, by number: `0-1,4` of its status. */
export function parseCores(list) {
  return list.split(',').flatMap((range) => {
    const [first, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

/** The cores at hand. */
export const availableCores = () =>
  parseCores(/^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))[1]);

/**
 * Threads of processors in an order in which those that share a core come last: two contestants' threads on one core would
 * share its units.
 *
 * @param {number[]} available
 * @param {(core: number) => number[]} siblings All that share a core with one, itself among them.
 */
export function apartFirst(available, siblings) {
  const isFirst = (core) =>
    core === Math.min(...siblings(core).filter((other) => available.includes(other)));
  return [...available.filter(isFirst), ...available.filter((core) => !isFirst(core))];
}

/** The threads that share a core with one, as the system tells; itself alone where it does not. */
export function siblingsOf(core) {
  const file = `/sys/devices/system/cpu/cpu${core}/topology/thread_siblings_list`;
  return existsSync(file) ? parseCores(readFileSync(file, 'utf8').trim()) : [core];
}

/** What a record says of its machine. */
export const describeMachine = () => ({ cpu: cpus()[0].model, cores: availableCores().length });

/**
 * The commit, with `+` where files that it holds were changed, records aside, which a measurement itself writes;
 * `unknown` without git or outside a clone.
 */
export function describeCommit() {
  const git = (...words) => execFileSync('git', words, { encoding: 'utf8', stdio: 'pipe' }).trim();
  try {
    const others = ['--', ':/', ':(exclude,top)benchmarks/records'];
    const changed =
      git('status', '--porcelain', '--untracked-files=no', ...others) === '' ? '' : '+';
    return `${git('rev-parse', '--short=7', 'HEAD')}${changed}`;
  } catch {
    return 'unknown';
  }
}

/** Time in hundredths of a second that each core was idle, and all of its time. */
function coreTimes(cores) {
  const lines = readFileSync('/proc/stat', 'utf8').split('\n');
  return cores.map((core) => {
    const fields = lines.find((line) => line.startsWith(`cpu${core} `)).split(/\s+/);
    const times = fields.slice(1, 9).map(Number);
    return { idle: times[3] + times[4], all: times.reduce((sum, time) => sum + time, 0) };
  });
}

/**
 * Waits until every core was 90 % idle for a second.
 *
 * @param {number} patience Seconds.
 * @returns {Promise<boolean>} Whether they were; false after `patience`.
 */
export async function waitUntilIdle(patience) {
  const cores = availableCores();
  for (let waited = 0; waited < patience; waited += 1) {
    const before = coreTimes(cores);
    await sleep(1000);
    const after = coreTimes(cores);
    const shares = after.map(
      ({ idle, all }, index) => (idle - before[index].idle) / (all - before[index].all),
    );
    if (shares.every((share) => share >= 0.9)) return true;
  }
  return false;
}
