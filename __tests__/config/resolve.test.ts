import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parse, stringify } from 'yaml';
import { parseAssignment, parseConfigFile } from '../../src/config/parse.js';
import { PRESETS, resolveConfig, resolveLayers } from '../../src/config/resolve.js';
import {
  configJsonSchema,
  configSchema,
  LEAF_PATHS,
  PRESET_NAMES,
  type ResolvedConfig,
} from '../../src/config/schema.js';
import { unwrap } from '../../src/config/sourced.js';
import { TASKS } from '../../src/environments/tasks.js';

type Values = Record<string, unknown>;

const machine = { cores: 8 };
const set = (...assignments: string[]) =>
  resolveLayers(
    assignments.map((each) => ({ origin: '--set', values: parseAssignment(each) })),
    machine,
  ).config;
const errorOf = (action: () => unknown) => {
  try {
    action();
  } catch (error) {
    return error as { code: string; message: string; where?: string; fix?: string };
  }
  throw new Error('nothing was thrown');
};

describe('preset paper (Table 1)', () => {
  it.each([
    ['HalfCheetah-v5', 5],
    ['Hopper-v4', 5],
    ['Walker2d-v5', 3],
    ['InvertedPendulum-v5', 1],
  ])('scales the rewards of %s by %d', (env, rewardScale) => {
    expect(resolveConfig({ env }).rewardScale).toBe(rewardScale);
  });

  it('is what no option at all gives: virel on HalfCheetah-v5', () => {
    const config = resolveConfig();
    expect(config).toMatchObject({
      preset: 'paper',
      algorithm: 'virel',
      env: { id: 'HalfCheetah-v5', maxEpisodeSteps: 999 },
      steps: 1_000_000,
      discount: 0.99,
      collect: { startUpdates: 1000, uniformSteps: 0, resetEvery: 1000 },
      replay: { capacity: 1_000_000, batchSize: 128 },
      schedule: { envSteps: 1, mSteps: 1, eSteps: 1 },
      network: { hidden: [300, 300] },
      optim: {
        policyLearningRate: 3e-4,
        actionValueLearningRate: 3e-4,
        stateValueLearningRate: 3e-4,
        targetUpdateRate: 0.001,
      },
      temperature: { kind: 'fixed', temperature: 1 },
      policyRegulariser: { mean: 1e-3, logStd: 1e-3 },
      evaluation: { every: 1000, minSteps: 1000, episodes: null },
    });
  });

  it('keeps the limit of a task that is shorter than 999 steps, and a limit asked for', () => {
    expect(resolveConfig({ preset: 'modern' }).env.maxEpisodeSteps).toBe(1000);
    expect(resolveConfig({ env: { maxEpisodeSteps: 2000 } }).env.maxEpisodeSteps).toBe(2000);
  });
});

describe('every preset', () => {
  it.each(PRESET_NAMES)('%s is complete for every task', (preset) => {
    for (const { id } of TASKS) {
      const { config, origin } = resolveLayers([{ origin: 'test', values: { preset, env: id } }]);
      expect(configSchema.safeParse(config).success).toBe(true);
      expect(Object.values(origin).every((layer) => layer !== '')).toBe(true);
    }
  });

  it.each(PRESET_NAMES)('%s names a source for every value', (name) => {
    const preset = PRESETS[name];
    const trees = [
      preset.values,
      ...Object.values(preset.tasks),
      ...Object.values(preset.algorithms).flatMap(({ values, tasks = {}, variations = [] }) => [
        values,
        ...Object.values(tasks),
        ...variations.map((variation) => variation.values),
      ]),
    ];
    for (const tree of trees) {
      for (const [path, source] of unwrap(tree).sources) {
        expect([path, source.length > 3]).toEqual([path, true]);
      }
    }
  });
});

