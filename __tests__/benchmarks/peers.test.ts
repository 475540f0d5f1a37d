import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { packageRoot } from '../../src/setup/places.js';

const peers = (name: string) =>
  import(pathToFileURL(join(packageRoot, 'benchmarks/peers', name)).href);
const { blockSize, summarise, verdict } = await peers('statistics.mjs');
const { apartFirst, parseCores, slugOf } = await peers('machine.mjs');
const { ceilingOf, ceilingLines, remarks, report, standings } = await peers('report.mjs');
const { MATCHUPS } = await peers('matchups.mjs');

const ASKED = { must: 1.3, aim: 1.5 };
const blocksOf = (...rates: number[]) => rates.map((rate) => ({ count: 2 * rate, seconds: 2 }));

const matchup = {
  name: 'virel-halfcheetah-1',
  title: 'virel learner, HalfCheetah shapes, 1 thread',
  unit: 'updates/s',
  threads: 1,
  date: '2026-01-02',
  commit: 'abcdef0',
  machine: { cpu: 'AMD EPYC', cores: 2 },
  command: 'npm run bench:peers --',
  seconds: 2,
  idle: true,
  disturbance: 0.001,
  contestants: [
    {
      name: 'virel-native',
      threads: 1,
      settings: { engine: 'kernel' },
      versions: { 'virel-native': '0.1.0' },
      blocks: blocksOf(700, 690, 720, 650, 710),
    },
    {
      name: 'JAX',
      threads: 1,
      settings: { parameters: 'flat', 'updates per call': 50 },
      versions: { jax: '0.10.2' },
      asked: ASKED,
      blocks: blocksOf(500, 510, 480, 490, 505),
    },
    {
      name: 'PyTorch',
      threads: 1,
      versions: { torch: '2.15.0' },
      blocks: blocksOf(35, 36, 34, 33, 37),
    },
  ],
};

describe('the blocks of a contestant', () => {
  it('are counted in units a second, with the slowest and the fastest', () => {
    const blocks = [
      { count: 100, seconds: 2 },
      { count: 100, seconds: 1 },
      { count: 90, seconds: 3 },
    ];
    expect(summarise(blocks)).toEqual({ median: 50, low: 30, high: 100 });
  });

  it('get the size that takes the wanted time, and at least one unit', () => {
    expect(blockSize({ count: 50, seconds: 0.1 }, 2)).toBe(1000);
    expect(blockSize({ count: 1, seconds: 10 }, 2)).toBe(1);
  });
});

describe('a ratio', () => {
  it.each([
    [1.5, 'aim met'],
    [1.3, 'must met'],
    [1.17, 'no, 10 % short of must'],
  ])('of %d meets: %s', (ratio, text) => {
    expect(verdict(ratio, ASKED)).toBe(text);
  });

  it('of which nothing is asked meets nothing', () => {
    expect(verdict(9, undefined)).toBe('');
  });

  it('is that of the medians, ours to theirs', () => {
    const [ours, jax, torch] = standings(matchup);
    expect(ours).toMatchObject({ name: 'virel-native', median: 700, low: 650, high: 720 });
    expect(ours.ratio).toBeUndefined();
    expect(jax).toMatchObject({ median: 500, ratio: 1.4, verdict: 'must met' });
    expect(torch).toMatchObject({ median: 35, ratio: 20, verdict: '' });
  });
});

describe('the table of a record', () => {
  it('has a line for every contestant', () => {
    const lines = report({ matchups: [matchup] })
      .split('\n')
      .filter((line: string) => line.startsWith('|'));
    expect(lines.slice(2)).toEqual([
      '| virel learner, HalfCheetah shapes, 1 thread | virel-native | 700 updates/s | 650 to 720 | 1 |  |  |  | engine: kernel |',
      '|  | JAX | 500 updates/s | 480 to 510 | 1 | 1.40 | 1.3, 1.5 | must met | parameters: flat, updates per call: 50 |',
      '|  | PyTorch | 35.0 updates/s | 33.0 to 37.0 | 1 | 20.00 |  |  |  |',
    ]);
  });

  it('names machine, date, commit, command and versions', () => {
    const text = report({ matchups: [matchup] });
    for (const fact of ['AMD EPYC, 2 cores', '2026-01-02', 'abcdef0', 'jax 0.10.2', 'torch 2.15.0'])
      expect(text).toContain(fact);
    expect(text).toContain('\n    npm run bench:peers --\n');
  });

  it('says of every row what the processor would allow, where that was measured', () => {
    expect(ceilingLines(matchup)).toEqual([]);
    expect(report({ matchups: [matchup] })).not.toContain('Where the time goes');
    // 0.3 GFLOP an update and a ceiling of 250 GFLOP/s: 833 updates a second
    const contestants = matchup.contestants.map((each) =>
      each.name === 'virel-native' ? { ...each, operations: 3e8 } : each,
    );
    const measured = { ...matchup, contestants, ceiling: blocksOf(250, 251, 249) };
    expect(ceilingOf(measured).of(700)).toBeCloseTo(0.84, 12);
    expect(ceilingLines(measured)).toEqual([
      '- virel learner, HalfCheetah shapes, 1 thread: 300 MFLOP of products a unit; the multiply-add units do 250 GFLOP/s. Ours uses 84 % of them; JAX 60 %, 1.3 times that is 78 %, and all of it would be 1.67 times.',
    ]);
    expect(report({ matchups: [measured] })).toContain('## Where the time goes');
  });

  it('says what was not as it should be, and nothing else', () => {
    expect(remarks(matchup)).toEqual([]);
    const few = matchup.contestants.map((each) => ({ ...each, blocks: each.blocks.slice(0, 1) }));
    const bad = { ...matchup, idle: false, disturbance: 0.3, contestants: few };
    expect(remarks(bad).map((line: string) => line.split(': ').slice(1).join(': '))).toEqual([
      'the cores were not idle at the start.',
      'contestants that should sleep used 30 % of a core.',
      'no figure of speed: 1 blocks.',
    ]);
  });
});

describe('the machine', () => {
  it.each([
    ['AMD EPYC', 'amd-epyc'],
    ['AMD EPYC 9R14', 'amd-epyc'],
    ['Intel(R) Xeon(R) Processor @ 2.30GHz', 'intel-xeon'],
  ])('%s is %s in the name of a folder', (model, slug) => {
    expect(slugOf(model)).toBe(slug);
  });

  it('has the cores that the system lists', () => {
    expect(parseCores('0-2,5')).toEqual([0, 1, 2, 5]);
  });

  it('gives threads a core of their own before two share one', () => {
    const neighbours = (core: number) => [core & ~1, core | 1];
    expect(apartFirst([0, 1, 2, 3], neighbours)).toEqual([0, 2, 1, 3]);
    const halves = (core: number) => [core % 4, (core % 4) + 4];
    expect(apartFirst([1, 4, 5, 6], halves)).toEqual([1, 4, 6, 5]);
    expect(apartFirst([0, 1], (core: number) => [core])).toEqual([0, 1]);
  });
});

describe('the matchups', () => {
  it('have names of their own and ask for more than they must', () => {
    const names = MATCHUPS.map(({ name }: { name: string }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { peers: others } of MATCHUPS) {
      for (const { asked } of others) if (asked) expect(asked.aim).toBeGreaterThan(asked.must);
    }
  });
});
