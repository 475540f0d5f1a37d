import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { resolveLayers } from '../../src/config/resolve.js';
import { listEnvironments } from '../../src/environments/list.js';
import { TASKS } from '../../src/environments/tasks.js';
import { compile, start, virel } from './command.js';

// a process of Node with yargs and zod takes a second or two where the processors are shared
const PATIENCE = 60_000;
const root = fileURLToPath(new URL('../..', import.meta.url));
let folder: string;
/** No native part: the set-up is somewhere that is empty, and forbidden. */
let none: NodeJS.ProcessEnv;
beforeAll(() => {
  compile();
  folder = mkdtempSync(join(tmpdir(), 'virel-usage-'));
  none = { VIREL_HOME: join(folder, 'home'), VIREL_SETUP: 'never', VIREL_NATIVE_ADDON: '' };
  writeFileSync(join(folder, 'good.yaml'), 'env: Hopper-v5\nseed: 5\n');
  writeFileSync(join(folder, 'bad.yaml'), 'seed: [\n');
}, PATIENCE);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (...words: string[]) => virel(words, folder, none);

describe('help', () => {
  it.each([
    [['--help']],
    ...readdirSync(join(root, 'src/cli/commands')).map((file) => [
      [file.replace(/\.ts$/, ''), '--help'],
    ]),
  ])(
    'of %j fits a screen, shows an example and exits 0',
    async (words) => {
      const { code, stdout } = await run(...words);
      expect(code).toBe(0);
      expect(stdout.trimEnd().split('\n').length).toBeLessThanOrEqual(40);
      expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
      expect(stdout).toContain('Examples:');
    },
    PATIENCE,
  );

  it(
    'of train gives each flag the default of the config, its source and its type',
    async () => {
      const { stdout } = await virel(['train', '--help'], folder, none);
      const help = stdout.replace(/\s+/g, ' ');
      const { config } = resolveLayers([]);
      for (const [flag, value, source, type] of [
        ['steps', config.steps, 'ours', 'number'],
        ['eval-every', config.evaluation.every, 'paper, Table 1', 'number'],
        ['keep', config.checkpoint.keep, 'ours', 'number'],
        ['env', config.env.id, 'ours', 'string'],
        ['checkpoint-every', config.checkpoint.every, 'ours', 'string'],
      ])
        expect(help).toMatch(
          new RegExp(`--${flag} [^[]+\\[${type}\\] \\[default: ${value}, ${source}\\]`),
        );
      expect(help).toContain(
        'threads of the learner [number] [default: cores of the machine, at most 2]',
      );
    },
    PATIENCE,
  );

  it(
    'lists the verbs that work and no other',
    async () => {
      const { stdout } = await run('--help');
      const verbs = [
        ...(stdout.split('Options:')[0] as string).matchAll(
          /^ {2}virel-native (\w+)(?: \[\w+\])? {2,}/gm,
        ),
      ].map((match) => match[1]);
      const known =
        'train eval watch reproduce export envs algorithms config verify bench setup doctor'.split(
          ' ',
        );
      expect(verbs).toEqual(known);
    },
    PATIENCE,
  );
});

