/** Run folders that are damaged, of another version, in use, or no run folders: every verb that reads one, as a process. */
import { type ChildProcess, execFileSync } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { compile, start, virel } from './command.js';

const PATIENCE = 240_000;
const folder = mkdtempSync(join(tmpdir(), 'virel-bad-run-'));
const whole = join(folder, 'whole');
const NEWEST = 'checkpoints/000000000600';

const RHYTHM = { '--checkpoint-every': '200', '--eval-every': '300' };
const words = (runDir: string, steps: number, rhythm = RHYTHM) => [
  ...['train', '--env', 'InvertedPendulum-v5', '--steps', String(steps), '--seed', '1'],
  ...['--threads', '1', '--quiet', '--run-dir', runDir],
  ...['--eval-episodes', '1', ...Object.entries(rhythm).flat(), '--set', 'network.hidden=[8]'],
  ...['--set', 'replay.batchSize=16', '--set', 'collect.startUpdates=50'],
];
/** The verbs that read a run, with what they print thrown away. */
const VERBS: Record<string, (runDir: string) => string[]> = {
  resume: (runDir) => ['resume', runDir, '--steps', '650', '--quiet'],
  eval: (runDir) => ['eval', runDir, '--episodes', '1'],
  plot: (runDir) => ['plot', runDir, '--reps', '100', '--out', join(folder, 'out.svg')],
  compare: (runDir) => ['compare', runDir, '--reps', '100'],
};
type Verb = 'resume' | 'eval' | 'plot' | 'compare';

