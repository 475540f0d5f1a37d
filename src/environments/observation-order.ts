/**
 * What each value of an observation is, for whoever feeds a policy without our environments: runs of MuJoCo's own arrays in
 * NumPy's slices. The tasks themselves are in `native/engine/src/environments/mujoco`; a test holds the two together.
 */
import { type Choices, ownOptions } from './choices.js';

type Options = Readonly<Record<string, unknown>>;
type Version = 'v4' | 'v5';

/** First position that is observed: the place along the track is left out unless asked for. */
const first = (options: Options, left: number) =>
  options['excludeCurrentPositionsFromObservation'] === false ? 0 : left;

/** A planar robot: positions without the first `left`, then velocities, all `count` of each. */
const plain = (count: number, left: number) => (options: Options) => [
  `qpos[${first(options, left)}:${count}]`,
  `qvel[0:${count}]`,
];

/** The same with velocities kept within 10. */
const clipped = (count: number) => (options: Options) => [
  `qpos[${first(options, 1)}:${count}]`,
  `clip(qvel[0:${count}], -10, 10)`,
];

function ant(options: Options, version: Version): string[] {
  const observed = version === 'v4' ? 'useContactForces' : 'includeCfrcExtInObservation';
  const [low, high] = options['contactForceRange'] as readonly (number | null)[];
  const bounds = `${low ?? '-inf'}, ${high ?? 'inf'}`;
  const forces = `clip(cfrc_ext[${version === 'v4' ? 0 : 1}:14], ${bounds})`;
  const state = [`qpos[${first(options, 2)}:15]`, 'qvel[0:14]'];
  return options[observed] === true ? [...state, forces] : state;
}

function humanoid(options: Options, version: Version): string[] {
  // v5 leaves out the world and the free root, whose values are constant zeros
  const [body, force] = version === 'v4' ? [0, 0] : [1, 6];
  const groups = [
    ['includeCinertInObservation', `cinert[${body}:14]`],
    ['includeCvelInObservation', `cvel[${body}:14]`],
    ['includeQfrcActuatorInObservation', `qfrc_actuator[${force}:23]`],
    ['includeCfrcExtInObservation', `cfrc_ext[${body}:14]`],
  ] as const;
  const observed = groups.filter(([option]) => options[option] !== false).map(([, run]) => run);
  return [`qpos[${first(options, 2)}:24]`, 'qvel[0:23]', ...observed];
}

const ORDERS: Readonly<Record<string, (options: Options, version: Version) => string[]>> = {
  Ant: ant,
  HalfCheetah: plain(9, 1),
  Hopper: clipped(6),
  Humanoid: humanoid,
  HumanoidStandup: humanoid,
  InvertedDoublePendulum: (_, version) => [
    'qpos[0:1]',
    'sin(qpos[1:3])',
    'cos(qpos[1:3])',
    'clip(qvel[0:3], -10, 10)',
    `clip(qfrc_constraint[0:${version === 'v4' ? 3 : 1}], -10, 10)`,
  ],
  InvertedPendulum: () => ['qpos[0:2]', 'qvel[0:2]'],
  Pusher: () => [
    'qpos[0:7]',
    'qvel[0:7]',
    'xpos[tips_arm][0:3]',
    'xpos[object][0:3]',
    'xpos[goal][0:3]',
  ],
  Reacher: (_, version) => [
    'cos(qpos[0:2])',
    'sin(qpos[0:2])',
    'qpos[2:4]',
    'qvel[0:2]',
    `(xpos[fingertip] - xpos[target])[0:${version === 'v4' ? 3 : 2}]`,
  ],
  Swimmer: plain(5, 2),
  Walker2d: clipped(9),
  'humanoid-rllab': () => [
    'qpos[0:28]',
    'qvel[0:27]',
    'clip(cfrc_ext[0:14], -1, 1)',
    'subtree_com[torso][0:3]',
  ],
  'swimmer-rllab': () => ['qpos[0:5]', 'qvel[0:5]', 'subtree_com[torso][0:3]'],
};

/**
 * The runs of an observation in their order, such as `['qpos[1:6]', 'clip(qvel[0:6], -10, 10)']`. Rows of `cinert`, `cvel`
 * and `cfrc_ext` are bodies, of 10, 6 and 6 values.
 *
 * @param id The environment.
 * @param choices Its files and options.
 * @returns Nothing for an environment of the user's: its own file says it.
 */
export function observationOrder(id: string, choices: Choices): readonly string[] {
  const [, family = id, version = 'v5'] = /^(.*)-(v[45])$/.exec(id) ?? [];
  const own = choices.taskFile === undefined || choices.taskFile === null;
  const order = own && Object.hasOwn(ORDERS, family) ? ORDERS[family] : undefined;
  return order?.({ ...ownOptions(id), ...choices }, version as Version) ?? [];
}