describe('bad usage exits 2 before anything is written', () => {
  it.each([
    [[], 'CLI_USAGE', 'virel-native --help'],
    [['trian'], 'CLI_USAGE', 'did you mean npx virel-native train?'],
    [['train', '--stepz', '5'], 'CLI_USAGE', 'did you mean --steps?'],
    [['train', '--stepz=5'], 'CLI_USAGE', 'did you mean --steps?'],
    [['train', 'Hopper-v5'], 'CLI_USAGE', 'unexpected word Hopper-v5'],
    [['train', '--steps'], 'CLI_USAGE', 'Not enough arguments'],
    [['train', '--seed', '1', '--seed', '2'], 'CLI_USAGE', '--seed is given more than once'],
    [['train', '--seed', '1', '--seeds', '0-4'], 'CLI_USAGE', 'mutually exclusive'],
    [['train', '--seeds', '5-1'], 'CONFIG_RANGE', '1 is before 5'],
    [['train', '--seeds', 'many'], 'CONFIG_RANGE', '--seeds 0-4'],
    [['train', '--seeds', '1,1'], 'CONFIG_RANGE', 'a seed twice'],
    [['train', '--seeds', '0-1', '--jobs', '0'], 'CONFIG_RANGE', '--jobs'],
    [['train', '--jobs', '2'], 'CLI_USAGE', '--seeds 0-4 --jobs 2'],
    [['train', '--run-dir', ''], 'CLI_USAGE', '--run-dir DIR'],
    [['train', '--runs-dir='], 'CLI_USAGE', '--runs-dir DIR'],
    [['eval', '--runs-dir', ''], 'CLI_USAGE', '--runs-dir DIR'],
    [['train', '--steps', '-5'], 'CONFIG_RANGE', 'steps: expected at least 1, got -5'],
    [['train', '--steps', 'NaN'], 'CONFIG_RANGE', 'a finite number'],
    [['train', '--steps', '1e400'], 'CONFIG_RANGE', 'a finite number'],
    [['train', '--steps', 'lots'], 'CONFIG_TYPE', 'a number'],
    [['train', '--env', ''], 'ENV_UNKNOWN', 'envs'],
    [['train', '--env', 'Hoper-v4'], 'ENV_UNKNOWN', 'did you mean Hopper-v4?'],
    [['train', '--env', '../../etc/passwd\n;'], 'ENV_UNKNOWN', 'envs'],
    [['train', '--algorithm', 'bta'], 'ALGORITHM_UNKNOWN', 'did you mean beta?'],
    [['train', '--algorithm', 'qlearning'], 'ALGORITHM_UNKNOWN', 'npx virel-native algorithms'],
    [['algorithms', 'mop'], 'ALGORITHM_UNKNOWN', 'did you mean mpo?'],
    [['algorithms', '--preset', 'papr'], 'CONFIG_RANGE', 'did you mean paper?'],
    [
      ['train', '--algorithm', 'ddpg', '--set', 'temperature.kind=fixed'],
      'CONFIG_CONFLICT',
      '--set temperature.kind=none, or --algorithm virel',
    ],
    [['train', '--set', 'mStep.kind=projected'], 'RECIPE_UNSUPPORTED', 'fix: --engine tensor'],
    [
      ['train', '--set', 'optim.policyLearningRat=1'],
      'CONFIG_UNKNOWN_KEY',
      'did you mean optim.policyLearningRate?',
    ],
    [
      ['train', '--set', 'replay.capacity=10'],
      'CONFIG_CONFLICT',
      'replay.batchSize 128 > replay.capacity 10',
    ],
    [['train', '--set', 'novalue'], 'CONFIG_SYNTAX', 'path.to.key=value'],
    [['train', '--config', 'missing.yaml'], 'CLI_USAGE', 'missing.yaml: no such file'],
    [['train', '--config', '.'], 'CLI_USAGE', 'illegal operation on a directory'],
    [['train', '--config', 'bad.yaml'], 'CONFIG_SYNTAX', 'bad.yaml'],
    [['eval', 'nothing'], 'RUN_NOT_FOUND', 'no runs in'],
    [['eval', '--episodes', '0'], 'CONFIG_RANGE', '--episodes'],
    [['eval', '--episodes', 'x'], 'CONFIG_TYPE', '--episodes'],
    [['config'], 'CLI_USAGE', 'say what to do'],
    [
      ['config', 'diff', 'paper', 'nothing'],
      'CLI_USAGE',
      'nothing is no preset, file or run folder',
    ],
    [['envs', 'Hopper-v2'], 'ENV_UNKNOWN', 'Hopper-v4 is closest'],
  ])(
    '%j is %s',
    async (words, code, text) => {
      const before = readdirSync(folder);
      const ended = await run(...words);
      expect(ended.code).toBe(2);
      expect(ended.stderr).toMatch(new RegExp(`^error ${code}: `));
      expect(ended.stderr).toContain(text);
      expect(ended.stderr).toMatch(/\n {2}fix: \S/);
      expect(ended.stderr).not.toContain('    at ');
      expect(ended.stdout).toBe('');
      expect(readdirSync(folder)).toEqual(before);
    },
    PATIENCE,
  );

  it(
    'is a JSON object on standard output with --json, before the summary',
    async () => {
      const { code, stdout } = await run('train', '--steps', '0', '--json');
      expect(code).toBe(2);
      expect(JSON.parse(stdout.split('\n')[0] as string)).toEqual({
        event: 'error',
        code: 'CONFIG_RANGE',
        message: 'steps: expected at least 1, got 0',
        where: '--steps',
        expected: 'at least 1',
        got: '0',
        fix: '--set steps=1000000',
        exit: 2,
      });
    },
    PATIENCE,
  );
});

