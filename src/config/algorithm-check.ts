/** What an algorithm allows: read off `src/algorithms`, never asked by name. */
import { ALGORITHMS } from '../algorithms/index.js';
import type { Algorithm } from '../algorithms/recipe.js';
import { conflict } from './conflict.js';
import type { ResolvedConfig } from './schema.js';

/** A key whose values an algorithm restricts. */
interface Restriction {
  readonly key: string;
  chosen(config: ResolvedConfig): unknown;
  allowed(algorithm: Algorithm): readonly unknown[];
}

const RESTRICTIONS: readonly Restriction[] = [
  {
    key: 'temperature.kind',
    chosen: ({ temperature }) => temperature.kind,
    allowed: ({ temperatures }) => temperatures,
  },
  {
    key: 'policyGradient',
    chosen: ({ policyGradient }) => policyGradient,
    allowed: ({ objectives }) => objectives,
  },
  {
    key: 'mStep.kind',
    chosen: ({ mStep }) => mStep.kind,
    allowed: ({ mSteps }) => mSteps,
  },
  {
    key: 'network.actionValues',
    chosen: ({ network }) => network.actionValues,
    allowed: ({ actionValues }) => actionValues,
  },
  {
    key: 'exploration.kind',
    chosen: ({ exploration }) => exploration.kind,
    allowed: ({ recipe }) => [recipe.exploration],
  },
];

/**
 * Refuses parts that the algorithm does not have.
 *
 * @throws VirelError `CONFIG_CONFLICT`, naming the algorithms that have them.
 */
export function checkAgainstAlgorithm(config: ResolvedConfig, algorithm: Algorithm): void {
  for (const { key, chosen, allowed } of RESTRICTIONS) {
    const value = chosen(config);
    const own = allowed(algorithm);
    if (own.includes(value)) continue;
    const others = ALGORITHMS.filter((each) => allowed(each).includes(value));
    const elsewhere = others.map(({ name }) => `--algorithm ${name}`).slice(0, 1);
    throw conflict(
      `algorithm ${algorithm.name} runs with ${key} ${own.join(' or ')}, not with ${key} ${value}`,
      [`--set ${key}=${own[0]}`, ...elsewhere].join(', or '),
    );
  }
  if (algorithm.recipe.policy === 'deterministic') checkDeterministic(config, algorithm);
}

/** A deterministic policy has no deviation, and no divergence from another one. */
function checkDeterministic(
  { policyRegulariser, schedule }: ResolvedConfig,
  { name }: Algorithm,
): void {
  if (policyRegulariser.logStd > 0) {
    throw conflict(
      `algorithm ${name} and policyRegulariser.logStd ${policyRegulariser.logStd}: a deterministic policy has no deviation`,
      '--set policyRegulariser.logStd=0',
    );
  }
  if (schedule.kind === 'complete') {
    throw conflict(
      `algorithm ${name} and schedule.kind complete: the end of its E-step is measured by a divergence that deterministic policies do not have`,
      '--set schedule.kind=partial',
    );
  }
}
