/** A contestant: a process that works when it is told to and sleeps otherwise (the line protocol of protocol.py). */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { createInterface } from 'node:readline';

/** Lines of a failed contestant's own output that are shown. */
const LAST_LINES = 30;

/** Settings of a shell that would decide how a peer computes. */
const FOREIGN = /^(OMP|MKL|KMP|OPENBLAS|XLA|JAX|GOTO)_/;

/** Seconds of processor time a process has used, all threads. */
function processorSeconds(pid) {
  // fields behind the name, which may hold spaces: utime and stime are the 14th and 15th of all, in hundredths
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** None outlives the harness, even while it sets itself up and does not listen. */
const running = new Set();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
])
  process.once(signal, () => process.exit(code));

export class Contestant {
  #child;
  #closed;
  #lines;
  #noise = [];

  /**
   * Starts the process on some cores; `ready` waits for it.
   *
   * @param {string} name In tables.
   * @param {string[]} command Program and arguments.
   * @param {number[]} cores Cores that it may use.
   */
  constructor(name, command, cores) {
    this.name = name;
    this.blocks = [];
    const env = Object.fromEntries(
      Object.entries(process.env).filter(([key]) => !FOREIGN.test(key)),
    );
    this.#child = spawn('taskset', ['-c', cores.join(','), ...command], {
      env,
      // MuJoCo writes its warnings to a file where it is started
      cwd: tmpdir(),
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    running.add(this.#child);
    this.#closed = new Promise((resolve) => this.#child.once('close', resolve)).then(() =>
      running.delete(this.#child),
    );
    // a process that has ended is noticed by its missing answer
    this.#child.on('error', (error) => this.#noise.push(error.message));
    this.#child.stdin.on('error', () => {});
    createInterface({ input: this.#child.stderr }).on('line', (line) => {
      this.#noise = [...this.#noise, line].slice(-LAST_LINES);
    });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  async #answer() {
    const { value, done } = await this.#lines.next();
    if (!done) return JSON.parse(value);
    // its last words may still be on their way
    await this.#closed;
    throw new Error(`${this.name} ended\n${this.#noise.join('\n')}`);
  }

  /** What it says of itself when it is warm: versions, threads, settings. */
  async ready() {
    const { ready, ...facts } = await this.#answer();
    if (ready !== true) throw new Error(`${this.name}: expected to be ready`);
    this.facts = facts;
    return facts;
  }

  /** Does about `count` units of work. @returns {Promise<{count: number, seconds: number}>} */
  work(count) {
    this.#child.stdin.write(`block ${count}\n`);
    return this.#answer();
  }

  /** Seconds of processor time used so far. */
  get used() {
    return processorSeconds(this.#child.pid);
  }

  /** Ends it, by the end of its input. */
  async end() {
    this.#child.stdin.end();
    const impatience = setTimeout(() => this.#child.kill(), 10_000);
    await this.#closed;
    clearTimeout(impatience);
  }
}