describe('layers', () => {
  it('win from default to preset, algorithm, task, file and option, and are recorded per key', () => {
    const { config, origin } = resolveLayers([
      {
        origin: 'file a.yaml',
        values: { env: 'Hopper-v5', optim: { targetUpdateRate: 0.01 }, seed: 3 },
      },
      { origin: '--set', values: { optim: { targetUpdateRate: 0.02 } } },
    ]);
    expect(config.optim.targetUpdateRate).toBe(0.02);
    expect(config.rewardScale).toBe(5);
    expect(origin).toMatchObject({
      'optim.targetUpdateRate': '--set',
      seed: 'file a.yaml',
      rewardScale: expect.stringMatching(/^preset paper, Hopper: /),
      'temperature.temperature': expect.stringMatching(/^preset paper, virel: /),
      'replay.batchSize': expect.stringMatching(/^preset paper: /),
      steps: expect.stringMatching(/^default: /),
    });
    const inUse = (path: string) =>
      path.split('.').reduce<unknown>((part, key) => (part as Values)[key], config) !== undefined;
    expect(Object.keys(origin)).toEqual([...LEAF_PATHS].filter(inUse));
  });

  it('take the preset from a file', () => {
    expect(resolveConfig({ preset: 'paper-v1' }).replay.batchSize).toBe(256);
  });

  it('give a frozen config, down to its lists', () => {
    const config = resolveConfig() as unknown as { seed: number; network: { hidden: number[] } };
    expect(() => {
      config.seed = 1;
    }).toThrow(TypeError);
    expect(() => config.network.hidden.push(1)).toThrow(TypeError);
  });

  it('do not change the options they were given', () => {
    const hidden = [64, 64];
    resolveConfig({ network: { hidden } });
    hidden.push(1);
    expect(hidden).toEqual([64, 64, 1]);
  });

  it('decide engine and threads where they are null', () => {
    expect(resolveLayers([], { cores: 1 }).config.runtime.threads).toBe(1);
    expect(resolveLayers([], { cores: 64 }).config.runtime.threads).toBe(2);
    expect(resolveConfig().runtime.engine).toBe('kernel');
    expect(resolveConfig({ device: 'cuda:1' }).runtime.engine).toBe('tensor');
  });
});

describe('bad values', () => {
  it.each([
    ['optim.policyLearningRat=1', 'CONFIG_UNKNOWN_KEY', 'did you mean optim.policyLearningRate?'],
    ['targetUpdateRate=1', 'CONFIG_UNKNOWN_KEY', 'did you mean optim.targetUpdateRate?'],
    ['__proto__.seed=1', 'CONFIG_UNKNOWN_KEY', undefined],
    ['constructor=1', 'CONFIG_UNKNOWN_KEY', undefined],
    ['seed.value=1', 'CONFIG_TYPE', undefined],
    ['optim=1', 'CONFIG_TYPE', undefined],
    ['steps=many', 'CONFIG_TYPE', undefined],
    ['steps="100"', 'CONFIG_TYPE', undefined],
    ['steps=1.5', 'CONFIG_TYPE', undefined],
    ['steps=null', 'CONFIG_TYPE', undefined],
    ['network.hidden=300', 'CONFIG_TYPE', undefined],
    ['steps=0', 'CONFIG_RANGE', undefined],
    ['steps=-1000', 'CONFIG_RANGE', undefined],
    ['steps=NaN', 'CONFIG_RANGE', undefined],
    ['steps=Infinity', 'CONFIG_RANGE', undefined],
    ['steps=1e400', 'CONFIG_RANGE', undefined],
    ['steps=1e30', 'CONFIG_RANGE', undefined],
    ['seed=-1', 'CONFIG_RANGE', undefined],
    ['seed=9007199254740993', 'CONFIG_RANGE', undefined],
    ['discount=1.01', 'CONFIG_RANGE', undefined],
    ['discount=.nan', 'CONFIG_RANGE', undefined],
    ['rewardScale=0', 'CONFIG_RANGE', undefined],
    ['optim.policyLearningRate=0', 'CONFIG_RANGE', undefined],
    ['network.hidden=[]', 'CONFIG_RANGE', undefined],
    ['network.hidden=[300,0]', 'CONFIG_RANGE', undefined],
    ['runtime.engine=numpy', 'CONFIG_RANGE', undefined],
    ['runtime.device=tpu', 'CONFIG_RANGE', undefined],
    ['checkpoint.every=soon', 'CONFIG_RANGE', undefined],
    ['logging.tensorboard=yes', 'CONFIG_TYPE', '--set logging.tensorboard=true'],
    ['logging.episodes=1', 'CONFIG_TYPE', '--set logging.episodes=true'],
    ['logging.interval=10', 'CONFIG_TYPE', '--set logging.interval="10s"'],
    ['logging.interval=often', 'CONFIG_RANGE', '--set logging.interval="10s"'],
    ['logging.every=0', 'CONFIG_RANGE', '--set logging.every=1000'],
    ['logging.tensorbord=true', 'CONFIG_UNKNOWN_KEY', 'did you mean logging.tensorboard?'],
    ['preset=papr', 'CONFIG_RANGE', 'did you mean paper?'],
    ['replay.capacity=100', 'CONFIG_CONFLICT', '--set replay.capacity=100000'],
    ['replay.capacity=500', 'CONFIG_CONFLICT', '--set replay.capacity=100000'],
    ['env=Hoper-v4', 'ENV_UNKNOWN', 'did you mean Hopper-v4? npx virel-native envs'],
    ['env=Hopper-v2', 'ENV_UNKNOWN', 'Hopper-v4 is closest to it, Hopper-v5 is for new work'],
    ['env=', 'ENV_UNKNOWN', undefined],
    ['algorithm=qlearning', 'ALGORITHM_UNKNOWN', 'npx virel-native algorithms'],
    ['algorithm=virl', 'ALGORITHM_UNKNOWN', 'did you mean virel?'],
    ['algorithm=3', 'CONFIG_TYPE', undefined],
    ['novalue', 'CONFIG_SYNTAX', undefined],
    ['seed=[1', 'CONFIG_SYNTAX', undefined],
  ])('--set %s is %s', (assignment, code, fix) => {
    const error = errorOf(() => set(assignment));
    expect(error.code).toBe(code);
    if (fix !== undefined) expect(error.fix).toBe(fix);
    expect(error.message).not.toBe('');
  });

  it('name the option, its bounds, its value and its layer', () => {
    expect(errorOf(() => set('discount=1.5'))).toMatchObject({
      message: 'discount: expected at most 1, got 1.5',
      where: '--set',
      expected: 'at most 1',
      got: '1.5',
    });
  });

  it('name both values of a conflict', () => {
    expect(errorOf(() => set('replay.capacity=100')).message).toBe(
      'replay.batchSize 128 > replay.capacity 100',
    );
    expect(errorOf(() => set('schedule.envSteps=3')).message).toContain('steps 1000000');
    expect(errorOf(() => set('schedule.mSteps=0', 'schedule.eSteps=0')).code).toBe(
      'CONFIG_CONFLICT',
    );
    expect(errorOf(() => set('runtime.engine=kernel', 'runtime.device=cuda')).message).toContain(
      'cuda',
    );
  });

  it('do not reach Object.prototype', () => {
    errorOf(() => resolveConfig(JSON.parse('{"__proto__": {"seed": 7}}')));
    expect(({} as { seed?: number }).seed).toBeUndefined();
    errorOf(() => resolveConfig(JSON.parse('{"optim": {"__proto__": {"seed": 7}}}')));
  });

  it('survive values that JSON cannot show', () => {
    const cycle: unknown[] = [];
    cycle.push(cycle);
    expect(errorOf(() => resolveConfig({ seed: cycle as never })).code).toBe('CONFIG_TYPE');
    expect(errorOf(() => resolveConfig({ seed: 1n as never })).code).toBe('CONFIG_TYPE');
    expect(errorOf(() => resolveConfig(null as never)).code).toBe('CONFIG_TYPE');
  });
});

