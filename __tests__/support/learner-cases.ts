/** The one table of cases on which every engine is compared with the reference. */

import { TASKS } from './cases.js';
import type { LearnerCase } from './traces.js';
import { configOf, VARIANTS, type Variant, type Widths } from './variants.js';

/** A case but for what most share. */
interface Given extends Partial<Omit<LearnerCase, 'name' | 'config'>> {
  variant: Variant;
  /** What the case is about, beside its variant. */
  about?: string;
  widths?: Widths;
}

/** Widths that no vector length divides, another number of layers for the policy. */
const SMALL: Widths = { hidden: [33, 20], policyHidden: [23] };
const TASK_IDS = Object.keys(TASKS);

/** Every variant with every term at a size of its own, over the tasks from the smallest to the largest. */
const everyVariant = VARIANTS.map(
  (variant, i): Given => ({ variant, env: TASK_IDS[i % TASK_IDS.length] as string }),
);

/**
 * The parameters that training starts from, by each published scheme. Not the projected M-step, which rests at ζ = 0, nor the
 * prior divergence, which is made of rounding where the prior is the policy.
 */
const fresh: Given[] = (
  ['virel', 'beta', 'sac', 'sac, two Q', 'sac-twin', 'ddpg', 'mpo'] as const
).map((variant) => ({
  variant,
  env: 'Hopper-v5',
  networks: 'fresh',
  widths: { hidden: [64, 64] },
  rows: 64,
}));

/** Networks and batches of the presets: few updates, since the reference needs half a second for each. */
const presetShapes: Given[] = [
  { variant: 'virel', env: 'HalfCheetah-v5', networks: 'fresh', widths: { hidden: [300, 300] } },
  { variant: 'virel', env: 'Humanoid-v5', widths: { hidden: [300, 300] } },
  {
    variant: 'ddpg',
    env: 'HalfCheetah-v5',
    networks: 'fresh',
    widths: { hidden: [400, 300] },
  },
  { variant: 'sac-twin', env: 'Walker2d-v5', widths: { hidden: [256, 256] } },
  { variant: 'mpo', env: 'Reacher-v5', widths: { hidden: [512], policyHidden: [256, 256] } },
].map((given) => ({ rows: 128, updates: 2, ...given }) as Given);

/** Batches of one row and of a residual error's size; one layer, three layers. */
const otherShapes: Given[] = [
  ...(
    [
      'virel',
      'sac, two Q',
      'sac-twin',
      'ddpg',
      'mpo',
      'mpo, prior divergence',
      'virel, projected residual',
    ] as const
  ).map((variant): Given => ({ variant, about: 'one row', rows: 1 })),
  ...(['virel', 'sac-twin'] as const).map(
    (variant): Given => ({
      variant,
      about: 'a large batch',
      env: 'Reacher-v5',
      widths: { hidden: [64, 64] },
      rows: 4096,
      updates: 1,
    }),
  ),
  ...(['virel', 'sac-twin', 'virel, projected residual'] as const).flatMap((variant): Given[] => [
    { variant, about: 'one layer', widths: { hidden: [9] }, env: 'InvertedPendulum-v5' },
    { variant, about: 'three layers', widths: { hidden: [17, 40, 9] }, rows: 131 },
  ]),
];

/** Temperatures given to each step; a T of 0 where no Boltzmann weight divides by it. */
const givenTemperatures: Given[] = [
  { variant: 'virel', temperature: 0.1 },
  { variant: 'virel', temperature: 0 },
  { variant: 'virel, score', temperature: 0.3 },
  { variant: 'sac', temperature: 0 },
  { variant: 'sac-twin', temperature: 0.1 },
  { variant: 'sac-twin, fixed temperature', temperature: 0 },
  { variant: 'mpo', temperature: 0.3 },
  { variant: 'mpo, prior divergence', temperature: 0.1 },
].map((given) => ({ ...given, about: `temperature ${given.temperature}` }) as Given);

/** log σ on both sides of a clip, and actions near ±1, where what is left of 1 − ã² is a few digits. */
const edges: Given[] = [
  ...(['virel', 'sac', 'sac-twin', 'mpo'] as const).map(
    (variant): Given => ({
      variant,
      about: 'log σ near its upper clip',
      bias: { name: 'logStd.bias', value: 2 },
    }),
  ),
  ...(['virel', 'sac-twin'] as const).map(
    (variant): Given => ({
      variant,
      about: 'log σ near its lower clip',
      bias: { name: 'logStd.bias', value: -20 },
    }),
  ),
  ...(['virel', 'virel, score', 'sac-twin', 'ddpg', 'mpo', 'mpo, prior divergence'] as const).map(
    (variant): Given => ({
      variant,
      about: 'actions near 1',
      bias: { name: 'mean.bias', value: 3 },
    }),
  ),
];

/** Seeds that give fair cases where that of the name does not; the first test of each case says what is fair. */
const SEEDS: Record<string, number> = {
  'beta, automatic scale, random scale, 33x20': 2001,
  'mpo, temperature 0.3, random scale, 33x20': 2003,
  'mpo, prior divergence, temperature 0.1, random scale, 33x20': 2001,
};

function caseOf(given: Given): LearnerCase {
  const { variant, about, widths = SMALL, ...rest } = given;
  const name = about === undefined ? variant : `${variant}, ${about}`;
  const spec = {
    name,
    env: 'Hopper-v5',
    networks: 'random scale' as const,
    rows: 37,
    updates: 10,
    config: configOf(variant, widths),
    ...rest,
  };
  const key = `${spec.name}, ${spec.networks}, ${widths.hidden.join('x')}`;
  return { ...spec, seed: SEEDS[key] ?? seedOf(key) };
}

/** A seed that another case's coming or going does not change. */
function seedOf(key: string): number {
  return [...key].reduce((seed, letter) => (31 * seed + (letter.codePointAt(0) ?? 0)) % 9973, 7);
}

/** All cases. */
export const LEARNER_CASES: readonly LearnerCase[] = [
  ...everyVariant,
  ...fresh,
  ...presetShapes,
  ...otherShapes,
  ...givenTemperatures,
  ...edges,
].map(caseOf);
