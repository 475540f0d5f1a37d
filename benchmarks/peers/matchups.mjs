/**
 * Who meets whom: ours and what people would use instead, on the same shapes (300x300, batch 128) and the same cores. `asked`
 * is the least ratio of medians, ours to theirs, that must be reached, and the one aimed at.
 */

/** @typedef {{name: string, file: string, options: Record<string, string>, asked?: {must: number, aim: number}}} Peer */
/** @typedef {{name: string, title: string, unit: string, threads: number, ours: Record<string, string>, peers: Peer[]}} Matchup */

const CHEETAH = 'HalfCheetah-v5';
const HUMANOID = 'Humanoid-v5';

/** A learner alone against the same gradient step in JAX, 50 updates a call, and in eager PyTorch. */
function learners(algorithm, env, threads, asked) {
  const options = { algorithm, env };
  const task = env.split('-')[0];
  return {
    name: `${algorithm}-${task.toLowerCase()}-${threads}`,
    title: `${algorithm} learner, ${task} shapes, ${threads} ${threads === 1 ? 'thread' : 'threads'}`,
    unit: 'updates/s',
    threads,
    ours: { work: 'update', ...options },
    peers: [
      { name: 'JAX', file: 'jax_virel.py', options, asked },
      { name: 'PyTorch', file: 'torch_virel.py', options },
    ],
  };
}

/** @type {Matchup[]} */
export const MATCHUPS = [
  learners('virel', CHEETAH, 1, { must: 1.3, aim: 1.5 }),
  learners('virel', CHEETAH, 2, { must: 1.45, aim: 1.7 }),
  learners('virel', HUMANOID, 2, { must: 1.6, aim: 1.8 }),
  learners('beta', CHEETAH, 2, { must: 1.55, aim: 1.8 }),
  learners('beta', HUMANOID, 2, { must: 1.4, aim: 1.6 }),
  {
    name: 'sac-twin-halfcheetah-2',
    title: 'sac-twin, environment and update, HalfCheetah-v5, 2 threads',
    unit: 'steps/s',
    threads: 2,
    ours: { work: 'train', algorithm: 'sac-twin', env: CHEETAH },
    peers: [
      ['Stable-Baselines3', 'sb3_sac.py', { must: 5.5, aim: 7 }],
      ['SBX', 'sbx_sac.py', { must: 2.8, aim: 3.5 }],
      ['RLtools', 'rltools_sac.py', { must: 2.5, aim: 3 }],
    ].map(([name, file, asked]) => ({ name, file, options: { env: CHEETAH }, asked })),
  },
];

/** Our own name in tables. */
export const OURS = 'virel-native';

/** The name of what takes turns with the contestants and is none: the ceiling of the cores. */
export const CEILING = 'ceiling';
