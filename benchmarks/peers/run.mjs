/**
 * Ours beside what people would use instead: processes that take turns, block by block, on the same cores.
 *
 *     npm run bench:peers -- [--only NAME] [--blocks 7] [--seconds 2] [--out DIR] [--check]
 *
 * `--only` takes a matchup of matchups.mjs (several times, or its beginning: `--only virel`); `--python` the Python that the
 * peers are installed with, 3.11 or newer, `--installed` one that has them already, whatever their versions (the record names
 * them), and `--without` leaves a peer out; `--patience` the seconds to wait for idle cores. DIR is
 * benchmarks/records/<date>-<cpu>/peers unless given; it gets peers.json, README.md and peers.svg, and keeps the matchups it
 * had that are not measured again. `--check` measures nothing: it holds the peers' gradient steps to the reference.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { drawPeers } from './chart.mjs';
import { Contestant } from './contestant.mjs';
import {
  apartFirst,
  availableCores,
  describeCommit,
  describeMachine,
  siblingsOf,
  slugOf,
  waitUntilIdle,
} from './machine.mjs';
import { CEILING, MATCHUPS, OURS } from './matchups.mjs';
import { setUpPeers } from './packages.mjs';
import { rate, report, standings } from './report.mjs';
import { blockSize } from './statistics.mjs';

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: [''] },
    blocks: { type: 'string', default: '7' },
    seconds: { type: 'string', default: '2' },
    out: { type: 'string' },
    python: { type: 'string', default: 'python3' },
    installed: { type: 'string' },
    without: { type: 'string', multiple: true, default: [] },
    patience: { type: 'string', default: '300' },
    check: { type: 'boolean', default: false },
  },
});
const [blocks, seconds, patience] = [values.blocks, values.seconds, values.patience].map(Number);
const chosen = MATCHUPS.filter(({ name }) => values.only.some((word) => name.startsWith(word))).map(
  (matchup) => ({
    ...matchup,
    peers: matchup.peers.filter(({ name }) => !values.without.includes(name)),
  }),
);
if (chosen.length === 0)
  throw new Error(`--only: one of ${MATCHUPS.map(({ name }) => name).join(', ')}`);

/** After a block: the threads of some libraries spin for a while before they sleep. */
const REST = 500;

const file = (name) => fileURLToPath(new URL(name, import.meta.url));
const words = (options) =>
  Object.entries(options).flatMap(([key, value]) => [`--${key}`, `${value}`]);
const say = (text) => console.error(text);