describe('config files', () => {
  const read = (text: string | Uint8Array) =>
    resolveLayers([
      {
        origin: 'file',
        values: parseConfigFile(typeof text === 'string' ? Buffer.from(text) : text, 'a.yaml'),
      },
    ]).config;

  it('are YAML or JSON, with BOM, CRLF, tabs or nothing in them', () => {
    expect(read('seed: 4\r\noptim: {targetUpdateRate: 5.0e-3}\r\n').optim.targetUpdateRate).toBe(
      0.005,
    );
    expect(read('\uFEFF{"seed": 4,\n\t"env": "Hopper-v5"}').env.id).toBe('Hopper-v5');
    expect(read('').seed).toBe(0);
    expect(read('# nothing\n').seed).toBe(0);
  });

  it.each([
    ['an anchor', 'seed: &a 1\n'],
    ['an alias', 'steps: &a 1\nseed: *a\n'],
    ['a tag', 'seed: !!int 1\n'],
    ['an own tag', 'seed: !eval 1\n'],
    ['two documents', 'seed: 1\n---\nseed: 2\n'],
    ['a key twice', 'seed: 1\nseed: 2\n'],
    ['a key twice in JSON', '{"seed": 1, "seed": 2}'],
    ['broken JSON', '{"seed": 1'],
    ['40 levels', `seed: ${'['.repeat(40)}${']'.repeat(40)}`],
    ['20,000 levels', `seed: ${'['.repeat(20_000)}`],
  ])('with %s are CONFIG_SYNTAX', (_name, text) => {
    expect(errorOf(() => read(text))).toMatchObject({ code: 'CONFIG_SYNTAX', where: 'a.yaml' });
  });

  it('of 10 MB or not UTF-8 are CONFIG_SYNTAX', () => {
    expect(errorOf(() => read(new Uint8Array(10 << 20).fill(32))).code).toBe('CONFIG_SYNTAX');
    expect(errorOf(() => read(new Uint8Array([0x73, 0xff, 0xfe]))).code).toBe('CONFIG_SYNTAX');
  });

  it.each([
    ['a list', '[1, 2]'],
    ['a number', '3'],
    ['an empty section', 'optim:\n'],
  ])('that hold %s are CONFIG_TYPE', (_name, text) => {
    expect(errorOf(() => read(text)).code).toBe('CONFIG_TYPE');
  });

  it('do not merge <<', () => {
    expect(errorOf(() => read('<<: {seed: 1}\n')).code).toBe('CONFIG_UNKNOWN_KEY');
  });
});