beforeAll(async () => {
  compile();
  expect(await virel(words(whole, 600), folder)).toMatchObject({ code: 0 });
}, PATIENCE);
/** A run that goes on until the tests end, if one of them failed. */
let busy: ChildProcess | undefined;
afterAll(() => {
  busy?.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

let count = 0;
/** A copy of the run, damaged. */
function damaged(damage: (runDir: string) => void, name = `copy-${count++}`): string {
  const runDir = join(folder, name);
  cpSync(whole, runDir, { recursive: true });
  damage(runDir);
  return runDir;
}
const change = (path: string, from: string, to: string) => {
  const text = readFileSync(path, 'utf8');
  expect(text).toContain(from);
  writeFileSync(path, text.replace(from, to));
};
const fifo = (path: string) => {
  rmSync(path, { force: true });
  execFileSync('mkfifo', [path]);
};
/** Names, sizes and kinds of everything in a folder. */
const listing = (path: string) =>
  execFileSync('find', [path, '-printf', '%P %y %s\n'], { encoding: 'utf8' }).split('\n').sort();

/** Runs a verb and holds its end against what is expected: a code, or nothing for success. */
async function ends(verb: Verb, runDir: string, expected?: string, exit = 1) {
  const before = listing(runDir);
  const { code, stderr } = await virel(VERBS[verb]?.(runDir) ?? [], folder);
  const errors = stderr.split('\n').filter((line) => line.startsWith('error '));
  const got = { verb, code, errors: errors.map((line) => line.split(/[ :]/)[1]) };
  expect(got).toEqual({
    verb,
    code: expected === undefined ? 0 : exit,
    errors: expected === undefined ? [] : [expected],
  });
  // neither a defect of ours nor a stack
  expect(stderr).not.toMatch(/PANIC|^\s+at /m);
  if (expected !== undefined) {
    expect(stderr).toContain('  fix: ');
    expect(listing(runDir)).toEqual(before);
  }
  return stderr;
}

describe('a run folder that is damaged or of another version', () => {
  const runJson = (to: string) => (runDir: string) => writeFileSync(join(runDir, 'run.json'), to);
  /** What happens to it, and how each verb ends; a verb that is not named succeeds. */
  const CASES: [string, (runDir: string) => void, Partial<Record<Verb, [string, number?]>>][] = [
    [
      'run.json of a newer version',
      runJson('{"format":2,"all":"else"}'),
      {
        resume: ['CONFIG_VERSION', 2],
        plot: ['CONFIG_VERSION', 2],
        compare: ['CONFIG_VERSION', 2],
      },
    ],
    [
      'run.json of an older version',
      (runDir) => change(join(runDir, 'run.json'), '"format": 1', '"format": 0'),
      {
        resume: ['CONFIG_VERSION', 2],
        plot: ['CONFIG_VERSION', 2],
        compare: ['CONFIG_VERSION', 2],
      },
    ],
    [
      'an empty run.json',
      runJson(''),
      { resume: ['RUN_CORRUPT'], plot: ['RUN_CORRUPT'], compare: ['RUN_CORRUPT'] },
    ],
    [
      'a binary run.json',
      runJson('\x00\xff\x01{'),
      { resume: ['RUN_CORRUPT'], plot: ['RUN_CORRUPT'], compare: ['RUN_CORRUPT'] },
    ],
    [
      'a run.json that is a pipe',
      (runDir) => fifo(join(runDir, 'run.json')),
      { resume: ['RUN_CORRUPT'], plot: ['RUN_CORRUPT'], compare: ['RUN_CORRUPT'] },
    ],
    [
      'config.yaml of a newer version',
      (runDir) => writeFileSync(join(runDir, 'config.yaml'), 'schema: 2\nelse: 1\n'),
      {
        resume: ['CONFIG_VERSION', 2],
        plot: ['CONFIG_VERSION', 2],
        compare: ['CONFIG_VERSION', 2],
      },
    ],
    [
      'summary.json that is a folder',
      (runDir) => {
        rmSync(join(runDir, 'summary.json'));
        mkdirSync(join(runDir, 'summary.json'));
      },
      { resume: ['RUN_CORRUPT'], plot: ['RUN_CORRUPT'], compare: ['RUN_CORRUPT'] },
    ],
    [
      'metrics.jsonl with a torn last line',
      (runDir) => appendFileSync(join(runDir, 'metrics.jsonl'), '{"v":1,"st'),
      {},
    ],
    [
      'metrics.jsonl with NUL bytes at its end',
      (runDir) => appendFileSync(join(runDir, 'metrics.jsonl'), '\0'.repeat(4096)),
      {},
    ],
    [
      'metrics.jsonl with a line of 10 MB',
      (runDir) => appendFileSync(join(runDir, 'metrics.jsonl'), `${'x'.repeat(1e7)}\n`),
      { plot: ['RUN_CORRUPT'], compare: ['RUN_CORRUPT'] },
    ],
    [
      'metrics.jsonl that is a pipe',
      (runDir) => fifo(join(runDir, 'metrics.jsonl')),
      { resume: ['RUN_CORRUPT'], plot: ['RUN_CORRUPT'], compare: ['RUN_CORRUPT'] },
    ],
    [
      'checkpoints that is a file',
      (runDir) => {
        rmSync(join(runDir, 'checkpoints'), { recursive: true });
        writeFileSync(join(runDir, 'checkpoints'), '');
      },
      { resume: ['CHECKPOINT_NONE'], eval: ['CHECKPOINT_NONE'] },
    ],
    [
      'a newest checkpoint of a newer version, which is not passed over and removed',
      (runDir) => change(join(runDir, NEWEST, 'MANIFEST.json'), '"format": 1', '"format": 2'),
      { resume: ['CHECKPOINT_FORMAT'], eval: ['CHECKPOINT_FORMAT'] },
    ],
  ];
  it.each(CASES)(
    '%s',
    async (_, damage, expected) => {
      const runDir = damaged(damage);
      const end = (verb: Verb) =>
        ends(verb, runDir, ...((expected[verb] ?? []) as [string?, number?]));
      // what a verb never reads says nothing of it
      const readers = (['plot', 'compare', 'eval'] as const).filter(
        (verb) => verb === 'compare' || expected[verb] !== undefined,
      );
      await Promise.all(readers.map(end));
      // last, since it may go on
      await end('resume');
    },
    PATIENCE,
  );

  const model = join(NEWEST, 'pretrained_model/model.safetensors');
  it.each<[string, (runDir: string) => void]>([
    [
      'one bit',
      (runDir) => {
        const bytes = readFileSync(join(runDir, model));
        bytes[bytes.length - 5] = (bytes[bytes.length - 5] ?? 0) ^ 64;
        writeFileSync(join(runDir, model), bytes);
      },
    ],
    ['a torn file of parameters', (runDir) => truncateSync(join(runDir, model), 100)],
    ['no file of parameters', (runDir) => rmSync(join(runDir, model))],
    [
      'a link to another file',
      (runDir) => {
        rmSync(join(runDir, model));
        symlinkSync(join(whole, model), join(runDir, model));
      },
    ],
    ['a pipe for its parameters', (runDir) => fifo(join(runDir, model))],
    ['an empty manifest', (runDir) => writeFileSync(join(runDir, NEWEST, 'MANIFEST.json'), '')],
    ['a pipe for its manifest', (runDir) => fifo(join(runDir, NEWEST, 'MANIFEST.json'))],
    [
      'a loop of links for its folder',
      (runDir) => {
        rmSync(join(runDir, NEWEST), { recursive: true });
        symlinkSync('000000000600', join(runDir, NEWEST));
      },
    ],
  ])(
    'a newest checkpoint with %s: eval and resume take the one before, and say so',
    async (_, damage) => {
      const runDir = damaged(damage);
      for (const verb of ['eval', 'resume'] as const)
        expect(await ends(verb, runDir, undefined)).toContain('warning CHECKPOINT_FALLBACK: ');
    },
    PATIENCE,
  );

  it(
    'a damaged checkpoint that was asked for is an error, not another one',
    async () => {
      const runDir = damaged((path) => truncateSync(join(path, model), 100));
      const { code, stderr } = await virel(['eval', runDir, '--step', '600'], folder);
      expect([code, stderr]).toEqual([1, expect.stringContaining('error CHECKPOINT_CORRUPT: ')]);
    },
    PATIENCE,
  );
});

describe('a name', () => {
  it.each([`sp ace 'quo"te`, 'new\nline;$(x)`y`', '\u202ertl\x1b[31mred'])(
    '%j is a name like any other, and moves no cursor',
    async (name) => {
      const runDir = damaged(() => {}, name);
      for (const verb of ['compare', 'eval', 'resume'] as const) {
        const stderr = await ends(verb, runDir, undefined);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: what must not be printed
        expect(stderr).not.toMatch(/[\x1b\u202e]/);
      }
      const { stderr } = await virel(words(runDir, 10), folder);
      // its line's end is shown, not made
      expect(stderr.split('\n')[0]).toMatch(/^error RUN_LOCKED: .* already holds a run$/);
    },
    PATIENCE,
  );

  it(
    'that is not UTF-8 is one error that says so, also below a folder of runs',
    async () => {
      const parent = join(folder, 'parent');
      cpSync(whole, join(parent, 'good'), { recursive: true });
      const name = Buffer.concat([Buffer.from(`${parent}/bad-`), Buffer.from([0xff])]);
      // such a name cannot be given to a child process of Node: the shell makes it
      execFileSync('sh', ['-c', `cp -r "$1" "$(printf '%s/bad-\\377' "$2")"`, 'sh', whole, parent]);
      expect(existsSync(name)).toBe(true);
      const bin = join(process.cwd(), 'bin/virel-native.js');
      for (const verb of ['resume', 'eval', 'plot', 'compare']) {
        const script = `"$1" "$2" ${verb} "$(printf '%s/bad-\\377' "$3")"; echo $?`;
        const args = ['-c', `exec 2>&1; ${script}`, 'sh', process.execPath, bin, parent];
        const said = execFileSync('sh', args, { encoding: 'utf8', cwd: folder });
        expect(said).toMatch(/^error RUN_NOT_FOUND: [\s\S]*expected: a name in UTF-8[\s\S]*\n2\n$/);
      }
      const train = `"$1" "$2" train --steps 5 --run-dir "$(printf '%s/new-\\377' "$3")"; echo $?`;
      const args = ['-c', `exec 2>&1; ${train}`, 'sh', process.execPath, bin, parent];
      expect(execFileSync('sh', args, { encoding: 'utf8', cwd: folder })).toMatch(
        /^error CLI_USAGE: --run-dir: .*not UTF-8[\s\S]*\n2\n$/,
      );
      // it would be left out of the comparison unseen
      await ends('compare', parent, 'RUN_NOT_FOUND', 2);
      await ends('plot', parent, 'RUN_NOT_FOUND', 2);
    },
    PATIENCE,
  );

  it(
    'of a file, of nothing, and of a loop of links is RUN_NOT_FOUND for every verb',
    async () => {
      writeFileSync(join(folder, 'file'), '');
      symlinkSync('loop', join(folder, 'loop'));
      for (const [name, what] of [
        ['file', 'is a file'],
        ['loop', 'is a loop of links'],
        ['nothing', 'no run '],
        ['x'.repeat(5000), 'no run '],
      ] as const) {
        for (const verb of ['resume', 'eval', 'plot', 'compare'] as const) {
          const { code, stderr } = await virel(VERBS[verb]?.(join(folder, name)) ?? [], folder);
          expect(code).toBe(2);
          expect(stderr).toMatch(/^error RUN_NOT_FOUND: /);
          expect(stderr).toContain(what);
        }
      }
    },
    PATIENCE,
  );
});

describe('a run that a process trains', () => {
  it(
    'refuses a second one, and is read meanwhile; a process on another machine that fell silent is no hindrance',
    async () => {
      const runDir = join(folder, 'busy');
      // seldom enough that a checkpoint stays for as long as another process needs to open it
      const seldom = { '--checkpoint-every': '50000', '--eval-every': '1000000' };
      const running = start([...words(runDir, 10_000_000, seldom), '--json'], folder);
      busy = running.child;
      await running.says('"event":"checkpoint"');
      const resumed = await virel(['resume', runDir], folder);
      expect(resumed.code).toBe(1);
      expect(resumed.stderr).toMatch(
        /^error RUN_LOCKED: .* is in use by pid \d+ on \S+ \(heartbeat \d+ s ago\)\n/,
      );
      expect((await virel(words(runDir, 10), folder)).stderr).toMatch(/^error RUN_LOCKED: /);
      expect((await virel(['eval', runDir, '--episodes', '1'], folder)).code).toBe(0);
      // it is not evaluated yet
      const plot = [...(VERBS['plot']?.(runDir) ?? []), '--metric', 'losses/qf1_loss'];
      expect((await virel(plot, folder)).code).toBe(0);
      running.child.kill('SIGTERM');
      expect((await running.ended).code).toBe(143);
      expect(readdirSync(runDir)).not.toContain('run.lock');

      const elsewhere = { pid: 1, host: 'another-machine' };
      writeFileSync(join(runDir, 'run.lock'), JSON.stringify(elsewhere));
      await ends('resume', runDir, 'RUN_LOCKED');
      const status = JSON.parse(readFileSync(join(runDir, 'status.json'), 'utf8'));
      const before = new Date(Date.now() - 51_000).toISOString();
      writeFileSync(join(runDir, 'status.json'), JSON.stringify({ ...status, heartbeat: before }));
      const steps = String(status.step + 10);
      const again = await virel(
        ['resume', runDir, '--steps', steps, '--quiet', '--allow-inexact'],
        folder,
      );
      expect(again).toMatchObject({ code: 0 });
    },
    PATIENCE,
  );
});