describe('without the native part', () => {
  it(
    'train and eval exit 3 with the command that mends it',
    async () => {
      const run = join(folder, 'run');
      const model = join(run, 'checkpoints/000000000010/pretrained_model');
      mkdirSync(model, { recursive: true });
      writeFileSync(join(run, 'run.json'), '{}');
      writeFileSync(join(model, 'model.safetensors'), '');
      const shape = { observationSize: 11, actionSize: 3, actionLow: [-1], actionHigh: [1] };
      const network = { hidden: [16], activation: 'relu', maxEpisodeSteps: 1000, package: '0.1.0' };
      const policy = { format: 1, env: 'Hopper-v5', algorithm: 'virel', step: 10 };
      writeFileSync(
        join(model, 'config.json'),
        JSON.stringify({ ...policy, ...shape, ...network }),
      );
      writeFileSync(join(model, 'train_config.json'), '{"env": {"modelDir": null}}');
      for (const words of [['train'], ['eval', run]]) {
        const { code, stderr } = await virel(words, folder, none);
        expect(code).toBe(3);
        expect(stderr).toMatch(/^error NATIVE_MISSING: .*\n.*\n {2}fix: npx virel-native setup/);
      }
    },
    PATIENCE,
  );

  it(
    'setup --print and --clean answer in one JSON object with --json',
    async () => {
      const home = join(folder, 'home');
      const plan = await run('setup', '--print', '--json');
      expect(JSON.parse(plan.stdout)).toMatchObject({ event: 'plan', home, build: true });
      // what set-up and Node keep there
      const kept = ['addons', 'compiled', 'links', 'wheels', 'target'].map((name) =>
        join(home, name, 'some'),
      );
      for (const place of kept) mkdirSync(place, { recursive: true });
      const clean = await run('setup', '--clean', '--json');
      expect(JSON.parse(clean.stdout)).toEqual({ event: 'clean', home });
      expect(kept.filter((place) => existsSync(place))).toEqual([]);
    },
    PATIENCE,
  );

  it(
    'every verb takes --no-color, and colours nothing without it',
    async () => {
      const [plain, asked] = [await run('envs'), await run('envs', '--no-color')];
      expect(asked).toEqual(plain);
      expect(plain.stdout).not.toContain('\u001b');
    },
    PATIENCE,
  );

  it(
    'envs lists every task',
    async () => {
      const { code, stdout } = await run('envs', '--json');
      expect(code).toBe(0);
      expect(JSON.parse(stdout)).toEqual(listEnvironments());
      const { stdout: table } = await run('envs');
      for (const { id } of TASKS) expect(table).toContain(id);
    },
    PATIENCE,
  );

  it(
    'envs ID shows its options with defaults, how versions differ, and what random actions earn',
    async () => {
      const { code, stdout } = await run('envs', 'Humanoid-v5');
      expect(code).toBe(0);
      expect(stdout).toMatch(/env\.forwardRewardWeight +1\.25 /);
      expect(stdout).toMatch(/env\.contactCostRange +\[null,10\] /);
      expect(stdout).toMatch(/random actions +return 113/);
      expect(stdout).toMatch(/versions +v5 charges for contact forces/);
      expect((await run('envs', 'humanoid-rllab')).stdout).toContain('solverstat="enable"');
    },
    PATIENCE,
  );

  it(
    'config show puts files below flags and --set, in the order given',
    async () => {
      const show = async (...words: string[]) =>
        parse((await run('config', 'show', ...words)).stdout);
      expect(
        await show(
          '--set',
          'seed=1',
          '--config',
          'good.yaml',
          '--steps',
          '10',
          '--set',
          'steps=20',
        ),
      ).toMatchObject({
        env: { id: 'Hopper-v5' },
        seed: 1,
        steps: 20,
      });
      expect(await show('--set', 'steps=20', '--steps', '10')).toMatchObject({ steps: 10 });
    },
    PATIENCE,
  );

  it(
    'config show --origin names layer and source',
    async () => {
      const { stdout } = await run(
        'config',
        'show',
        '--env',
        'Walker2d-v4',
        '--seed',
        '3',
        '--origin',
      );
      expect(stdout).toMatch(/^rewardScale: 3 +# preset paper, Walker2d: paper, Table 1$/m);
      expect(stdout).toMatch(/^seed: 3 +# --seed$/m);
    },
    PATIENCE,
  );

  it(
    'config validate, schema, presets and diff answer',
    async () => {
      expect(await run('config', 'validate', 'good.yaml')).toMatchObject({ code: 0 });
      expect(await run('config', 'validate', 'bad.yaml')).toMatchObject({ code: 2 });
      expect(JSON.parse((await run('config', 'schema')).stdout)).toMatchObject({ type: 'object' });
      const [schema, line] = [
        await run('config', 'schema'),
        await run('config', 'schema', '--json'),
      ];
      expect(line.stdout.trimEnd()).not.toContain('\n');
      expect(JSON.parse(line.stdout)).toEqual(JSON.parse(schema.stdout));
      expect((await run('config', 'presets')).stdout).toMatch(/^paper .*\npaper-v1 .*\nmodern /);
      const { stdout } = await run('config', 'diff', 'paper', 'good.yaml', '--json');
      expect(JSON.parse(stdout).map(({ key }: { key: string }) => key)).toEqual(['env.id', 'seed']);
    },
    PATIENCE,
  );
});

describe('completion', () => {
  it(
    'writes a script for the shell, which asks for verbs and options',
    async () => {
      const { code, stdout } = await run('completion');
      expect(code).toBe(0);
      expect(stdout).toContain('--get-yargs-completions');
      const offered = async (...words: string[]) =>
        (await run('--get-yargs-completions', 'virel-native', ...words)).stdout.split('\n');
      expect(await offered('')).toEqual(expect.arrayContaining(['train', 'resume', 'compare']));
      expect(await offered('train', '--al')).toContain('--algorithm');
    },
    PATIENCE,
  );
});

describe('the package', () => {
  it(
    'loads from CommonJS and from ESM, without anything native',
    () => {
      const names =
        'Environment,Session,VectorEnvironment,VirelError,compareRuns,defineEnvironment,doctor,drawComparison,drawDemo,evaluate,exportRun,isVirelError,listEnvironments,loadEnvironment,loadPolicy,loadRun,plotRuns,presets,readMetrics,recordEpisode,reference,resolveConfig,resume,setup,theory,train,watch,writeDemo,writeSite';
      const env = { ...process.env, NODE_OPTIONS: '', VIREL_NATIVE_ADDON: '/nowhere' };
      const node = (...words: string[]) =>
        execFileSync(process.execPath, words, { cwd: root, env, encoding: 'utf8' });
      const print = 'console.log(Object.keys(v).sort().join())';
      expect(node('-e', `const v = require('virel-native'); ${print}`).trim()).toBe(names);
      expect(
        node('--input-type=module', '-e', `import * as v from 'virel-native'; ${print}`).trim(),
      ).toBe(names);
    },
    PATIENCE,
  );
});

describe('an error with --json', () => {
  it.each([
    [['--json'], true],
    [['--json=true'], true],
    [['--json', '--stepz', '5'], true],
    [['--json=false'], false],
  ])(
    'of train %j before any run ends with a summary: %j',
    async (words, json) => {
      const { code, stdout } = await run('train', '--env', 'Nope', ...words);
      expect(code).toBe(2);
      const lines = stdout.split('\n').slice(0, -1);
      expect(lines.map((line) => JSON.parse(line))).toMatchObject(
        json
          ? [
              { event: 'error', exit: 2 },
              { event: 'summary', state: 'failed', steps: 0, code: expect.any(String) },
            ]
          : [],
      );
    },
    PATIENCE,
  );

  it(
    'of train with several seeds ends with the summary of no runs',
    async () => {
      const { stdout } = await run('train', '--env', 'Nope', '--seeds', '0-1', '--json');
      expect(
        stdout
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line)),
      ).toMatchObject([
        { event: 'error', code: 'ENV_UNKNOWN' },
        { event: 'summary', runs: [] },
      ]);
    },
    PATIENCE,
  );
});

describe('eval', () => {
  it(
    'says of a root of runs that is a file that it is one',
    async () => {
      const { code, stderr } = await run('eval', '--runs-dir', 'good.yaml');
      expect(code).toBe(1);
      expect(stderr).toMatch(/^error IO: .*good\.yaml: not a directory\n/);
      expect(stderr).toContain('fix: --runs-dir DIR');
    },
    PATIENCE,
  );
});

describe('a signal before the command line is loaded', () => {
  it(
    'ends the process instead of opening the debugger',
    async () => {
      const started = start(['--help'], folder, none);
      const { pid } = started.child;
      // the mask of caught signals tells when the listener of USR1 (10) stands
      const caught = () =>
        /^SigCgt:\s*(\w+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0';
      // Node itself catches USR1 for its debugger; that of USR2 (12) is ours, and comes second
      while ((Number.parseInt(caught().slice(-4), 16) & (1 << 11)) === 0) {
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      started.child.kill('SIGUSR1');
      const { code, stderr } = await started.ended;
      expect(stderr).not.toContain('Debugger');
      expect(code).toBe(138);
    },
    PATIENCE,
  );
});
