/**
 * Who meets whom: ours and what people would use instead, on the same shapes (300x300, batch 128) and the same cores. `asked`
 * is the least ratio of medians, ours to theirs, that must be reached, and the one aimed at.
 */

/** @typedef {{name: string, file: string, options: Record<string, string | number>, asked?: {must: number, aim: number}}} Peer */
/** @typedef {{algorithm: string, env: string, steps: number}} Learned What both sides begin with: see learned.mjs. */
/** @typedef {{name: string, title: string, unit: string, threads: number, ours: Record<string, string | number>, peers: Peer[], learned?: Learned}} Matchup */

const CHEETAH = 'HalfCheetah-v5';
const HUMANOID = 'Humanoid-v5';

/** Steps behind learners that have learned: 2 % of the usual million. */
const LEARNED = 20_000;
const AFTER = `after ${LEARNED.toLocaleString('en')} steps`;

/** A learner alone against the same gradient step in JAX, 50 updates a call, and in eager PyTorch. */
function learners(algorithm, env, threads, asked) {
  const options = { algorithm, env };
  const task = env.split('-')[0];
  const name = `${algorithm}-${task.toLowerCase()}-${threads}`;
  const work = `${task} shapes, ${threads} ${threads === 1 ? 'thread' : 'threads'}`;
  const common = {
    unit: 'updates/s',
    threads,
    ours: { work: 'update', ...options },
    peers: [
      { name: 'JAX', file: 'jax_virel.py', options, asked },
      { name: 'PyTorch', file: 'torch_virel.py', options },
    ],
  };
  return {
    fresh: { name, title: `${algorithm} learner, ${work}`, ...common },
    learned: {
      name: `learned-${name}`,
      title: `${algorithm} learner ${AFTER}, ${work}`,
      ...common,
      learned: { ...options, steps: LEARNED },
    },
  };
}

/** Training against what people install, all of them from nothing or all with steps behind them. */
function trainers(env, threads, asked) {
  const task = env.split('-')[0];
  const name = `sac-twin-${task.toLowerCase()}-${threads}`;
  const work = `environment and update, ${env}, ${threads} threads`;
  const matchup = (options) => ({
    unit: 'steps/s',
    threads,
    ours: { work: 'train', algorithm: 'sac-twin', ...options },
    peers: [
      ['Stable-Baselines3', 'sb3_sac.py'],
      ['SBX', 'sbx_sac.py'],
      ['RLtools', 'rltools_sac.py'],
    ].map(([peer, file]) => ({ name: peer, file, options, asked: asked[peer] })),
  });
  return {
    fresh: { name, title: `sac-twin, ${work}`, ...matchup({ env }) },
    learned: {
      name: `learned-${name}`,
      title: `sac-twin ${AFTER}, ${work}`,
      ...matchup({ env, steps: LEARNED }),
    },
  };
}

const PAIRS = [
  learners('virel', CHEETAH, 1, { must: 1.3, aim: 1.5 }),
  learners('virel', CHEETAH, 2, { must: 1.45, aim: 1.7 }),
  learners('virel', HUMANOID, 2, { must: 1.6, aim: 1.8 }),
  learners('beta', CHEETAH, 2, { must: 1.55, aim: 1.8 }),
  learners('beta', HUMANOID, 2, { must: 1.4, aim: 1.6 }),
  trainers(CHEETAH, 2, {
    'Stable-Baselines3': { must: 5.5, aim: 7 },
    SBX: { must: 2.8, aim: 3.5 },
    RLtools: { must: 2.5, aim: 3 },
  }),
];

/** @type {Matchup[]} Those that begin fresh first: the others train before they are measured. */
export const MATCHUPS = [
  ...PAIRS.map(({ fresh }) => fresh),
  ...PAIRS.map(({ learned }) => learned),
];

/** Our own name in tables. */
export const OURS = 'virel-native';

/** The name of what takes turns with the contestants and is none: the ceiling of the cores. */
export const CEILING = 'ceiling';