/** The peers' gradient steps against the reference, every algorithm on both tasks' shapes. */
function check(python) {
  const folder = mkdtempSync(join(tmpdir(), 'virel-peers-'));
  const run = (program, args) => {
    const { status } = spawnSync(program, args, { stdio: 'inherit' });
    if (status !== 0) process.exitCode = 1;
  };
  try {
    for (const { ours } of chosen.filter((matchup) => matchup.ours.work === 'update')) {
      const { algorithm, env } = ours;
      const path = join(folder, `${algorithm}-${env}.json`);
      if (existsSync(path)) continue;
      run(process.execPath, [file('case.mjs'), path, ...words({ algorithm, env })]);
      for (const peer of ['jax_virel.py', 'torch_virel.py'])
        run(python, [file(peer), '--check', path]);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/**
 * The folder that both sides of a matchup begin with, made by learned.mjs where this run has not made it yet.
 *
 * @returns {string | undefined} Nothing for those that begin fresh.
 */
function beginning({ learned, threads }, folder) {
  if (learned === undefined) return undefined;
  const place = join(folder, Object.values(learned).join('-'));
  if (existsSync(place)) return place;
  say(`  a run of ${learned.steps} steps of ${learned.algorithm} on ${learned.env} comes first`);
  const args = [file('learned.mjs'), place, ...words({ ...learned, threads })];
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit', cwd: tmpdir() });
  if (status !== 0) throw new Error(`learned.mjs ended with ${status}`);
  return place;
}

/** Starts the contestants of a matchup one after the other, so that each sets itself up alone. */
async function enter({ threads, ours, peers }, start, python, started) {
  const cores = apartFirst(availableCores(), siblingsOf).slice(0, threads);
  if (cores.length < threads)
    throw new Error(`${threads} cores are needed, ${cores.length} are here`);
  const common = words({ threads, ...(start && { start }) });
  const entries = [
    [OURS, [process.execPath, file('ours.mjs'), ...words(ours), ...common]],
    ...peers.map((peer) => [
      peer.name,
      [python, file(peer.file), ...words(peer.options), ...common],
      peer.asked,
    ]),
    [CEILING, [process.execPath, file('ceiling.mjs'), ...words({ threads })]],
  ];
  for (const [name, command, asked] of entries) {
    say(`  ${name} sets itself up`);
    const contestant = new Contestant(name, command, cores);
    started.push(contestant);
    contestant.asked = asked;
    const facts = await contestant.ready();
    if (facts.threads > threads) throw new Error(`${name} uses ${facts.threads} threads`);
  }
}

/** Units of a block, from growing tries. */
async function calibrate(contestant) {
  let tried = await contestant.work(8);
  while (tried.seconds < seconds / 8) tried = await contestant.work(4 * tried.count);
  contestant.size = blockSize(tried, seconds);
  await sleep(REST);
}

/** One block of a contestant. @returns Processor time that the others used meanwhile. */
async function block(contestant, others) {
  const used = () => others.reduce((sum, other) => sum + other.used, 0);
  const before = used();
  const { count, seconds: took } = await contestant.work(contestant.size);
  contestant.blocks.push({ count, seconds: took });
  const disturbance = used() - before;
  await sleep(REST);
  return { took, disturbance };
}

/** Waits for idle cores, and says so when it gives up. */
async function isQuiet() {
  const idle = await waitUntilIdle(patience);
  if (!idle) say(`  the cores were not idle within ${patience} s: gave up waiting`);
  return idle;
}

/** A matchup as the record holds it. `folder` keeps what the matchups of this run have learned. */
async function measure(matchup, python, folder) {
  say(matchup.title);
  const start = beginning(matchup, folder);
  const started = [];
  // before the contestants try what is fastest here, and again when all of them should sleep
  const quiet = [await isQuiet()];
  try {
    await enter(matchup, start, python, started);
    for (const contestant of started) await calibrate(contestant);
    quiet.push(await isQuiet());
    const [took, disturbed] = [[], []];
    for (let turn = 0; turn < blocks; turn += 1) {
      for (const contestant of started) {
        const others = started.filter((other) => other !== contestant);
        const made = await block(contestant, others);
        took.push(made.took);
        disturbed.push(made.disturbance);
      }
    }
    const sum = (list) => list.reduce((total, value) => total + value, 0);
    const { name, title, unit, threads } = matchup;
    const ceiling = started.find((each) => each.name === CEILING);
    return {
      name,
      title,
      unit,
      threads,
      date: new Date().toISOString().slice(0, 10),
      commit: describeCommit(),
      machine: describeMachine(),
      command: ['npm run bench:peers --', ...process.argv.slice(2)].join(' '),
      seconds,
      idle: quiet.every(Boolean),
      disturbance: sum(disturbed) / sum(took),
      ceiling: ceiling.blocks,
      contestants: started
        .filter((each) => each !== ceiling)
        .map(({ name: who, asked, facts, blocks: made }) => ({
          name: who,
          asked,
          ...facts,
          blocks: made,
        })),
    };
  } finally {
    for (const contestant of started) await contestant.end();
  }
}

/** Writes what is known so far: new matchups in the place of older ones, in the order of matchups.mjs. */
function record(directory, measured) {
  mkdirSync(directory, { recursive: true });
  const path = join(directory, 'peers.json');
  const before = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).matchups : [];
  const matchups = MATCHUPS.flatMap(({ name }) => {
    const known = [...measured, ...before].find((matchup) => matchup.name === name);
    return known === undefined ? [] : [known];
  });
  const made = { matchups };
  writeFileSync(path, `${JSON.stringify(made, null, 1)}\n`);
  writeFileSync(join(directory, 'README.md'), report(made));
  writeFileSync(join(directory, 'peers.svg'), drawPeers(made));
}

const python = values.installed ?? (await setUpPeers(values.python));
if (values.check) check(python);
else {
  const date = new Date().toISOString().slice(0, 10);
  const place = `benchmarks/records/${date}-${slugOf(describeMachine().cpu)}/peers`;
  const directory = values.out ?? place;
  const folder = mkdtempSync(join(tmpdir(), 'virel-learned-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const measured = [];
  for (const matchup of chosen) {
    const result = await measure(matchup, python, folder);
    measured.push(result);
    record(directory, measured);
    for (const { name, median, low, high, ratio, verdict } of standings(result)) {
      const compared = ratio === undefined ? '' : `, ratio ${ratio.toFixed(2)} ${verdict}`;
      console.log(
        `  ${name.padEnd(18)} ${rate(median)} ${matchup.unit} (${rate(low)} to ${rate(high)})${compared}`,
      );
    }
  }
  console.log(`record: ${directory}`);
}
