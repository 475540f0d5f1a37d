import { describe, expect, it } from '@jest/globals';
import { ALGORITHMS } from '../../src/algorithms/index.js';
import { describeTemperature } from '../../src/config/describe.js';
import { resolveConfig } from '../../src/config/resolve.js';
import {
  configJsonSchema,
  describeKey,
  KINDS,
  LEAF_PATHS,
  leafSchema,
} from '../../src/config/schema.js';
import { OPTION_KINDS } from '../../src/environments/task-options.js';
import { errorOf, resolution, set, valueAt } from './support.js';

const temperatures = [...(KINDS.get('temperature')?.keys() ?? [])];

describe('sections that come in kinds', () => {
  it('are temperature, schedule, mStep and exploration', () => {
    expect([...KINDS.keys()].sort()).toEqual(['exploration', 'mStep', 'schedule', 'temperature']);
    expect(temperatures).toEqual(['none', 'fixed', 'residual', 'residualAuto', 'tuned', 'dual']);
  });

  it.each(
    ALGORITHMS.flatMap((each) => temperatures.map((kind) => [each.name, kind, each] as const)),
  )(
    '%s: --set temperature.kind=%s alone is complete, or refused by name',
    (name, kind, algorithm) => {
      const asked = [`algorithm=${name}`, `temperature.kind=${kind}`] as const;
      if (algorithm.temperatures.some((each) => each === kind)) {
        const { config, origin } = resolution(...asked);
        const keys = Object.keys(config.temperature).map((key) => `temperature.${key}`);
        expect(new Set(keys)).toEqual(KINDS.get('temperature')?.get(kind));
        expect(keys.filter((key) => !origin[key])).toEqual([]);
      } else {
        const { code, message, fix } = errorOf(() => set(...asked));
        expect(code).toBe('CONFIG_CONFLICT');
        expect(message).toContain(`algorithm ${name}`);
        expect(message).toContain(`temperature.kind ${kind}`);
        expect(fix).toContain(`--set temperature.kind=${algorithm.temperatures[0]}`);
      }
    },
  );

  it('leave out the keys of the kinds that were not chosen', () => {
    const { config, origin } = resolution('temperature.kind=residual');
    expect(config.temperature).toEqual({ kind: 'residual', temperatureScale: 4e-3 });
    expect(Object.keys(origin).filter((key) => key.startsWith('temperature.'))).toEqual([
      'temperature.kind',
      'temperature.temperatureScale',
    ]);
  });

  it.each([
    ['temperature.temperatureScale=0.1', 'temperature.kind fixed', 'temperature.kind=residual'],
    ['temperature.klBound=0.1', 'temperature.kind fixed', 'leave temperature.klBound out'],
    ['schedule.floor=2', 'schedule.kind partial', 'schedule.kind=incremental'],
    ['schedule.tolerance=0.1', 'schedule.kind partial', 'schedule.kind=complete'],
    ['mStep.radius=5', 'mStep.kind direct', 'mStep.kind=projected'],
    ['exploration.sigma=0.1', 'exploration.kind policy', 'exploration.kind=ornsteinUhlenbeck'],
  ])('refuse %s where the kind has no such key', (assignment, kind, fix) => {
    const error = errorOf(() => set(assignment));
    const [path = '', value = ''] = assignment.split('=');
    expect(error.code).toBe('CONFIG_CONFLICT');
    expect(error.message).toBe(`${path} ${value} means nothing with ${kind}`);
    expect(error.where).toBe('--set');
    expect(error.fix).toContain(fix);
  });

  it('refuse an unknown kind by name, and a kind that is no text by type', () => {
    expect(errorOf(() => set('temperature.kind=warm'))).toMatchObject({
      code: 'CONFIG_RANGE',
      message:
        'temperature.kind: expected one of none, fixed, residual, residualAuto, tuned, dual, got "warm"',
      fix: '--set temperature.kind="fixed"',
    });
    expect(errorOf(() => set('temperature.kind=3')).code).toBe('CONFIG_TYPE');
    expect(errorOf(() => set('temperature=fixed')).code).toBe('CONFIG_TYPE');
  });

  it('know the keys of every kind when a name is misspelt', () => {
    expect(errorOf(() => set('temperature.targetEntrop=1')).fix).toBe(
      'did you mean temperature.targetEntropy?',
    );
    expect(errorOf(() => set('tolerance=1')).fix).toBe('did you mean schedule.tolerance?');
  });

  it('may be given without their kind, typed', () => {
    expect(
      resolveConfig({ algorithm: 'beta', temperature: { temperatureScale: 0.1 } }),
    ).toMatchObject({ temperature: { kind: 'residual', temperatureScale: 0.1 } });
  });

  it.each([
    ['virel', 'fixed', '1'],
    ['beta', 'residual', '0.004 x residual error'],
    ['virel', 'residualAuto', '(1 - discount) / mean |r| x residual error'],
    ['sac-twin', 'tuned', 'tuned to entropy -6'],
    ['mpo', 'dual', 'dual, bound 0.1'],
    ['ddpg', 'none', 'none'],
  ])('%s with %s says so in the header of a run: %s', (algorithm, kind, words) => {
    const { temperature } = set(`algorithm=${algorithm}`, `temperature.kind=${kind}`);
    expect(describeTemperature(temperature)).toBe(words);
  });

  it('come back equal through a resolved config, for every algorithm', () => {
    for (const { name } of ALGORITHMS) {
      const config = resolveConfig({ algorithm: name });
      expect(resolveConfig(config)).toEqual(config);
      expect(resolveConfig(JSON.parse(JSON.stringify(config)))).toEqual(config);
    }
  });
});

const isTaskOption = (path: string) => Object.hasOwn(OPTION_KINDS, path.replace('env.', ''));

describe('every leaf', () => {
  it.each([...LEAF_PATHS])('%s is described and has a schema', (path) => {
    expect(describeKey(path).length).toBeGreaterThan(5);
    // only options of the tasks may be left out of a resolved config
    expect(leafSchema(path).safeParse(undefined).success).toBe(isTaskOption(path));
  });

  it('that null stands for is decided', () => {
    const config = set('algorithm=sac-twin', 'network.hidden=[32]');
    expect(valueAt(config, 'network.policyHidden')).toEqual([32]);
    expect(valueAt(config, 'temperature.targetEntropy')).toBe(-6);
    expect(set('network.policyHidden=[16]').network).toMatchObject({
      hidden: [300, 300],
      policyHidden: [16],
    });
  });
});

describe('JSON Schema of kinds', () => {
  it('offers each kind with its keys and requires none of them', () => {
    const { properties } = configJsonSchema() as {
      properties: { temperature: { anyOf: { properties: Record<string, { const?: string }> }[] } };
    };
    expect(properties.temperature.anyOf.map((each) => each.properties['kind']?.const)).toEqual(
      temperatures,
    );
    expect(JSON.stringify(configJsonSchema())).not.toMatch(/"(oneOf|required)"/);
  });
});
