/** What `reproduce` knows: each table, figure and example of the paper, as a sweep or as a computation, and how it deviates. */
import { nearest } from '../config/nearest.js';
import { VirelError } from '../errors.js';

interface FigureFacts {
  readonly id: string;
  readonly title: string;
  /** Where what is done here is not, or may not be, what the paper did. */
  readonly deviations: readonly string[];
}

/** A figure of runs. */
export interface SweptFigure extends FigureFacts {
  readonly kind: 'sweep';
  /** As a file of `sweep`, without seeds and steps. */
  readonly sweep: Readonly<Record<string, unknown>>;
  readonly seeds: string;
  readonly steps: number;
  /** Keys of a config that make a curve. */
  readonly group: readonly string[];
  /** What the others are held against. */
  readonly baseline: string;
}

/** Something that is computed at once. */
export interface ComputedFigure extends FigureFacts {
  readonly kind: 'table' | 'claims';
  /** Claims: how their ids begin; none for all of them. */
  readonly claims?: string;
  /** Claims: the demos that are drawn. */
  readonly demos?: readonly string[];
}

/** Something that can be reproduced. */
export type Figure = SweptFigure | ComputedFigure;

const ALGORITHMS = ['virel', 'beta', 'sac', 'ddpg'];

/** Of every figure with training curves. */
const OF_CURVES = [
  'The tasks are those of Gymnasium 1.4.0 on MuJoCo 3.17.0; the paper ran those of gym on MuJoCo 1.50.',
  "The appendix states no number of seeds and no number of epochs: five seeds and 1,000,000 steps are ours. Where the paper's curves are longer, these end earlier.",
  "Table 1 lists no target update rate and no learning rate of Q: both are those of the authors' scripts.",
  'The appendix has no return as a number, so that none here is held against the paper.',
];
const DDPG = 'The paper does not say which DDPG it ran: here it is that of rlkit v0.1.2.';

/** A figure of training curves: a preset's tasks, every algorithm, five seeds. */
function curves(
  [id, title]: readonly [string, string],
  [preset, tasks]: readonly [string, readonly string[]],
  whichTasks: string,
): Figure {
  return {
    id,
    kind: 'sweep',
    title,
    sweep: { preset, grid: { 'env.id': [...tasks], algorithm: ALGORITHMS } },
    seeds: '0-4',
    steps: 1_000_000,
    group: ['algorithm'],
    baseline: 'sac',
    deviations: [
      ...OF_CURVES,
      `Which tasks the figure shows is not in the appendix${whichTasks}`,
      DDPG,
    ],
  };
}

/** Every one, in the paper's order. */
export const FIGURES: readonly Figure[] = [
  {
    id: 'table1',
    kind: 'table',
    title: 'Table 1: experimental parameters, as printed and as the preset `paper` has them',
    deviations: [
      "Values that Table 1 does not list are those of the authors' scripts; `npx virel-native config show --origin` names the source of each.",
    ],
  },
  curves(
    ['fig4', 'Fig. 4: training curves of the main text'],
    ['paper', ['Hopper-v4', 'HalfCheetah-v4', 'Walker2d-v4', 'Ant-v4', 'Humanoid-v4']],
    ': these are the ones that Table 1 gives values for, and Ant.',
  ),
  curves(
    ['fig7', 'Fig. 7: training curves on MuJoCo v1 tasks'],
    [
      'paper-v1',
      [
        'Swimmer-v4',
        'Hopper-v4',
        'HalfCheetah-v4',
        'Walker2d-v4',
        'Ant-v4',
        'Humanoid-v4',
        'HumanoidStandup-v4',
      ],
    ],
    '. Of those that haarnoja/sac had then, the humanoid of rllab is left out: its model is not ours to pass on (docs/environments.md says how to train on a copy).',
  ),
  curves(
    ['fig8', 'Fig. 8: training curves on additional tasks'],
    [
      'paper',
      [
        'Swimmer-v4',
        'Reacher-v4',
        'InvertedPendulum-v4',
        'InvertedDoublePendulum-v4',
        'HumanoidStandup-v4',
      ],
    ],
    ': these are the ones that `fig4` has not.',
  ),
  {
    id: 'merl-counterexample',
    kind: 'claims',
    title: 'The MDP where maximum-entropy RL prefers the worse way',
    claims: 'merl-counterexample',
    demos: ['merl-counterexample'],
    deviations: [
      "The states and rewards of the paper's Fig. 1 cannot be recovered from the appendix: this MDP makes the same point, it is not that one.",
    ],
  },
  {
    id: 'theory',
    kind: 'claims',
    title: 'Every claim of the appendix, by numbers',
    demos: ['three-by-two', 'chain', 'gridworld', 'merl-counterexample'],
    deviations: [
      'Where a display is wrong in print, both forms are computed; the corrected one is what passes.',
    ],
  },
  {
    id: 'ablations',
    kind: 'sweep',
    title:
      'Ablations of beta: scale, state value and batch of the residual error, Q networks, reward scale',
    sweep: {
      preset: 'paper',
      env: 'Hopper-v4',
      list: [
        { algorithm: 'beta' },
        { algorithm: 'beta', 'temperature.temperatureScale': 4e-4 },
        { algorithm: 'beta', 'temperature.temperatureScale': 4e-2 },
        { algorithm: 'beta', 'residual.stateValue': 'target' },
        { algorithm: 'beta', 'residual.batch': 128 },
        { algorithm: 'beta', 'network.actionValues': 2 },
        { algorithm: 'beta', rewardScale: 1 },
        { algorithm: 'virel' },
        { algorithm: 'virel', rewardScale: 1 },
      ],
    },
    seeds: '0-4',
    steps: 1_000_000,
    group: [
      'algorithm',
      'temperature.temperatureScale',
      'residual.stateValue',
      'residual.batch',
      'network.actionValues',
      'rewardScale',
    ],
    baseline: '',
    deviations: [
      'The paper has no such figure: it is ours, on one task.',
      ...OF_CURVES.slice(0, 1),
    ],
  },
];

/** The figure of an id. @throws VirelError `FIGURE_UNKNOWN`. */
export function findFigure(id: string): Figure {
  const found = FIGURES.find((figure) => figure.id === id);
  if (found !== undefined) return found;
  const ids = FIGURES.map((figure) => figure.id);
  const near = nearest(id, ids);
  throw new VirelError('FIGURE_UNKNOWN', `no figure ${id.slice(0, 80) || '""'}`, {
    where: 'FIGURE',
    expected: ids.join(', '),
    got: id.slice(0, 80),
    fix: near === undefined ? 'npx virel-native reproduce --list' : `did you mean ${near}?`,
  });
}
