import type { Argv, CommandModule } from 'yargs';
import { ALGORITHMS } from '../../algorithms/index.js';
import type { Algorithm } from '../../algorithms/recipe.js';
import { checkAlgorithm, checkPreset } from '../../config/choices.js';
import { type OwnValue, ownValues } from '../../config/own-values.js';
import { PRESETS } from '../../config/resolve.js';
import { show } from '../../config/show.js';
import { print, printJson } from '../output.js';

interface AlgorithmsArguments {
  name: string | undefined;
  preset: string;
  json: boolean | undefined;
}

/** The keys in which an algorithm may be varied, with what it accepts; the first is its usual one or comes from a preset. */
const variations = (algorithm: Algorithm): Record<string, readonly unknown[]> => ({
  policyGradient: algorithm.objectives,
  'temperature.kind': algorithm.temperatures,
  'mStep.kind': algorithm.mSteps,
  'network.actionValues': algorithm.actionValues,
});

/** An algorithm as `--json` has it. */
function describe(algorithm: Algorithm): object {
  const { name, summary, source, equations, recipe } = algorithm;
  const presets = Object.entries(PRESETS).map(([preset, values]) => [
    preset,
    ownValues(values, name),
  ]);
  return {
    name,
    summary,
    source,
    equations,
    parts: recipe,
    variations: variations(algorithm),
    presets: Object.fromEntries(presets),
  };
}

/** Rows of two columns, the first as wide as its longest, two spaces in. */
function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(0, ...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`.trimEnd());
}

const valueRow = ({ key, value, source, tasks }: OwnValue): readonly [string, string] => [
  `${key}: ${show(value)}`,
  `# ${tasks === undefined ? '' : `${tasks.join(', ')}: `}${source}`,
];

/** An algorithm as a person reads it in the list: its equations, and the values of a preset. */
function entry(algorithm: Algorithm, preset: keyof typeof PRESETS): string[] {
  const own = ownValues(PRESETS[preset], algorithm.name).map(valueRow);
  return [
    `${algorithm.name}: ${algorithm.summary}`,
    `  ${algorithm.source}`,
    '',
    'equations, in the order of a gradient step',
    ...algorithm.equations.map((equation) => `  ${equation}`),
    '',
    `values that set it apart, preset ${preset}`,
    ...(own.length > 0 ? columns(own) : ['  none: it takes those of the preset']),
  ];
}

/** Alone on its page: with what it can be varied in, too. */
function page(algorithm: Algorithm, preset: keyof typeof PRESETS): string[] {
  const allowed = Object.entries(variations(algorithm)).map(
    ([key, values]) => [key, values.join(', ')] as const,
  );
  return [
    ...entry(algorithm, preset),
    '',
    'can run with',
    ...columns(allowed),
    '',
    `every value and its source: npx virel-native config show --algorithm ${algorithm.name} --preset ${preset} --origin`,
  ];
}

/** All of them, and where to read on. */
function list(preset: keyof typeof PRESETS): string[] {
  const presets = Object.keys(PRESETS).join(', ');
  return [
    ...ALGORITHMS.flatMap((algorithm) => [...entry(algorithm, preset), '']),
    `presets: ${presets}; what one can be varied in: npx virel-native algorithms NAME --preset PRESET`,
  ];
}

/** `virel-native algorithms`: works without the native part. */
export const algorithmsCommand: CommandModule<unknown, AlgorithmsArguments> = {
  command: 'algorithms [name]',
  describe: 'List the algorithms, or show one in full',
  builder: (yargs) =>
    yargs
      .positional('name', { type: 'string', describe: 'Only this algorithm, in full' })
      .option('preset', {
        type: 'string',
        requiresArg: true,
        default: 'paper',
        describe: `Whose values to show: ${Object.keys(PRESETS).join(', ')}`,
      })
      .option('json', { type: 'boolean', describe: 'A JSON list, with every preset' })
      .example('$0 algorithms beta', '') as unknown as Argv<AlgorithmsArguments>,
  handler: ({ name, preset, json }) => {
    const chosen = checkPreset({ value: preset, origin: '--preset' });
    const one =
      name === undefined ? undefined : checkAlgorithm({ value: name, origin: 'algorithms' });
    if (json) printJson((one === undefined ? ALGORITHMS : [one]).map(describe));
    else print((one === undefined ? list(chosen) : page(one, chosen)).join('\n'));
  },
};
