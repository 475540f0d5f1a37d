/**
 * What a run costs beside its gradient steps: the time until its first environment step and how much of it is npm's, the memory
 * of its processes beside the replay buffer, and how much two seeds on two cores do of what one does on one.
 *
 *     npm run build && node benchmarks/throughput/runs.mjs [--env HalfCheetah-v5] [--algorithm virel] [--steps 6000] [--blocks 5]
 *
 * Commands are run as users run them, alternating; medians and ranges. Times need a machine that does nothing else.
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { listEnvironments } from 'virel-native';

const { values } = parseArgs({
  options: {
    env: { type: 'string', default: 'HalfCheetah-v5' },
    algorithm: { type: 'string', default: 'virel' },
    steps: { type: 'string', default: '6000' },
    blocks: { type: 'string', default: '5' },
  },
});
const blocks = Number(values.blocks);
const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'virel-runs-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

let runs = 0;
/** Runs `npx virel-native train`; tells every event with the milliseconds since the command. */
async function train(words, told) {
  runs += 1;
  const common = ['--env', values.env, '--algorithm', values.algorithm, '--quiet', '--json'];
  const rare = ['--eval-every', '1000000000', '--set', 'logging.every=500'];
  const place = ['--run-dir', join(folder, String(runs))];
  const from = performance.now();
  const child = spawn('npx', ['virel-native', 'train', ...common, ...rare, ...place, ...words], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface({ input: child.stdout }))
    told(JSON.parse(line), performance.now() - from, child);
}

const sorted = (numbers) => [...numbers].sort((a, b) => a - b);
const median = (numbers) => sorted(numbers)[Math.floor(numbers.length / 2)];
const show = (numbers, digits) => {
  const [all, text] = [sorted(numbers), (number) => number.toFixed(digits)];
  return `${text(median(numbers))} (${text(all[0])} to ${text(all.at(-1))})`;
};

/** Seconds from the command to the first environment step: an event's time less what the run had been training for. */
async function startUp() {
  let seconds;
  await train(['--steps', '500'], (event, milliseconds) => {
    if (event.event === 'metrics') seconds ??= milliseconds / 1000 - event.wall;
  });
  return seconds;
}

/** Seconds that npx takes before it starts a command: what it adds to one that does next to nothing. */
function npx() {
  const seconds = (command, words) => {
    const from = performance.now();
    execFileSync(command, [...words, '--version'], { cwd: root, stdio: 'ignore' });
    return (performance.now() - from) / 1000;
  };
  return (
    seconds('npx', ['virel-native']) - seconds(process.execPath, [join('bin', 'virel-native.js')])
  );
}

/** Gradient steps a second of each run, from its first record with updates to its last. */
async function speeds(words) {
  const records = new Map();
  await train(['--steps', values.steps, '--threads', '1', ...words], (event) => {
    if (event.event !== 'metrics' || event.updates === 0) return;
    records.set(event.seed, [...(records.get(event.seed) ?? []), event]);
  });
  return [...records.values()].map((all) => {
    const [first, last] = [all[0], all.at(-2)];
    return (last.updates - first.updates) / (last.wall - first.wall);
  });
}

/** Processes below one, itself included. */
function below(pid) {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean),
  );
  return [String(pid), ...children.flatMap(below)];
}

/** Proportional set size of a run's processes in megabytes, without the rows of its replay buffer. */
async function memory() {
  const task = listEnvironments().find(({ id }) => id === values.env);
  const row = 4 * (2 * task.observationSize + task.actionSize + 2);
  let megabytes;
  await train(['--steps', values.steps], (event, _, child) => {
    if (event.event !== 'metrics' || event.step * 2 < Number(values.steps)) return;
    const kilobytes = below(child.pid).map((pid) =>
      Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1]),
    );
    const all = kilobytes.reduce((sum, each) => sum + each, 0) * 1024;
    megabytes ??= (all - event.step * row) / 1e6;
  });
  return megabytes;
}

const measured = { start: [], npx: [], memory: [], ratio: [] };
for (let block = 0; block < blocks; block += 1) {
  measured.start.push(await startUp());
  measured.npx.push(npx());
  measured.memory.push(await memory());
  const [one] = await speeds(['--seed', '0']);
  const two = await speeds(['--seeds', '0-1', '--jobs', '2']);
  measured.ratio.push(two.reduce((sum, each) => sum + each) / one);
}
console.log(`${values.algorithm}, ${values.env}, ${blocks} blocks; median (range)`);
console.log(`${cpus()[0].model}, ${availableParallelism()} cores`);
console.log(`npx virel-native train to the first step, s  ${show(measured.start, 2)}`);
console.log(`  of it npx, before it starts ours, s         ${show(measured.npx, 2)}`);
console.log(`memory beside the replay buffer, MB          ${show(measured.memory, 0)}`);
console.log(`two seeds at once, times the speed of one    ${show(measured.ratio, 2)}`);