describe('any valid config', () => {
  const rate = fc.double({ min: 1e-9, max: 1, noNaN: true });
  const counts = fc.integer({ min: 1, max: 1_000_000 });
  const time = fc
    .tuple(fc.nat(999), fc.constantFrom('ms', 's', 'm', 'h'))
    .map((parts) => parts.join(''));
  const options = fc.record(
    {
      preset: fc.constantFrom(...PRESET_NAMES),
      env: fc.record({
        id: fc.constantFrom(...TASKS.map((task) => task.id)),
        maxEpisodeSteps: fc.option(counts),
        modelDir: fc.option(fc.string({ minLength: 1 })),
      }),
      seed: fc.maxSafeNat(),
      steps: counts,
      discount: fc.double({ min: 0, max: 1, noNaN: true }),
      rewardScale: rate,
      collect: fc.record({ uniformSteps: fc.nat(), resetEvery: fc.nat() }, { requiredKeys: [] }),
      schedule: fc.record({ mSteps: counts, eSteps: fc.nat(1_000_000) }, { requiredKeys: [] }),
      network: fc.record({
        hidden: fc.array(fc.integer({ min: 1, max: 4096 }), { minLength: 1, maxLength: 4 }),
      }),
      optim: fc.record({ policyLearningRate: rate, targetUpdateRate: rate }, { requiredKeys: [] }),
      temperature: fc.record({ temperature: fc.double({ min: 0, max: 1e6, noNaN: true }) }),
      evaluation: fc.record({ every: counts, episodes: fc.option(counts) }, { requiredKeys: [] }),
      checkpoint: fc.record({ every: fc.oneof(counts, time, fc.constant(null)) }),
      threads: fc.integer({ min: 1, max: 1024 }),
      engine: fc.constantFrom('kernel' as const, 'tensor' as const),
    },
    { requiredKeys: [] },
  );

  it('keeps every value asked for, and comes back equal through itself, JSON and YAML', () => {
    fc.assert(
      fc.property(options, (given) => {
        const config = resolveConfig(given as never);
        expect(resolveConfig(config)).toEqual(config);
        expect(resolveConfig(JSON.parse(JSON.stringify(config)))).toEqual(config);
        const text = stringify(config, { schema: 'core', aliasDuplicateObjects: false });
        expect(
          resolveConfig(parseConfigFile(Buffer.from(text), 'config.yaml') as ResolvedConfig),
        ).toEqual(config);
        if (given.seed !== undefined) expect(config.seed).toBe(given.seed);
        if (given.network !== undefined)
          expect(config.network.hidden).toEqual(given.network.hidden);
        if (given.threads !== undefined) expect(config.runtime.threads).toBe(given.threads);
      }),
      { numRuns: 200 },
    );
  });

  it('rejects any other value of a leaf with a code, never with another exception', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...LEAF_PATHS),
        fc.anything({ withBigInt: true }),
        (path, value) => {
          const values = path
            .split('.')
            .reduceRight<unknown>((inner, key) => ({ [key]: inner }), value);
          try {
            resolveLayers([{ origin: 'test', values }]);
          } catch (error) {
            expect((error as { code?: string }).code).toMatch(
              /^(CONFIG_(TYPE|RANGE|CONFLICT|UNKNOWN_KEY)|(ENV|ALGORITHM)_UNKNOWN|RECIPE_UNSUPPORTED|TASK_INVALID)$/,
            );
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('JSON Schema', () => {
  it('describes every key and requires none', () => {
    const text = JSON.stringify(configJsonSchema());
    expect(text).not.toContain('"required"');
    expect(parse(text)).toMatchObject({ additionalProperties: false });
    expect(configJsonSchema()).toMatchObject({
      properties: {
        optim: { properties: { targetUpdateRate: { description: expect.any(String) } } },
      },
    });
  });
});
